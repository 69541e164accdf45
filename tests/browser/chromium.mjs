// Starting Chromium, the same way for every suite of pages.
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** CHROMIUM_BIN, else the system's. */
function executable() {
  const path = process.env.CHROMIUM_BIN || "/usr/bin/chromium";
  if (!existsSync(path)) throw new Error(`No Chromium at ${path}; set CHROMIUM_BIN.`);
  return path;
}

/** A headless Chromium. */
export function launchChromium(args = []) {
  return chromium.launch({ executablePath: executable(), args: [...FLAGS, ...args] });
}

/** Starts it with a fresh profile: `{ context, close() }`. */
export async function startChromium() {
  const profile = await mkdtemp(join(tmpdir(), "sluicegate-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: executable(),
    headless: true,
    args: FLAGS,
  });
  return {
    context,
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Opens a page; its errors are collected in `errors`. */
export async function openPage(context, url) {
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(`${error}`));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(url);
  return { page, errors };
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
