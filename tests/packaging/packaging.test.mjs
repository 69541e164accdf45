// The tarball that users install, in tiny projects of every kind, each of which streams an answer from the scripted upstream.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { openPage, startChromium } from "../browser/chromium.mjs";
import { serve } from "../browser/serve.mjs";
import { expectedAnswer, startUpstream } from "../upstream/index.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const PAGE = '<!doctype html><meta charset="utf-8"><title>app</title><script type="module" src="/main.js"></script>';

await installBundlers();
const folder = await mkdtemp(join(tmpdir(), "sluicegate-packaging-"));
after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
const tarball = await pack();
const upstream = await startUpstream();
after(() => upstream.close());
const { context, close } = await startChromium();
after(close);

test("the tarball holds what the manifest lists, and nothing of the place where it was built", async () => {
  const content = join(folder, "content");
  await mkdir(content);
  await run("tar", ["-xzf", tarball, "-C", content]);
  const files = (await readdir(content, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const names = files.map((entry) => join(entry.parentPath, entry.name).slice(content.length + "/package/".length));
  const plain = names.map((name) => name.replace(/core-[A-Z0-9]{8}\.js$/, "core-HASH.js")).sort();
  const manifest = (await readFile(join(here, "manifest.txt"), "utf8")).trim().split("\n");
  assert.deepEqual(plain, manifest);
  for (const name of names) {
    const text = (await readFile(join(content, "package", name))).toString("latin1");
    for (const trace of [root, process.env.HOME ?? "/root", "/.cargo/", "/rustc/", "/rust/deps", "/registry/src/", "sourceMappingURL"]) {
      if (name === "package.json" || trace.length < 4) continue;
      assert.ok(!text.includes(trace), `${name} holds ${JSON.stringify(trace)}: …${text.slice(text.indexOf(trace) - 20, text.indexOf(trace) + 60)}…`);
    }
    if (name.endsWith(".wasm")) assert.doesNotMatch(text, /\w\.rs(?!\w)/, "the wasm names Rust sources");
  }
});

test("publint finds nothing to complain of", async () => {
  const { publint } = await import("publint");
  const { messages } = await publint({ pkgDir: join(folder, "content/package"), strict: true });
  assert.deepEqual(messages, []);
});

test("the types stand by themselves, for every way in which TypeScript resolves packages", async () => {
  const project = await makeProject("types");
  await writeFile(
    join(project, "app.ts"),
    'import { createGate, type Delta } from "sluicegate";\nimport { createGate as slim, type WasmSource } from "sluicegate/slim";\nimport { sseStream } from "sluicegate/sse";\n' +
      'import { createRedactor, type RedactPolicy } from "sluicegate/redact";\nimport { createRedactor as slimRedactor } from "sluicegate/redact/slim";\n' +
      'import { isLocalBackend, type LocalBackend } from "sluicegate/local";\nimport { promptApi } from "sluicegate/local/prompt-api";\nimport { transformers } from "sluicegate/local/transformers";\n' +
      'import { webLlm } from "sluicegate/local/web-llm";\nimport { wllama } from "sluicegate/local/wllama";\n' +
      'import { createTokens, type TokenSource } from "sluicegate/token";\nimport { type GateSocket, openSocket } from "sluicegate/socket";\n' +
      "export const tokens: TokenSource = createTokens({ endpoint: '/api/token' });\nexport const socket: Promise<GateSocket> = openSocket({ url: '/v1/stream', token: tokens });\n" +
      "export const local: LocalBackend[] = [promptApi()];\nexport const made = [transformers, webLlm, wllama, isLocalBackend];\n" +
      "export const redact = async (policy: RedactPolicy, wasm: WasmSource) => [await createRedactor(policy), await slimRedactor({ wasm })];\n" +
      "export const open = async (wasm: WasmSource) => [await createGate({ baseUrl: '/v1' }), await slim({ wasm, baseUrl: '/v1' }), sseStream()];\nexport type D = Delta;\n",
  );
  // Once with the package's own files checked too: an import of what is not packed would otherwise pass as `any`.
  for (const [module, moduleResolution, skipLibCheck] of [["nodenext", "nodenext", false], ["esnext", "bundler", true]]) {
    const lib = ["es2023", "dom", "dom.iterable", "dom.asynciterable"];
    const compilerOptions = { noEmit: true, strict: true, skipLibCheck, types: [], target: "es2022", lib, module, moduleResolution };
    await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["app.ts"] }));
    await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "."], { cwd: project });
  }
});

