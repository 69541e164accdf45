/** Bytes, raw and gzipped: what our builds hold, and what an app pays that imports only what it uses. */
import { mkdirSync, readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { appFolder, BENCH, filesBelow, OUTPUT, packageFolder, ROOT, shown, workerFolder } from "./builds.mjs";
import { OUR_NAME } from "./ours.mjs";
import { kilobytes, ratio, table } from "./table.mjs";

/** What runs; types, maps and manifests are not downloaded by anybody's users. */
const SHIPPED = new Set([".js", ".mjs", ".wasm"]);

/** The same little app each time: ask, stream, show. */
const APPS = [
  {
    name: "openai",
    source: `import OpenAI from "openai";
const client = new OpenAI({ baseURL: "/v1", apiKey: "none", dangerouslyAllowBrowser: true });
for await (const chunk of await client.chat.completions.create({ model: "m", stream: true, messages: [{ role: "user", content: "hi" }] }))
  document.body.append(chunk.choices[0]?.delta?.content ?? "");`,
  },
  {
    name: "ai + @ai-sdk/openai-compatible",
    source: `import { streamText } from "ai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
const model = createOpenAICompatible({ name: "gate", baseURL: "/v1" })("m");
for await (const text of streamText({ model, prompt: "hi" }).textStream) document.body.append(text);`,
  },
  {
    name: "eventsource-parser, by hand",
    source: `import { createParser } from "eventsource-parser";
const body = JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "hi" }] });
const response = await fetch("/v1/chat/completions", { method: "POST", headers: { "content-type": "application/json" }, body });
const parser = createParser({ onEvent: ({ data }) => data === "[DONE]" || document.body.append(JSON.parse(data).choices[0]?.delta?.content ?? "") });
const decoder = new TextDecoder();
for await (const bytes of response.body) parser.feed(decoder.decode(bytes, { stream: true }));`,
  },
];

const OUR_APPS = [
  {
    name: OUR_NAME,
    source: `import { createGate } from "sluicegate";
const gate = await createGate({ baseUrl: "/v1" });
for await (const delta of gate.stream({ model: "m", messages: [{ role: "user", content: "hi" }] }))
  if (delta.type === "text") document.body.append(delta.text);`,
    wasm: ["sluicegate.wasm"],
  },
  {
    name: `${OUR_NAME}, redacting`,
    source: `import { createGate } from "sluicegate";
const gate = await createGate({ baseUrl: "/v1", redact: true });
for await (const delta of gate.stream({ model: "m", messages: [{ role: "user", content: "hi" }] }))
  if (delta.type === "text") document.body.append(delta.text);`,
    wasm: ["sluicegate.wasm", "redact.wasm"],
    lazy: true,
  },
];

export async function run({ progress }) {
  const apps = [];
  const app = appFolder();
  if (app) for (const each of OUR_APPS) apps.push(await bundled(each, app, wasmFiles(each.wasm), progress));
  for (const each of APPS) apps.push(await bundled(each, BENCH, [], progress));
  const folders = {
    "dist/npm": packageFolder() && measured(join(ROOT, "dist/npm")),
    "worker/build": workerFolder() && measured(workerFolder()),
  };
  return { apps, folders, gateways: { "@portkey-ai/gateway, bundled": await portkey() } };
}

/** The other gateway in one file with all that it imports, as it would be deployed. */
async function portkey() {
  const { build } = await import("esbuild");
  const entry = join(BENCH, "node_modules/@portkey-ai/gateway/build/start-server.js");
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, minify: true, platform: "node", format: "esm", write: false, logLevel: "error" });
  return sizes(outputFiles[0].contents);
}

const wasmFiles = (names) => filesBelow(join(ROOT, "dist/npm")).filter((path) => names.includes(basename(path)));

