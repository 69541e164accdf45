// D1 and R2 for the Worker in bare workerd: the runtime's own bindings, over the objects that wrangler's package `miniflare` ships.
import { mkdir, readFile, readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const require = createRequire(createRequire(join(ROOT, "package.json")).resolve("wrangler"));
const SHIPPED = join(dirname(require.resolve("miniflare")), "workers");
const quoted = (text) => JSON.stringify(text);
const shipped = (path) => `embed ${quoted(join(SHIPPED, path))}`;

const KINDS = {
  d1: {
    script: "d1/database.worker.js",
    className: "D1DatabaseObject",
    binding: (name, service) => `( name = ${quoted(name)}, wrapped = ( moduleName = "cloudflare-internal:d1-api", innerBindings = [ ( name = "fetcher", service = ${quoted(service)} ) ] ) )`,
  },
  r2: {
    script: "r2/bucket.worker.js",
    className: "R2BucketObject",
    binding: (name, service) => `( name = ${quoted(name)}, r2Bucket = ${quoted(service)} )`,
  },
};

/**
 * What a workerd configuration needs so that Workers have the given stores. `stores` are `{ kind: "d1" | "r2", binding }`; `folder` is
 * where they keep what they hold, so a process that is started over the same one finds it again.
 *
 * @returns texts for the lists of that configuration: `services`, `bindings` (one for each store), `workers` and `extensions`
 */
export async function describeStores(stores, folder) {
  const parts = { services: [], bindings: [], workers: [], extensions: "" };
  for (const { kind, binding } of stores) {
    const { script, className, binding: bind } = KINDS[kind];
    const disk = join(folder, kind);
    await mkdir(disk, { recursive: true });
    parts.services.push(
      `( name = "${kind}", worker = .${kind} )`,
      `( name = "${kind}-object", worker = .${kind}Object )`,
      `( name = "${kind}-disk", disk = ( path = ${quoted(disk)}, writable = true ) )`,
    );
    parts.bindings.push(bind(binding, kind));
    parts.workers.push(`const ${kind} :Workerd.Worker = (
  modules = [ ( name = "entry.js", esModule = ${shipped("shared/object-entry.worker.js")} ) ],
  bindings = [
    ( name = "MINIFLARE_NAMESPACE", text = ${quoted(binding)} ),
    ( name = "MINIFLARE_OBJECT", durableObjectNamespace = ( className = "${className}", serviceName = "${kind}-object" ) ),
  ],
  compatibilityDate = "2023-07-24",
);
const ${kind}Object :Workerd.Worker = (
  modules = [ ( name = "object.js", esModule = ${shipped(script)} ) ],
  bindings = [ ( name = "MINIFLARE_BLOBS", service = "${kind}-disk" ) ],
  compatibilityDate = "2023-07-24",
  compatibilityFlags = [ "nodejs_compat", "experimental" ],
  durableObjectNamespaces = [ ( className = "${className}", uniqueKey = "${className}", enableSql = true ) ],
  durableObjectStorage = ( localDisk = "${kind}-disk" ),
);`);
  }
  if (stores.length > 0) {
    parts.extensions = `extensions = [ ( modules = [
    ( name = "miniflare:shared", esModule = ${shipped("shared/index.worker.js")} ),
    ( name = "miniflare:zod", esModule = ${shipped("shared/zod.worker.js")} ),
  ] ) ],`;
  }
  return parts;
}

/** The statements of all migrations, in the order of their files' names. */
export async function migrations(folder = join(ROOT, "worker/migrations")) {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
  return texts.flatMap(statements);
}

/** The statements of a text: apart at each `;` that is in no literal, name, comment or trigger's body. Comments are left out. */
export function statements(text) {
  const list = [];
  let [statement, depth] = ["", 0];
  const end = () => {
    if (statement.trim()) list.push(statement.trim());
    [statement, depth] = ["", 0];
  };
  for (const [token] of text.matchAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[^]*?(?:\*\/|$)|\w+|\s+|[^]/g)) {
    if (token.startsWith("--") || token.startsWith("/*")) {
      statement += " ";
      continue;
    }
    if (token === ";" && depth === 0) {
      end();
      continue;
    }
    statement += token;
    // A trigger's statements stand between BEGIN and END, and CASE has an END of its own there.
    if (/^\s*CREATE\s+(?:TEMP\s+|TEMPORARY\s+)?TRIGGER\b/i.test(statement)) {
      if (/^(?:BEGIN|CASE)$/i.test(token)) depth += 1;
      else if (/^END$/i.test(token)) depth -= 1;
    }
  }
  end();
  return list;
}
