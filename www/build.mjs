/**
 * Bundles the page into static files: `index.html`, hashed scripts and styles, and whatever assets the package needs beside
 * them. Formulas and colours are chunks of their own, fetched when an answer first needs them.
 */
import { access, cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));

/** Formulas use the reader's own math font, so the web font that temml's style sheet names is neither fetched nor shipped. */
async function mathStyle() {
  const style = await readFile(fileURLToPath(import.meta.resolve("temml/dist/Temml-Local.css")), "utf8");
  return style.replace(/@font-face\s*\{[^}]*\}/g, "");
}

/** The package's wasm: its glue finds it by a URL relative to the script that holds the glue. */
async function copyWasm(alias, outdir) {
  const entry = alias.sluicegate;
  if (!entry) return;
  for (const file of await readdir(dirname(entry), { recursive: true })) {
    if (file.endsWith(".wasm")) await cp(join(dirname(entry), file), join(outdir, basename(file)));
  }
}

/** What finds names: fetched when somebody switches it on. */
async function copyNames(alias, outdir) {
  const places = [...(alias.sluicegate ? [join(dirname(alias.sluicegate), "names.bin")] : []), join(here, "../models/ner/names.bin")];
  for (const place of places) {
    const isThere = await access(place).then(() => true, () => false);
    if (isThere) return cp(place, join(outdir, "names.bin"));
  }
}

/** One run of the bundler. Gives its files, and `written(entry)`: the name that an entry got. */
async function bundle({ entries, outdir, alias = {}, chunks = "[name]-[hash]" }) {
  const result = await build({
    absWorkingDir: here,
    entryPoints: entries,
    outdir,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: ["es2022", "chrome123", "firefox121", "safari17.5"],
    splitting: true,
    minify: true,
    sourcemap: false,
    legalComments: "linked",
    charset: "utf8",
    entryNames: "[name]-[hash]",
    chunkNames: chunks,
    assetNames: "[name]-[hash]",
    loader: { ".wasm": "file" },
    alias,
    metafile: true,
    logLevel: "warning",
  });
  const outputs = Object.entries(result.metafile.outputs).map(([path, { bytes, entryPoint }]) => ({
    path: relative(outdir, join(here, path)), bytes, entryPoint,
  }));
  return { outputs, written: (entry) => outputs.find((output) => output.entryPoint === entry)?.path };
}

/**
 * @param {{ outdir: string, alias?: Record<string, string> }} options where to write, and what `sluicegate` stands for: the
 *   path of the built package's web entry.
 * @returns {Promise<{ files: { path: string, bytes: number }[] }>} what was written by the bundler.
 */
export async function buildPage({ outdir, alias = {} }) {
  await mkdir(outdir, { recursive: true });
  const { outputs, written } = await bundle({ entries: { main: "main.ts", style: "style.css" }, outdir, alias });
  const math = (await build({
    stdin: { contents: await mathStyle(), loader: "css" }, minify: true, write: false, logLevel: "warning",
  })).outputFiles[0].text;
  const page = (await readFile(join(here, "index.html"), "utf8"))
    .replace('src="main.js"', `src="${written("main.ts")}"`)
    .replace('href="style.css"', `href="${written("style.css")}"`);
  await writeFile(join(outdir, "index.html"), page);
  await writeFile(join(outdir, "math.css"), math);
  await cp(join(here, "icon.svg"), join(outdir, "icon.svg"));
  await copyWasm(alias, outdir);
  await copyNames(alias, outdir);
  const admin = await buildAdmin({ outdir });
  return { files: [...outputs.map(({ path, bytes }) => ({ path, bytes })), ...admin.files] };
}

/**
 * The admin page, in a run of its own so that it shares no chunk with the demo page. Only `admin/` itself is a page: all else below it is the
 * API, so its files lie beside it and not in it.
 */
export async function buildAdmin({ outdir }) {
  const { outputs, written } = await bundle({ entries: { admin: "admin/main.ts", "admin-style": "admin/style.css" }, outdir, chunks: "admin-[name]-[hash]" });
  const page = (await readFile(join(here, "admin/index.html"), "utf8"))
    .replace('src="main.js"', `src="../${written("admin/main.ts")}"`)
    .replace('href="style.css"', `href="../${written("admin/style.css")}"`);
  await mkdir(join(outdir, "admin"), { recursive: true });
  await writeFile(join(outdir, "admin/index.html"), page);
  await cp(join(here, "icon.svg"), join(outdir, "icon.svg"));
  return { files: outputs.map(({ path, bytes }) => ({ path, bytes })) };
}
