// Starting Chromium, the same way for every suite of pages.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** A headless Chromium: CHROMIUM_BIN, else the system's. */
export function launchChromium(args = []) {
  const executablePath = process.env.CHROMIUM_BIN || "/usr/bin/chromium";
  if (!existsSync(executablePath)) throw new Error(`No Chromium at ${executablePath}; set CHROMIUM_BIN.`);
  return chromium.launch({ executablePath, args: [...FLAGS, ...args] });
}

/** Bundles a module of the page into one script text that puts its exports into `globalThis[name]`. */
export async function bundle(entry, name, plugins = []) {
  const { build } = await import("esbuild");
  const result = await build({ entryPoints: [entry], bundle: true, write: false, format: "iife", globalName: name, target: "es2022", charset: "utf8", plugins, logLevel: "warning" });
  return `${result.outputFiles[0].text};globalThis[${JSON.stringify(name)}]=${name};`;
}

/** A small reproducible random source: numbers in [0, 1). */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}
