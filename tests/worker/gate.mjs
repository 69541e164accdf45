// The built Worker in workerd, as `workerd serve` runs it: real sockets, nothing in front.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { describeStores, migrations } from "./store.mjs";

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const BUILT = join(ROOT, "worker/build");
const require = createRequire(join(ROOT, "package.json"));

/** What `wrangler.jsonc` says about the runtime, so that tests run what is deployed. */
async function settings() {
  const text = await readFile(join(ROOT, "worker/wrangler.jsonc"), "utf8");
  const { compatibility_date, compatibility_flags, durable_objects } = JSON.parse(text.replace(/^\s*\/\/.*$/gm, ""));
  return { date: compatibility_date, flags: compatibility_flags, objects: durable_objects.bindings };
}

/** A Worker that hands a request to the object whose namespace and name are in the query, or asks the database. */
const BESIDE = `export default {
  async fetch(request, env) {
    const asked = new URL(request.url).searchParams;
    if (asked.has("sql")) {
      try {
        const list = (await request.json()).map(({ sql, params = [] }) => env.DB.prepare(sql).bind(...params));
        return Response.json({ rows: (await env.DB.batch(list)).map(({ results }) => results) });
      } catch (error) {
        return Response.json({ error: error.message });
      }
    }
    const namespace = env[asked.get("binding")];
    return namespace.get(namespace.idFromName(asked.get("name"))).fetch(new Request("http://object" + asked.get("path"), request));
  },
};`;

/**
 * Starts the Worker. `config` is `GATE_CONFIG` (an object, a text, or undefined), `secrets` are further text bindings; without `state`
 * it has no Durable Objects; `storage` is a folder for what they store, `assets` one whose files the binding ASSETS has; `v8` are flags of the engine. `gate.object(binding, path, name, text)` posts to one, from a Worker beside it.
 * `isolates` are so many of the Worker, as in so many places, over one set of objects and stores; `gate.urls` are where they listen.
 * With `db` it has D1 (`DB`) with the migrations applied, and `gate.sql(text, ...params)` gives the rows of a statement; with `datasets`
 * R2 (`DATASETS`); `without` names bindings of objects that it does not have; `script` is a module's text in place of the built Worker.
 *
 * @returns `{ url, port, pid, logs, fetch(path, init), chat(body, init), settled(id), stop() }`; `logs` are the parsed lines
 */
