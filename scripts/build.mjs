// Builds everything that is shipped: the npm package (dist/npm), the Worker (worker/build) and the page (build/www).
//   node scripts/build.mjs [package] [worker] [page]
import { cp, mkdir, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { fingerprint, isMain, root, run, runMain, say } from "./lib.mjs";
import { setup } from "./setup.mjs";

// What every engine that the README names has had since 2021, in rustc's and in wasm-opt's words; memchr uses the vectors.
const WASM_FEATURES = {
  simd128: "simd",
  "bulk-memory": "bulk-memory",
  "sign-ext": "sign-ext",
  "nontrapping-fptoint": "nontrapping-float-to-int",
  "mutable-globals": "mutable-globals",
  "reference-types": "reference-types",
  multivalue: "multivalue",
};
const RUSTFLAGS = Object.keys(WASM_FEATURES)
  .map((feature) => `-Ctarget-feature=+${feature}`)
  .join(" ");
const WASM_OPT_FEATURES = Object.values(WASM_FEATURES).map((feature) => `--enable-${feature}`);

// Passes that lengthen the code of loops, and did not make them measurably faster: 0.9 KB gzipped.
const SMALLER = ["-disable-lsr", "-enable-load-pre=false"];
// Control flow is shorter once it was made flat and built anew, and shorter again the second time: 0.7 KB.
const REBUILT = ["--flatten", "--rereloop", "-Oz"];

/** What each part is made from; nothing is built again while that is the same. */
const SOURCES = {
  package: ["Cargo.toml", "Cargo.lock", "build.rs", "models/ner/names.bin", "package-lock.json", "tsconfig.json", "scripts/build.mjs", "src"],
  page: ["Cargo.toml", "Cargo.lock", "build.rs", "package-lock.json", "tsconfig.json", "scripts/build.mjs", "src", "www", "tests/upstream"],
  worker: ["Cargo.toml", "Cargo.lock", "build.rs", "scripts/build.mjs", "src", "worker"],
};

/** Builds what is named and not built yet. */
export async function build({ toolchain, tools }, parts = ["package", "worker", "page"]) {
  if (parts.includes("page") && !parts.includes("package")) parts = ["package", ...parts];
  for (const part of parts) {
    const stamp = join(root, "build", `${part}.stamp`);
    const wanted = await fingerprint(SOURCES[part]);
    if ((await readFile(stamp, "utf8").catch(() => "")) === wanted) continue;
    await rm(stamp, { force: true });
    await { package: buildPackage, page: buildPage, worker: buildWorker }[part](toolchain, tools);
    await mkdir(join(root, "build"), { recursive: true });
    await writeFile(stamp, wanted);
  }
}

/** The package's two wasm files: the core without redaction, and redaction, which is loaded when it is asked for. */
const WASMS = {
  sluicegate: { crate: "sluicegate-js", profile: "release", llvm: SMALLER, passes: ["-Oz", ...REBUILT, ...REBUILT] },
  redact: { crate: "sluicegate-redact-js", profile: "redact", llvm: [], passes: ["-O3"] },
};

async function buildPackage({ cargo, env }, tools) {
  const dist = join(root, "dist/npm");
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  const out = join(root, "build/wasm");
  await rm(out, { recursive: true, force: true });
  for (const name of Object.keys(WASMS)) await buildWasm({ cargo, env }, tools, name, out, dist);
  // The weights of the search for names, which a redactor loads when it is told to.
  await cp(join(root, "models/ner/names.bin"), join(dist, "names.bin"));

  say("package: TypeScript");
  await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", root]);
  await cp(join(root, "dist/types/src/npm"), join(dist, "types"), { recursive: true });
  await rm(join(root, "dist/types"), { recursive: true, force: true });
  const { build: bundle } = await import("esbuild");
  const entries = (await readdir(join(root, "src/npm/entry"))).filter((name) => name.endsWith(".ts"));
  await bundle({
    entryPoints: entries.map((name) => join(root, "src/npm/entry", name)),
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    // Neutral: each entry says itself what its platform is.
    platform: "neutral",
    external: ["node:*", "./sluicegate.wasm", "./redact.wasm"],
    outdir: dist,
    minify: true,
    chunkNames: "core-[hash]",
    legalComments: "none",
    logLevel: "warning",
  });
  await reportSizes(dist);
}

async function buildWasm({ cargo, env }, tools, name, out, dist) {
  const { crate, profile, llvm, passes } = WASMS[name];
  say(`package: Rust to ${name}.wasm`);
  const targetDir = join(root, "target/wasm");
  const target = ["--profile", profile, "--locked", "--package", crate, "--target", "wasm32-unknown-unknown"];
  await run(cargo, ["rustc", ...target, "--", ...llvm.map((option) => `-Cllvm-args=${option}`)], {
    env: { ...env, RUSTFLAGS, CARGO_TARGET_DIR: targetDir },
  });
  await run(tools.wasmBindgen, [
    join(targetDir, "wasm32-unknown-unknown", profile, `${crate.replaceAll("-", "_")}.wasm`),
    ...["--target", "web", "--omit-default-module-path", "--out-dir", out, "--out-name", name],
    ...["--remove-name-section", "--remove-producers-section"],
  ]);

  say("package: wasm-opt");
  const wasm = join(dist, `${name}.wasm`);
  const optimize = [
    tools.wasmOpt,
    // Rust puts the stack first: nothing lies at the lowest addresses.
    ...["--low-memory-unused", ...passes, ...WASM_OPT_FEATURES, "--strip-debug", "--strip-producers", "--strip-target-features"],
    ...["--minify-imports-and-exports-and-modules", join(out, `${name}_bg.wasm`), "-o", wasm],
  ];
  const report = await run(process.execPath, optimize, { quiet: true });
  await shortenNames(join(out, `${name}.js`), wasm, report);
  await blankPaths(wasm);
}

/**
 * Gives the glue the short names that wasm-opt has given to what the wasm imports and exports. Those of wasm-bindgen hold hashes, which do
 * not compress: together they are 4 KB gzipped. The memory keeps its name, by which others than the glue know it.
 */
async function shortenNames(glue, wasm, report) {
  const { imports, exports } = JSON.parse(report.slice(report.indexOf("{"), report.lastIndexOf("}") + 1));
  const short = new Map();
  for (const [module, name, to] of imports) short.set(`"${module}": import0`, "a: import0").set(`        ${name}: `, `        ${to}: `);
  for (const [name, to] of exports) {
    if (name === "memory") await writeFile(wasm, renameMemory(await readFile(wasm), to, name));
    else short.set(`wasm.${name}`, `wasm.${to}`);
  }
  const names = /"\.\/\w+\.js": import0|^ {8}\w+: (?=function\()|\bwasm\.\w+/gm;
  await writeFile(glue, (await readFile(glue, "utf8")).replace(names, (found) => short.get(found) ?? found));
}

/** Renames the exported memory in a wasm. */
function renameMemory(wasm, from, to) {
  const EXPORTS = 7;
  const entry = (name) => Buffer.from([name.length, ...Buffer.from(name), 2]);
  for (let at = 8; at < wasm.length; ) {
    const section = at++;
    let size = 0;
    for (let shift = 0, more = true; more; shift += 7) {
      more = wasm[at] > 127;
      size += (wasm[at++] & 127) << shift;
    }
    const body = wasm.subarray(at, at + size);
    const found = body.indexOf(entry(from));
    if (wasm[section] === EXPORTS && found >= 0) {
      const renamed = Buffer.concat([body.subarray(0, found), entry(to), body.subarray(found + entry(from).length)]);
      // A section's size: seven bits a byte, the lowest first.
      const length = [(renamed.length & 127) | 128, renamed.length >> 7];
      return Buffer.concat([wasm.subarray(0, section + 1), Buffer.from(length), renamed, wasm.subarray(at + size)]);
    }
    at += size;
  }
  throw new Error("The wasm does not export its memory.");
}

/**
 * Blanks the paths of sources in the wasm, by which panics would say where they happened: a panic traps without showing them, and they
 * name folders of the machine that builds.
 */
async function blankPaths(path) {
  const crates = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry/src/");
  const places = ["/rustc/[0-9a-f]{40}/library/", "/rust/deps/", crates.replace(/[^\w/]/g, "\\$&"), "src/(?:js/src|redact-js/src|reply|request|exchange|sse|redact|json)/"];
  const paths = new RegExp(`(?:${places.join("|")})[ -~]{1,200}?\\.rs`, "g");
  const text = (await readFile(path)).toString("latin1");
  await writeFile(path, Buffer.from(text.replace(paths, (found) => " ".repeat(found.length)), "latin1"));
}

async function reportSizes(folder) {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (!(await stat(path)).isFile()) continue;
    const bytes = await readFile(path);
    say(`  ${name.padEnd(24)} ${kb(bytes.length)} raw, ${kb(gzipSync(bytes, { level: 9 }).length)} gzip`);
  }
}

function kb(bytes) {
  return `${(bytes / 1000).toFixed(1)} KB`;
}

async function buildPage() {
  say("page");
  const { buildPage: bundlePage } = await import("../www/build.mjs");
  const outdir = join(root, "build/www");
  await rm(outdir, { recursive: true, force: true });
  const dist = join(root, "dist/npm");
  await bundlePage({ outdir, alias: { sluicegate: join(dist, "web.js"), "sluicegate/local/prompt-api": join(dist, "local-prompt-api.js") } });
  await cp(join(dist, "sluicegate.wasm"), join(outdir, "sluicegate.wasm"));
  // What the page's fault panel offers; it asks for the list only where the upstream is scripted.
  const { FAULTS, SCHEDULES } = await import("../tests/upstream/faults.mjs");
  await writeFile(join(outdir, "faults.json"), JSON.stringify({ faults: FAULTS, schedules: SCHEDULES }));
}

async function buildWorker({ cargo, env }, tools) {
  say("Worker: worker-build");
  void cargo;
  await run(tools.workerBuild, ["--release"], {
    cwd: join(root, "worker"),
    env: {
      ...env,
      RUSTFLAGS,
      // Nobody downloads the Worker: at "s" a call costs a tenth less CPU than at the package's "z", for 6 KB more gzipped.
      CARGO_PROFILE_RELEASE_OPT_LEVEL: "s",
      WASM_BINDGEN_BIN: tools.wasmBindgen,
      WASM_OPT_BIN: tools.wasmOpt,
      ESBUILD_BIN: tools.esbuild,
    },
  });

  say("Worker: wasm-opt");
  const out = join(root, "worker/build");
  const wasm = join(out, "index_bg.wasm");
  // worker-build wraps its imports in exception handlers, and leaves the names in: 23 KB gzipped.
  const strip = ["--enable-exception-handling", "--strip-debug", "--strip-producers", "--strip-target-features"];
  await run(process.execPath, [tools.wasmOpt, "-O3", ...WASM_OPT_FEATURES, ...strip, wasm, "-o", wasm]);
  await blankPaths(wasm);

  say("Worker: entry");
  await rename(join(out, "index.js"), join(out, "shim.js"));
  const { build: bundle } = await import("esbuild");
  await bundle({
    stdin: { contents: await readFile(join(root, "worker/src/entry.js"), "utf8"), resolveDir: out },
    bundle: true,
    format: "esm",
    target: "es2022",
    external: ["cloudflare:*", "./index_bg.wasm"],
    outfile: join(out, "index.js"),
    minify: true,
    legalComments: "none",
    logLevel: "warning",
  });
  await rm(join(out, "shim.js"));
  // An alias with the old name, of which nothing here knows.
  await rm(join(out, "worker"), { recursive: true, force: true });
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    const parts = process.argv.slice(2);
    await build(await setup(), parts.length ? parts : undefined);
    say("built");
  });
}