test("the entries of local models, tokens and sockets ship themselves, without the core; an app without a local model ships none", async () => {
  const project = await makeProject("local");
  const { build } = await import("esbuild");
  const bundle = async (code) => {
    const stdin = { contents: code, resolveDir: project };
    const { outputFiles } = await build({ stdin, bundle: true, minify: true, write: false, format: "esm", target: "es2022", platform: "browser", logLevel: "error" });
    return outputFiles[0].text;
  };
  for (const entry of ["local", "local/prompt-api", "local/transformers", "local/web-llm", "local/wllama"]) {
    const text = await bundle(`export * from "sluicegate/${entry}";`);
    assert.ok(!text.includes(".wasm\"") && !text.includes("WebAssembly.instantiate"), `${entry} brings the core along`);
    const size = gzipSync(text, { level: 9 }).length;
    assert.ok(size < 7_000, `${entry}: ${size} bytes gzipped`);
  }
  for (const [entry, most] of [["token", 4_500], ["socket", 10_500]]) {
    const text = await bundle(`export * from "sluicegate/${entry}";`);
    assert.ok(!text.includes("WebAssembly"), `${entry} brings the core along`);
    const size = gzipSync(text, { level: 9 }).length;
    assert.ok(size < most, `${entry}: ${size} bytes gzipped`);
  }
  const gate = await bundle('export * from "sluicegate";');
  assert.ok(!gate.includes("InterruptableStoppingCriteria") && !gate.includes("The local model"), "the main entry ships local models");
});

test("redaction is a file of its own, which an app loads when it redacts", async () => {
  const project = await makeProject("lazy");
  const { build } = await import("esbuild");
  const stdin = { contents: 'export * from "sluicegate";', resolveDir: project };
  const options = { bundle: true, splitting: true, minify: true, write: false, metafile: true, outdir: join(project, "out"), format: "esm", target: "es2022", logLevel: "error" };
  const { metafile, outputFiles } = await build({ ...options, stdin });
  const outputs = Object.entries(metafile.outputs);
  const atOnce = new Set();
  const follow = ([path, { imports }]) => {
    atOnce.add(path);
    for (const { path: to, kind } of imports) if (kind === "import-statement" && !atOnce.has(to)) follow(outputs.find(([name]) => name === to));
  };
  follow(outputs.find(([, { entryPoint }]) => entryPoint?.includes("stdin")));
  const texts = (wanted) => outputFiles.filter(({ path }) => wanted([...atOnce].some((name) => path.endsWith(name)))).map(({ text }) => text).join("");
  assert.ok(texts((isAtOnce) => !isAtOnce).includes("redact.wasm"), "redaction is not loaded lazily");
  assert.ok(!texts((isAtOnce) => isAtOnce).includes("redact.wasm"), "the app ships redaction at once");
});

test("Node: an ES module, as it is", async () => {
  const project = await makeProject("node");
  const { text, events, ...redaction } = JSON.parse(await run(process.execPath, ["main.mjs", upstream.url], { cwd: project }));
  checkRedaction(redaction);
  assert.equal(text, expected("Hello from Node"));
  assert.deepEqual(events, ["1"]);
});

test("Node: CommonJS, by import()", async () => {
  const project = join(folder, "node");
  const { text, isClass } = JSON.parse(await run(process.execPath, ["main.cjs", upstream.url], { cwd: project }));
  assert.deepEqual([text, isClass], [expected("Hello from CommonJS"), true]);
});

test("esbuild: the slim entry with one loader flag, as a classic script", async () => {
  const project = await makeProject("slim", "esbuild-slim");
  await esbuild({ project, format: "iife", loader: { ".wasm": "file" }, assetNames: "[name]-[hash]", publicPath: "/" });
  await checkPage(join(project, "out"));
});

test("esbuild: the default entry as an ES module, with the wasm copied beside it", async () => {
  const project = await makeProject("web", "esbuild-default");
  await esbuild({ project, format: "esm" });
  // esbuild leaves `new URL("./sluicegate.wasm", import.meta.url)` as it is, so the files have to stand there.
  for (const name of ["sluicegate.wasm", "redact.wasm"]) await cp(join(project, "node_modules/sluicegate/dist/npm", name), join(project, "out", name));
  await checkPage(join(project, "out"));
});

test("Vite: the default entry, built", async () => {
  const project = await makeProject("web", "vite");
  const { build } = await import("vite");
  await build({ root: project, configFile: false, logLevel: "error", build: { outDir: "out", target: "es2022" } });
  await checkPage(join(project, "out"));
});

test("Vite: the default entry on the development server", async () => {
  const project = await makeProject("web", "vite-dev");
  const { createServer } = await import("vite");
  const server = await createServer({
    root: project,
    configFile: false,
    logLevel: "error",
    server: { host: "127.0.0.1", port: 0, proxy: { "/v1": upstream.url.replace(/\/v1$/, "") } },
  });
  await server.listen();
  try {
    await checkAnswer(`http://127.0.0.1:${server.httpServer.address().port}/`);
  } finally {
    await server.close();
  }
});

test("webpack: the default entry", async () => {
  const project = await makeProject("web", "webpack");
  const { default: webpack } = await import("webpack");
  const stats = await new Promise((resolve, reject) => {
    const options = { mode: "production", context: project, entry: "./main.js", performance: { hints: false }, output: { path: join(project, "out"), filename: "main.js" } };
    webpack(options, (error, result) => (error ? reject(error) : resolve(result)));
  });
  assert.ok(!stats.hasErrors() && !stats.hasWarnings(), stats.toString("errors-warnings"));
  await writeFile(join(project, "out/index.html"), PAGE);
  await checkPage(join(project, "out"));
});

