// Runs every suite, in the order in which a failure says most:
//   node scripts/test.mjs [native] [package] [worker] [clients] [browser] [packaging]
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { build } from "./build.mjs";
import { ask, root, run, runMain, say, stop, waitFor } from "./lib.mjs";
import { setup } from "./setup.mjs";

const PLATFORM_CRATES = /\b(js-sys|web-sys|wasm-bindgen|worker|gloo-\w+|tokio|getrandom|rand|reqwest|hyper|chrono|time) v/;

const SUITES = {
  async native() {
    await run("cargo", ["fmt", "--all", "--check"]);
    await run("cargo", ["clippy", "--locked", "--package", "sluicegate", "--all-targets", "--", "-D", "warnings"]);
    checkDirection();
    await run("cargo", ["test", "--locked", "--package", "sluicegate"]);
  },
  async package({ tools }) {
    await nodeTests("npm", tools);
  },
  async worker({ tools }) {
    await nodeTests("upstream", tools);
    await nodeTests("worker", tools);
  },
  async clients({ tools }) {
    await nodeTests("clients", tools);
  },
  async browser({ tools }) {
    const page = await startDemo();
    try {
      await nodeTests("browser", tools, { PAGE_URL: page.url });
    } finally {
      await stop(page.child);
    }
  },
  async packaging({ tools }) {
    await nodeTests("packaging", tools);
  },
};

await runMain(async () => {
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !(name in SUITES));
  if (unknown.length) throw new Error(`No suite is called ${unknown.join(", ")}. There are: ${Object.keys(SUITES).join(", ")}.`);
  const names = wanted.length ? wanted : Object.keys(SUITES);
  const ready = await setup({ tests: true });
  if (names.some((name) => name !== "native")) {
    await build(ready);
    await checkImports();
  }
  for (const name of names) {
    say(`suite: ${name}`);
    await SUITES[name](ready);
  }
  say("all suites passed");
});

/** The core points at nothing of ours and at no platform; the two shells do not point at each other. */
function checkDirection() {
  const tree = (name) => {
    const listed = ask("cargo", ["tree", "--locked", "--package", name, "--edges", "normal", "--prefix", "none"]);
    if (listed === undefined) throw new Error(`cargo tree of ${name} failed.`);
    return listed;
  };
  const platform = tree("sluicegate").split("\n").filter((line) => PLATFORM_CRATES.test(line));
  if (platform.length) throw new Error(`The core depends on platform crates: ${platform.join(", ")}.`);
  if (/sluicegate-js v/.test(tree("sluicegate-edge"))) throw new Error("The Worker depends on the npm package's bindings.");
  if (/sluicegate-edge v/.test(tree("sluicegate-js"))) throw new Error("The npm package's bindings depend on the Worker.");
  say("direction of dependencies: holds");
}

/** The built wasm asks its host for nothing but the functions of its own glue. */
async function checkImports() {
  for (const path of ["dist/npm/sluicegate.wasm", ...(await workerWasm())]) {
    const module = new WebAssembly.Module(await readFile(join(root, path)));
    const modules = new Set(WebAssembly.Module.imports(module).map((entry) => entry.module));
    if (modules.has("env")) throw new Error(`${path} imports from "env": some code expects a C library there.`);
  }
}

async function workerWasm() {
  const folder = "worker/build";
  const names = await readdir(join(root, folder)).catch(() => []);
  return names.filter((name) => name.endsWith(".wasm")).map((name) => join(folder, name));
}

/** `npm start` as a person runs it, on a free port. */
async function startDemo() {
  const port = await freePort();
  const url = `http://localhost:${port}/`;
  const child = spawn(process.execPath, [join(root, "scripts/start.mjs"), "--port", String(port)], { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  await waitFor(`${url}healthz`, { alive: () => child.exitCode === null });
  return { url, child };
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function nodeTests(folder, tools, env = {}) {
  const path = join(root, "tests", folder);
  if (!existsSync(path)) throw new Error(`tests/${folder} is missing.`);
  const files = (await readdir(path)).filter((name) => name.endsWith(".test.mjs")).sort();
  if (files.length === 0) throw new Error(`tests/${folder} has no test.`);
  await run(process.execPath, ["--test", "--test-concurrency=1", "--test-reporter=spec", ...files.map((name) => join(path, name))], {
    env: { CHROMIUM_BIN: tools.chromium, SLUICEGATE_PYTHON: tools.python ?? "", WRANGLER_SEND_METRICS: "false", ...env },
  });
}
