/** The gateways that are compared, each started the way its users start it. */
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { BENCH, ROOT } from "./builds.mjs";
import { start, stop, temporaryFolder } from "./children.mjs";
import { OUR_NAME } from "./ours.mjs";
import { ourKeyedWorker, ourWorker } from "./ours-worker.mjs";

const READY_WITHIN_MS = 20_000;
const COMPATIBILITY_DATE = "2026-04-01";
export const OPEN = `${OUR_NAME}, open`;
export const KEYED = `${OUR_NAME}, keys and limits`;
const WITH_TOKEN = `${OUR_NAME}, access token`;
const PORTKEY_NOTE = "@portkey-ai/gateway on Node, --headless; it waits 25 ms before the first event of every stream by design";

/**
 * Starts every gateway in front of `upstream` (an origin).
 *
 * @returns a list of `{name, note, url, headers, child, stop}`; `url` is the base with its version, `child` the process to look at. One that did not start has
 *   `failed` instead, with the reason.
 */
export async function startGateways(upstream, progress) {
  const started = [];
  const worker = ourWorker({ upstream });
  const keyed = async (as) => workerd(await ourKeyedWorker({ upstream, as }));
  const candidates = [
    { name: "JS pass-through", note: "fetch and return, on workerd", serve: () => workerd(bareWorker("pass.mjs", upstream)) },
    { name: "JS tap", note: "reads, counts and writes each chunk, on workerd", serve: () => workerd(bareWorker("tap.mjs", upstream)) },
    ...(worker
      ? [
          { name: OPEN, note: `${worker.note}; no keys`, serve: () => workerd(worker) },
          { name: KEYED, note: "a key of D1 with limits on requests, tokens, money and streams, none of them reached", serve: () => keyed("key") },
          { name: WITH_TOKEN, note: "the same key's access token", serve: () => keyed("token") },
        ]
      : []),
    { name: "Portkey", note: PORTKEY_NOTE, serve: () => portkey(upstream) },
  ];
  for (const { name, note, serve } of candidates) {
    try {
      started.push({ name, note, ...(await serve()) });
      progress(`${name} listens`);
    } catch (error) {
      progress(`${name} did not start: ${error.message}`);
      started.push({ name, note, failed: error.message.split("\n")[0], stop: async () => {} });
    }
  }
  return started;
}

const bareWorker = (file, upstream) => ({
  modules: [{ name: "worker.mjs", kind: "esModule", path: join(BENCH, "bare", file) }],
  bindings: [`( name = "UPSTREAM", text = ${quoted(upstream)} )`],
});

/** A string as Cap'n Proto's text form writes it. */
const quoted = (text) => JSON.stringify(text);

/**
 * `workerd serve` on a port of its own.
 *
 * @param worker `modules` (`{name, kind, path}`, the entry first), `bindings` and `services` (lines of capnp text), `flags` (compatibility flags), `definition` (more
 *   fields of the Worker, capnp text), `headers` (what a client sends); `workers` and `extensions` (capnp text), `sockets` (names of services that listen too),
 *   `prepare` (called with the ports by the services' names, gives what a client sends)
 */
export async function workerd({ modules, bindings = [], services = [], flags = [], definition = "", headers = {}, v8 = [], workers = "", extensions = "", sockets = [], prepare }) {
  const config = join(temporaryFolder(), "config.capnp");
  // `embed` takes paths relative to the file, or absolute on an import path: "/" makes every absolute path reachable.
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  v8Flags = [ ${v8.map(quoted).join(", ")} ],
  services = [
    ( name = "main", worker = .main ),
    ( name = "internet", network = ( allow = ["private"] ) ),
    ${services.map((line) => `${line},`).join("\n    ")}
  ],
  sockets = [ ${["main", ...sockets].map((name) => `( name = ${quoted(name)}, address = "127.0.0.1:0", http = (), service = ${quoted(name)} )`).join(", ")} ],
  ${extensions}
);

${workers}
${workerText("main", { modules, bindings, flags, definition })}
`,
  );
  const binary = createRequire(createRequire(join(ROOT, "package.json")).resolve("wrangler"))("workerd").default;
  const child = start(binary, ["serve", "--experimental", "--import-path=/", "--control-fd=3", config], { stdio: ["ignore", "ignore", "pipe", "pipe"] });
  const ports = await listening(child, 1 + sockets.length);
  const sent = prepare ? await prepare(ports) : headers;
  return { url: `http://127.0.0.1:${ports.main}/v1`, headers: sent, ports, child, stop: () => stop(child) };
}

/** A Worker as Cap'n Proto's text form has it. */
export function workerText(name, { modules, bindings = [], flags = [], definition = "" }) {
  const lines = modules.map((module) => `( name = ${quoted(module.name)}, ${module.kind} = embed ${quoted(module.path)} )`);
  return `const ${name} :Workerd.Worker = (
  modules = [ ${lines.join(", ")} ],
  bindings = [ ${bindings.join(", ")} ],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  compatibilityFlags = [ ${flags.map(quoted).join(", ")} ],
  ${definition}
);`;
}

/** The ports that workerd reports on its control channel, by the sockets' names. */
function listening(child, count) {
  return new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`${why}: ${child.complaints}`));
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      fail("no word");
    }, READY_WITHIN_MS);
    let said = "";
    child.stdio[3].setEncoding("utf8").on("data", (text) => {
      said += text;
      const lines = said.split("\n").slice(0, -1).filter((entry) => entry.includes('"listen"')).map((entry) => JSON.parse(entry));
      if (lines.length < count) return;
      clearTimeout(timer);
      resolve(Object.fromEntries(lines.map(({ socket, port }) => [socket, port])));
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      fail(`ended with ${code}`);
    });
  });
}

/** Portkey's Node server, its log page off: what one would run in production. */
async function portkey(upstream) {
  const port = await freePort();
  const entry = join(BENCH, "node_modules/@portkey-ai/gateway/build/start-server.js");
  const child = start(process.execPath, [entry, `--port=${port}`, "--headless"], { env: { ...process.env, NODE_ENV: "production" } });
  const url = `http://127.0.0.1:${port}/v1`;
  await answering(url, child);
  // Its custom host is checked against private addresses; it trusts 127.0.0.1 as a custom host unless TRUSTED_CUSTOM_HOSTS says otherwise.
  const headers = { "x-portkey-provider": "openai", "x-portkey-custom-host": `${upstream}/v1` };
  return { url, headers, child, stop: () => stop(child) };
}

async function answering(url, child) {
  const until = Date.now() + READY_WITHIN_MS;
  while (Date.now() < until && child.exitCode === null) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(1_000) }).catch(() => null);
    await answer?.arrayBuffer();
    if (answer) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill("SIGKILL");
  throw new Error(`no answer: ${child.complaints}`);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