export async function startGate({ config, secrets = {}, env = {}, state = true, storage, assets, isolates = 1, v8 = [], db = false, datasets = false, without = [], script } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "sluicegate-test-"));
  const quoted = (text) => JSON.stringify(text);
  const texts = { ...secrets, ...env };
  if (config !== undefined) texts.GATE_CONFIG = typeof config === "string" ? config : JSON.stringify(config);
  const variables = Object.entries(texts).map(([name, text]) => `( name = ${quoted(name)}, text = ${quoted(text)} )`);
  const { date, flags, objects: all } = await settings();
  const objects = script ? [] : all;
  const hasBeside = state || db;
  const kinds = [...(db ? [{ kind: "d1", binding: "DB" }] : []), ...(datasets ? [{ kind: "r2", binding: "DATASETS" }] : [])];
  const stores = await describeStores(kinds, storage ?? join(folder, "stores"));
  const list = (items) => items.map((item) => `${item},`).join("\n    ");
  const classes = objects.map(({ class_name: name }) => `( className = ${quoted(name)}, uniqueKey = ${quoted(name)}, enableSql = true )`);
  const modules = script
    ? `( name = "index.js", esModule = ${quoted(script)} )`
    : `( name = "index.js", esModule = embed ${quoted(join(BUILT, "index.js"))} ), ( name = "index_bg.wasm", wasm = embed ${quoted(join(BUILT, "index_bg.wasm"))} )`;
  const further = Array.from({ length: isolates - 1 }, (_, at) => `isolate${at + 1}`);
  const worker = (isFurther) => {
    const namespace = (name) => (isFurther ? `( className = ${quoted(name)}, serviceName = "main" )` : quoted(name));
    const bound = state ? objects.filter(({ name }) => !without.includes(name)).map(({ name, class_name }) => `( name = ${quoted(name)}, durableObjectNamespace = ${namespace(class_name)} )`) : [];
    if (assets) bound.push(`( name = "ASSETS", service = "assets" )`);
    bound.push(...stores.bindings);
    return `(
  modules = [ ${modules} ],
  bindings = [ ${[...variables, ...bound].join(", ")} ],
  compatibilityDate = ${quoted(date)},
  compatibilityFlags = [ ${flags.map(quoted).join(", ")} ],
  durableObjectNamespaces = [ ${isFurther ? "" : classes.join(", ")} ],
  durableObjectStorage = ( ${storage && !isFurther ? `localDisk = "storage"` : "inMemory = void"} ),
)`;
  };
  const file = join(folder, "gate.capnp");
  await writeFile(
    file,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = [ ${v8.map(quoted).join(", ")} ],
  services = [
    ( name = "main", worker = .main ),
    ${further.map((name) => `( name = ${quoted(name)}, worker = .${name} ),`).join("\n    ")}
    ( name = "internet", network = ( allow = ["private"] ) ),
    ${hasBeside ? `( name = "beside", worker = .beside ),` : ""}
    ${list(stores.services)}
    ${assets ? `( name = "assets", disk = ( path = ${quoted(assets)} ) ),` : ""}
    ${storage ? `( name = "storage", disk = ( path = ${quoted(storage)}, writable = true ) ),` : ""}
  ],
  sockets = [
    ( name = "http", address = "127.0.0.1:0", http = (), service = "main" ),
    ${further.map((name) => `( name = ${quoted(name)}, address = "127.0.0.1:0", http = (), service = ${quoted(name)} ),`).join("\n    ")}
    ${hasBeside ? `( name = "beside", address = "127.0.0.1:0", http = (), service = "beside" ),` : ""}
  ],
  ${stores.extensions}
);
${stores.workers.join("\n")}
const main :Workerd.Worker = ${worker(false)};
${further.map((name) => `const ${name} :Workerd.Worker = ${worker(true)};`).join("\n")}
const beside :Workerd.Worker = (
  modules = [ ( name = "beside.js", esModule = ${quoted(BESIDE)} ) ],
  bindings = [ ${[...(state ? objects.map(({ name, class_name }) => `( name = ${quoted(name)}, durableObjectNamespace = ( className = ${quoted(class_name)}, serviceName = "main" ) )`) : []), ...stores.bindings].join(", ")} ],
  compatibilityDate = ${quoted(date)},
);
`,
  );
  const child = spawn(require("workerd").default, ["serve", "--experimental", "--import-path=/", "--control-fd=3", file], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const gate = { logs: [], output: "" };
  const waiting = new Set();
  const take = (stream) => {
    let rest = "";
    stream.setEncoding("utf8").on("data", (text) => {
      gate.output += text;
      const lines = (rest + text).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        const at = line.indexOf("{\"");
        if (at < 0) continue;
        try {
          gate.logs.push(JSON.parse(line.slice(at)));
        } catch {
          continue;
        }
        for (const wake of waiting) wake();
      }
    });
  };
  take(child.stdout);
  take(child.stderr);
  gate.stop = async () => {
    if (child.exitCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    await rm(folder, { recursive: true, force: true });
  };
  const ports = await listening(child, gate, isolates + (hasBeside ? 1 : 0)).catch(async (error) => {
    await gate.stop();
    throw error;
  });
  gate.port = ports.http;
  gate.pid = child.pid;
  gate.object = async (binding, path, name, text) => {
    const query = new URLSearchParams({ binding, path, name });
    return (await fetch(`http://127.0.0.1:${ports.beside}/?${query}`, { method: "POST", body: text })).text();
  };
  const batch = async (list) => {
    const answer = await fetch(`http://127.0.0.1:${ports.beside}/?sql`, { method: "POST", body: JSON.stringify(list) });
    const { rows, error } = await answer.json();
    if (error) throw new Error(`the database: ${error}`);
    return rows;
  };
  gate.sql = async (sql, ...params) => (await batch([{ sql, params }]))[0];
  if (db && !script) {
    // A folder of a run before has them already.
    const [{ made }] = await gate.sql("SELECT count(*) AS made FROM sqlite_schema WHERE name = 'keys'");
    if (!made) await batch((await migrations()).map((sql) => ({ sql })));
  }
  gate.url = `http://127.0.0.1:${gate.port}`;
  gate.urls = ["http", ...further].map((name) => `http://127.0.0.1:${ports[name]}`);
  gate.fetch = (path, init) => fetch(gate.url + path, { redirect: "manual", ...init });
  gate.chat = (body, { headers = {}, ...init } = {}) =>
    gate.fetch("/v1/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify({ messages: [{ role: "user", content: "Hello" }], ...body }),
      ...init,
    });
  /** The log line of a request, once it is there. */
  gate.settled = async (id, within = 5_000) => {
    const until = Date.now() + within;
    for (;;) {
      const line = gate.logs.find((entry) => entry.id === id);
      if (line) return line;
      if (Date.now() > until) throw new Error(`no log line for ${id}; the output was: ${gate.output.slice(-2000)}`);
      await new Promise((resolve) => {
        const wake = () => (waiting.delete(wake), clearTimeout(timer), resolve());
        const timer = setTimeout(wake, until - Date.now() + 1);
        waiting.add(wake);
      });
    }
  };
  return gate;
}

/** The ports by the names of their sockets, once there are so many. */
function listening(child, gate, count) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`workerd did not start: ${gate.output}`)), 20_000);
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
      reject(new Error(`workerd ended with ${code}: ${gate.output}`));
    });
  });
}

/** Sends bytes as they are and gives the answer, as text: for what `fetch` would tidy up. */
export async function raw(port, text) {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("latin1").on("data", (part) => {
    answer += part;
    const [head, body] = answer.split("\r\n\r\n", 2);
    const length = /content-length: (\d+)/i.exec(head);
    if (body !== undefined && (length ? body.length >= Number(length[1]) : answer.endsWith("0\r\n\r\n"))) socket.destroy();
  });
  socket.on("error", () => {});
  socket.write(text);
  const timer = setTimeout(() => socket.destroy(), 5_000);
  await once(socket, "close");
  clearTimeout(timer);
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
  return { status, answer };
}

/** The events of a stream: parsed data, `"[DONE]"`, and the whole text. */
export async function events(response) {
  const text = await response.text();
  const list = text
    .split(/\r\n\r\n|\n\n|\r\r/)
    .flatMap((block) => block.split(/\r\n|\n|\r/).filter((line) => line.startsWith("data:")))
    .map((line) => line.slice(5).trim())
    .map((data) => (data === "[DONE]" ? data : JSON.parse(data)));
  return { text, list, error: list.find((event) => event.error)?.error, done: list.at(-1) === "[DONE]" };
}

/** The text of all deltas. */
export function content(list) {
  return list.map((event) => event.choices?.[0]?.delta?.content ?? "").join("");
}
