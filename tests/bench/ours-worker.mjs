/** Our Worker's side of the bench: how it is configured in front of the bench's upstream, everything on but redaction. */
import { readFileSync } from "node:fs";
import { basename, extname, join, relative } from "node:path";
import { describeStores, migrations } from "../worker/store.mjs";
import { BENCH, ROOT, filesBelow, workerFolder } from "./builds.mjs";
import { temporaryFolder } from "./children.mjs";

const CLIENT_KEY = "bench-client-key";
const ADMIN_KEY = "bench-administrator-key";
const ROOT_SECRET = "bench-0123456789-abcdefghijklmnopqrstuvwxyz";
const PRICE = { input: 4, output: 16 };
const ACCESS = { root: "ROOT_SECRET", bootstrap: "ADMIN_KEY" };

/** Limits of every kind, none of which a bench reaches. */
export const LIMITS = { requests_per_minute: 10_000_000, tokens_per_minute: 1_000_000_000_000, spend_per_month: 1_000_000_000, concurrent_streams: 100_000 };

/**
 * What `workerd serve` needs to run worker-build's output.
 *
 * @param options `upstream`, the origin that speaks OpenAI's form below `/v1`; `folder`, worker-build's folder (### Default: this checkout's); `access`, that field of the
 *   configuration (### Default: none, whoever comes is let in)
 * @returns modules, bindings and flags as `gateways.mjs` takes them, and the `headers` that a client sends; `null` when there is no build
 */
export function ourWorker({ upstream, folder = workerFolder(), access }) {
  if (!folder) return null;
  const kinds = { ".js": "esModule", ".mjs": "esModule", ".wasm": "wasm" };
  const modules = filesBelow(folder)
    .filter((path) => extname(path) in kinds)
    .map((path) => ({ name: relative(folder, path).replaceAll("\\", "/"), kind: kinds[extname(path)], path }))
    // The first module is the entry.
    .sort((a, b) => Number(basename(b.path) === "index.js") - Number(basename(a.path) === "index.js"));
  const text = (name, value) => `( name = "${name}", text = ${JSON.stringify(value)} )`;
  const { durable_objects } = JSON.parse(readFileSync(join(ROOT, "worker/wrangler.jsonc"), "utf8").replace(/^\s*\/\/.*$/gm, ""));
  // An older build may not have them all.
  const source = readFileSync(join(folder, "index.js"), "utf8");
  const objects = durable_objects.bindings.filter(({ class_name }) => source.includes(class_name));
  const config = {
    upstreams: [{ name: "bench", dialect: "openai", base_url: `${upstream}/v1`, secret: "UPSTREAM_KEY", models: [{ id: "*", price: PRICE }] }],
    ...(access ? { access } : { callers: { credentials: "ignore" } }),
    // As in production; `development` is for the plain http of a loopback upstream.
    heartbeat_ms: 15_000,
    log: "off",
    development: true,
  };
  return {
    note: `worker/build on workerd, ${Math.round(modules.reduce((sum, { path }) => sum + readFileSync(path).length, 0) / 1000)} KB of modules`,
    modules,
    bindings: [
      text("GATE_CONFIG", JSON.stringify(config)),
      text("UPSTREAM_KEY", "bench-upstream-key"),
      ...(access ? [text("ROOT_SECRET", ROOT_SECRET), text("ADMIN_KEY", ADMIN_KEY)] : []),
      ...objects.map(({ name, class_name }) => `( name = "${name}", durableObjectNamespace = "${class_name}" )`),
    ],
    definition: objects.length === 0 ? "" : `durableObjectNamespaces = [ ${objects.map(({ class_name }) => `( className = "${class_name}", uniqueKey = "${class_name}", enableSql = true )`).join(", ")} ],
  durableObjectStorage = ( inMemory = void ),`,
    flags: ["enable_request_signal"],
    headers: { authorization: `Bearer ${CLIENT_KEY}` },
  };
}

/**
 * The same with keys and limits on: a database beside it that holds a key with {@link LIMITS}, sent by the client as it is or, `as: "token"`, as an access token.
 *
 * @returns `null` when there is no build
 */
export async function ourKeyedWorker({ as = "key", ...options }) {
  const worker = ourWorker({ ...options, access: ACCESS });
  if (!worker) return null;
  const stores = await describeStores([{ kind: "d1", binding: "DB" }], join(temporaryFolder(), "stores"));
  return {
    ...worker,
    ...withStore(stores),
    bindings: [...worker.bindings, ...stores.bindings],
    async prepare(ports) {
      await makeTables(ports);
      const { key } = await makeKey(ports, LIMITS);
      return { authorization: `Bearer ${as === "token" ? await makeToken(ports, key) : key}` };
    },
  };
}

/** What a configuration needs for its stores, and a Worker `sql` beside it that fills them. */
export function withStore(stores) {
  const sql = `const sql :Workerd.Worker = ( modules = [ ( name = "sql.mjs", esModule = embed ${JSON.stringify(join(BENCH, "bare/sql.mjs"))} ) ],
  bindings = [ ${stores.bindings.join(", ")} ], compatibilityDate = "2026-04-01" );`;
  return { services: [...stores.services, '( name = "sql", worker = .sql )'], workers: [...stores.workers, sql].join("\n"), extensions: stores.extensions, sockets: ["sql"] };
}

export async function makeTables(ports) {
  await posted(ports.sql, "/", {}, await migrations());
}

/** A new key with these limits: its record, the key in `key`. */
export const makeKey = (ports, limits) => posted(ports.main, "/admin/keys", { authorization: `Bearer ${ADMIN_KEY}` }, { name: "bench", limits });

async function makeToken(ports, key) {
  return (await posted(ports.main, "/auth/token", { authorization: `Bearer ${key}` }, { grant_type: "client_credentials" })).access_token;
}

async function posted(port, path, headers, body) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text.slice(0, 300)}`);
  return JSON.parse(text);
}