const sizes = (content) => ({ raw: content.length, gzip: gzipSync(content, { level: 9 }).length });
const sum = (list) => list.reduce((total, { raw, gzip }) => ({ raw: total.raw + raw, gzip: total.gzip + gzip }), { raw: 0, gzip: 0 });

/**
 * Bundles one app as its author would for the browser. Where the bundler leaves the wasm to the page (`new URL(…, import.meta.url)`),
 * the package's own file counts. What the app loads only when it needs it counts where it is `lazy`: where it does.
 */
async function bundled({ name, source, lazy = false }, resolveDir, wasm, progress) {
  progress(`bundling an app with ${name}`);
  const { build } = await import("esbuild");
  const outdir = join(OUTPUT, "size", name.replaceAll(/[^a-z]+/g, "-"));
  mkdirSync(outdir, { recursive: true });
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir, sourcefile: "app.js" },
    bundle: true, splitting: true, metafile: true, minify: true, format: "esm", platform: "browser", target: "es2022", write: false, outdir, logLevel: "error",
    define: { "process.env.NODE_ENV": '"production"' },
    loader: { ".wasm": "file" },
  });
  const wanted = lazy ? Object.keys(metafile.outputs) : atOnce(metafile.outputs);
  const isWanted = ({ path }) => extname(path) !== ".wasm" && wanted.some((own) => path.endsWith(own.slice(own.lastIndexOf("/"))));
  const code = sum(outputFiles.filter(isWanted).map(({ contents }) => sizes(contents)));
  const emitted = outputFiles.filter(({ path }) => extname(path) === ".wasm").map(({ contents }) => sizes(contents));
  const data = sum(emitted.length > 0 ? emitted : wasm.map((path) => sizes(readFileSync(path))));
  return { name, code, wasm: data, total: sum([code, data]) };
}

/** The outputs that the app's entry imports, itself or by others, without what it imports later. */
function atOnce(outputs) {
  const found = [Object.keys(outputs).find((path) => outputs[path].entryPoint?.includes("app.js"))];
  for (const path of found) {
    for (const { path: to, kind } of outputs[path].imports) if (kind === "import-statement" && outputs[to] && !found.includes(to)) found.push(to);
  }
  return found;
}

function measured(folder) {
  const files = filesBelow(folder)
    .filter((path) => SHIPPED.has(extname(path)))
    .map((path) => ({ path: shown(path), ...sizes(readFileSync(path)) }));
  return { files, total: sum(files) };
}

export function report({ apps, folders, gateways }) {
  const base = apps[0].total.gzip;
  const lines = [
    "An app for the browser that streams one answer, bundled and minified by esbuild; gzip at level 9.",
    ...(folders["dist/npm"] ? [] : ["**sluicegate: not built** (`npm run build`); the others only."]),
    table(
      ["app with", "JS", "JS gzip", "wasm", "wasm gzip", "both gzip", "ratio"],
      apps.map(({ name, code, wasm, total }) => [
        name, ...[code.raw, code.gzip, wasm.raw || undefined, wasm.gzip || undefined, total.gzip].map(kilobytes), ratio(total.gzip, base),
      ]),
    ),
  ];
  for (const [name, folder] of Object.entries(folders)) {
    if (!folder) {
      lines.push(`\`${name}\`: not built.`);
      continue;
    }
    const rows = [...folder.files].sort((a, b) => b.gzip - a.gzip).map(({ path, raw, gzip }) => [path, kilobytes(raw), kilobytes(gzip)]);
    lines.push(table([`\`${name}\`, what runs`, "raw", "gzip"], [...rows, ["all", kilobytes(folder.total.raw), kilobytes(folder.total.gzip)]]));
  }
  const ours = folders["worker/build"] ? [["worker/build, all", folders["worker/build"].total]] : [];
  lines.push(table(["gateway", "raw", "gzip"], [...ours, ...Object.entries(gateways)].map(([name, { raw, gzip }]) => [name, kilobytes(raw), kilobytes(gzip)])));
  return lines.join("\n\n");
}