test("workerd: bundled by wrangler", async () => {
  const project = await makeProject("workerd");
  await writeFile(join(project, "wrangler.jsonc"), JSON.stringify({ name: "app", main: "worker.js", compatibility_date: "2026-04-01" }));
  const wrangler = createRequire(join(root, "package.json")).resolve("wrangler/bin/wrangler.js");
  await run(process.execPath, [wrangler, "deploy", "--dry-run", "--outdir", "out"], { cwd: project, env: { WRANGLER_SEND_METRICS: "false", CI: "1" } });
  const out = join(project, "out");
  const wasms = await onlyWasm(out);
  const modules = await Promise.all(wasms.map(async (path) => ({ type: "CompiledWasm", path, contents: await readFile(join(out, path)) })));
  const { Miniflare } = await import("miniflare");
  const worker = new Miniflare({
    compatibilityDate: "2026-04-01",
    modules: [
      { type: "ESModule", path: "worker.js", contents: await readFile(join(out, "worker.js"), "utf8") },
      ...modules,
    ],
    bindings: { UPSTREAM: upstream.url },
  });
  try {
    const { text } = await (await worker.dispatchFetch("http://app.test/")).json();
    assert.equal(text, expected("Hello from workerd"));
    const { types, usage } = await (await worker.dispatchFetch("http://app.test/stream")).json();
    assert.deepEqual([types, usage.calls, usage.failures], [["message"], 1, 0]);
    checkRedaction(await (await worker.dispatchFetch("http://app.test/redact")).json());
  } finally {
    await worker.dispose();
  }
});

/** The bundlers of package.json, once for each lock file. */
async function installBundlers() {
  const wanted = createHash("sha256").update(await readFile(join(here, "package-lock.json"))).digest("hex");
  const stamp = join(here, "node_modules/.sluicegate-lock");
  if ((await readFile(stamp, "utf8").catch(() => "")) === wanted) return;
  await run("npm", ["ci", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"], { cwd: here });
  await writeFile(stamp, wanted);
}

async function pack() {
  const [{ filename }] = JSON.parse(await run("npm", ["pack", "--json", "--loglevel=error", "--ignore-scripts", "--pack-destination", folder], { cwd: root }));
  return join(folder, filename);
}

/** A project with the files of an app, in which nothing but the tarball is installed. */
async function makeProject(app, name = app) {
  const project = join(folder, name);
  await mkdir(project);
  if (existsSync(join(here, "apps", app))) await cp(join(here, "apps", app), project, { recursive: true });
  await writeFile(join(project, "package.json"), JSON.stringify({ name, private: true, type: "module" }));
  await writeFile(join(project, "index.html"), PAGE);
  await run("npm", ["install", "--offline", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error", tarball], { cwd: project });
  return project;
}

async function esbuild({ project, ...options }) {
  const { build } = await import("esbuild");
  await build({ absWorkingDir: project, entryPoints: ["main.js"], bundle: true, minify: true, target: "es2022", outdir: "out", logLevel: "error", ...options });
  await cp(join(project, "index.html"), join(project, "out/index.html"));
}

async function checkPage(out) {
  await onlyWasm(out);
  const server = await serve(out, upstream.url);
  try {
    await checkAnswer(server.url);
  } finally {
    await server.close();
  }
}

async function checkAnswer(url) {
  const { page, errors } = await openPage(context, url);
  try {
    await page.waitForFunction(() => globalThis.answer !== undefined, undefined, { timeout: 15_000 }).catch(() => {});
    assert.equal(await page.evaluate(() => globalThis.answer), expected("Hello from a page"), errors.join("\n"));
    const { before, after: loaded, ...redaction } = await page.evaluate(() => globalThis.redaction);
    assert.deepEqual([before, loaded], [1, 2], "redaction is loaded when it is asked for, and once");
    checkRedaction(redaction);
  } finally {
    await page.close();
  }
}

function checkRedaction({ masked, restored }) {
  assert.equal(restored, "13912345678");
  assert.match(masked, /^⟦.+⟧$/);
}

/** That of the core and that of redaction, once each. */
async function onlyWasm(out) {
  const found = (await readdir(out, { recursive: true })).filter((name) => name.endsWith(".wasm"));
  assert.equal(found.length, 2, `there are ${found.length} .wasm files: ${found.join(", ")}`);
  return found;
}

function expected(content) {
  return expectedAnswer({ model: "scripted-r1", messages: [{ role: "user", content }] }).text;
}

function run(program, args, { cwd, env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let all = "";
    child.stdout.on("data", (text) => ((out += text), (all += text)));
    child.stderr.on("data", (text) => (all += text));
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(out) : reject(new Error(`${args[0]} ended with ${code}\n${all.slice(-4000)}`))));
  });
}
