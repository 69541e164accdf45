/** Where our builds are, and a tiny app that imports the package as its users do. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const BENCH = dirname(fileURLToPath(import.meta.url));
export const ROOT = resolve(BENCH, "../..");
export const OUTPUT = join(ROOT, "target/bench");

const APP = join(OUTPUT, "app");

/** The built npm package's folder: the one with the manifest whose exports lead into `dist/npm`; `null` when not built. */
export function packageFolder() {
  const built = join(ROOT, "dist/npm");
  if (!existsSync(built)) return null;
  for (const folder of [built, ROOT]) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).exports) return folder;
  }
  return null;
}

/** worker-build's folder, `null` when not built. */
export function workerFolder() {
  const folder = join(ROOT, "worker/build");
  return existsSync(join(folder, "index.js")) ? folder : null;
}

/** A folder in which `import "sluicegate"` resolves to the build; `null` when not built. */
export function appFolder() {
  const folder = packageFolder();
  if (!folder) return null;
  mkdirSync(join(APP, "node_modules"), { recursive: true });
  const link = join(APP, "node_modules/sluicegate");
  rmSync(link, { force: true });
  symlinkSync(folder, link, "junction");
  writeFileSync(join(APP, "package.json"), '{ "private": true, "type": "module" }\n');
  return APP;
}

/** Imports an entry of the built package from within the app, so that Node itself resolves it. */
export async function appImport(app) {
  const loader = join(app, "load.mjs");
  writeFileSync(loader, "export const load = (specifier) => import(specifier);\n");
  return (await import(pathToFileURL(loader).href)).load;
}

/** All files below a folder, sorted; links and `node_modules` are not followed. */
export function filesBelow(folder) {
  const found = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.name === "node_modules") continue;
    if (entry.isDirectory()) found.push(...filesBelow(path));
    else if (entry.isFile()) found.push(path);
  }
  return found.sort();
}

export const shown = (path) => relative(ROOT, path);
