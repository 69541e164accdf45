// Runs every suite, in the order in which a failure says most:
//   node scripts/test.mjs [native] [package] [worker] [clients] [browser] [packaging]
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
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
      await nodeTests("browser", tools, { PAGE_URL: page.url, ADMIN_KEY: page.key });
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
  for (const path of ["dist/npm/sluicegate.wasm", "dist/npm/redact.wasm", ...(await workerWasm())]) {
    if (importedModules(await readFile(join(root, path))).has("env")) throw new Error(`${path} imports from "env": some code expects a C library there.`);
  }
}

/** The names of the modules that a wasm imports from. Read here, since Node 20 does not compile all that workerd does. */
function importedModules(bytes) {
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  const name = () => {
    const length = number();
    return bytes.toString("utf8", at, (at += length));
  };
  const limits = () => {
    const flags = number();
    number();
    if (flags & 1) number();
  };
  // How the rest of an import is read, by its kind: function, table, memory, global, tag.
  const rest = [number, () => (at++, limits()), limits, () => (at += 2), () => (at++, number())];
  const modules = new Set();
  while (at < bytes.length) {
    const section = bytes[at++];
    const end = number() + at;
    if (section === 2) {
      for (let left = number(); left > 0; left--) {
        modules.add(name());
        name();
        rest[bytes[at++]]();
      }
    }
    at = end;
  }
  return modules;
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
  const key = randomBytes(24).toString("base64url");
  const env = { ...process.env, SLUICEGATE_ADMIN_KEY: key };
  const child = spawn(process.execPath, [join(root, "scripts/start.mjs"), "--port", String(port)], { cwd: root, stdio: ["ignore", "inherit", "inherit"], env });
  await waitFor(`${url}healthz`, { alive: () => child.exitCode === null });
  return { url, child, key };
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
