/** Our Worker's side of the bench: how it is configured in front of the bench's upstream, everything on but redaction. */
import { readFileSync } from "node:fs";
import { basename, extname, join, relative } from "node:path";
import { ROOT, filesBelow, workerFolder } from "./builds.mjs";

const CLIENT_KEY = "bench-client-key";

/**
 * What `workerd serve` needs to run worker-build's output.
 *
 * @param options `upstream`, the origin that speaks OpenAI's form below `/v1`; `folder`, worker-build's folder (### Default: this checkout's)
 * @returns modules, bindings and flags as `gateways.mjs` takes them, and the `headers` that a client sends; `null` when there is no build
 */
export function ourWorker({ upstream, folder = workerFolder() }) {
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
    upstreams: [{ name: "bench", dialect: "openai", base_url: `${upstream}/v1`, secret: "UPSTREAM_KEY", models: ["*"] }],
    callers: { credentials: "ignore" },
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
      ...objects.map(({ name, class_name }) => `( name = "${name}", durableObjectNamespace = "${class_name}" )`),
    ],
    definition: objects.length === 0 ? "" : `durableObjectNamespaces = [ ${objects.map(({ class_name }) => `( className = "${class_name}", uniqueKey = "${class_name}", enableSql = true )`).join(", ")} ],
  durableObjectStorage = ( inMemory = void ),`,
    flags: ["enable_request_signal"],
    headers: { authorization: `Bearer ${CLIENT_KEY}` },
  };
}
