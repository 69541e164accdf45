// Runs the Worker and the demo page: `npm start -- --help` lists the options.
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { Advice, root, run, runMain, say, waitFor } from "./lib.mjs";
import { setup } from "./setup.mjs";

const HELP = `npm start -- [options]

  --port N             the port to serve on (8787)
  --host NAME          the address to listen on (localhost)
  --upstream URL       an OpenAI-compatible API, with its version: https://api.example.com/v1, or on this machine
                       http://127.0.0.1:8080/v1 (plain http only there)
  --upstream-key KEY   the key for it, if it takes one
  --dialect NAME       openai (default), deepseek or siliconflow

SLUICEGATE_ADMIN_KEY in the environment is the administrator's key, at least 16 characters; without it a new one is made and told.
SLUICEGATE_API_KEY and SLUICEGATE_API_SECRET (at least 16 and 32 characters) are those of the guides' programs; the same holds for them.
Whoever sends no key may call models too, within tight limits: the page does, and the guides' samples.

Without --upstream, DEEPSEEK_API_KEY or SILICONFLOW_API_KEY choose the vendor. With none of them, two scripted upstreams
answer in place of models, and the page says so: one that misbehaves on demand, and a lighter one that stands in for it.`;

const DIALECTS = ["openai", "deepseek", "siliconflow"];

/** What the guides call a vendor's reasoning model. */
const guideModels = (id) => ["r1", "deepseek-r1"].map((name) => ({ id: name, upstream_id: id }));

const VENDORS = [
  { name: "deepseek", dialect: "deepseek", base_url: "https://api.deepseek.com", secret: "DEEPSEEK_API_KEY", models: ["deepseek-flash", "deepseek-v4-pro", ...guideModels("deepseek-v4-pro")] },
  {
    name: "siliconflow",
    dialect: "siliconflow",
    base_url: "https://api.siliconflow.cn/v1",
    secret: "SILICONFLOW_API_KEY",
    models: ["deepseek-ai/DeepSeek-R1", "Pro/deepseek-ai/DeepSeek-R1", "deepseek-ai/DeepSeek-V3.2", "Qwen/Qwen3-8B", ...guideModels("deepseek-ai/DeepSeek-R1")],
  },
];

/** What the page offers; any other name is answered too, and may ask for a misbehaviour. */
const SCRIPTED_MODELS = ["deepseek-ai/DeepSeek-R1", "deepseek-flash", "deepseek-v4-pro"];
/** What the guides' samples ask for. */
const GUIDE_MODELS = ["r1", "deepseek-r1", "deepseek-r1-multimodal"];
/** The lighter model that stands in for all of them. */
const SCRIPTED_FALLBACK = "scripted-mini";
/** A visitor who asks for silence, or for a stall, wants to see what follows, and not to wait as long as for a real model. */
const SCRIPTED_BUDGETS = { patience_ms: 4_000, answer_ms: 20_000, idle_ms: 5_000, content_idle_ms: 6_000 };

/** Enough for somebody who tries the page or runs the guides' samples (a batch is 32 requests), and no more, since it is paid for. */
const ANONYMOUS = { requests_per_minute: 120, requests_per_day: 5_000, tokens_per_minute: 400_000, concurrent_streams: 8 };
/** A script costs nothing. */
const ANONYMOUS_SCRIPTED = { requests_per_minute: 2_000, concurrent_streams: 64 };

/** No reports, no questions, no look-up of where this machine is. */
const QUIET = { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", CI: "true" };

const WRANGLER = join(root, "node_modules/wrangler/bin/wrangler.js");
const CONFIG = join(root, "worker/wrangler.jsonc");

await runMain(async () => {
  const options = readOptions();
  if (options.help) return void process.stdout.write(`${HELP}\n`);
  const children = [];
  const ended = toldToStop();
  const scratch = await mkdtemp(join(tmpdir(), "sluicegate-"));
  try {
    await checkFree(options.port, options.host);
    const toolchain = await setup();
    await Promise.all([build(toolchain), migrate(scratch)]);
    const { secrets: own, ...chosen } = await chooseUpstreams(options, children);
    const admin = process.env.SLUICEGATE_ADMIN_KEY || `sg-admin-${randomBytes(24).toString("base64url")}`;
    const limits = chosen.upstreams.every(({ scripted }) => scripted) ? ANONYMOUS_SCRIPTED : ANONYMOUS;
    // Local clients bring some key or other, since their SDKs insist on one; it counts as none.
    const guides = { id: "guides", name: "guides", guide_compatible: true, key: "GUIDES_KEY", secret: "GUIDES_SECRET" };
    const access = { keys: [guides], root: "ROOT_SECRET", bootstrap: "ADMIN_KEY", anonymous: { limits, credentials: "ignore" } };
    // What is private stays here also when the caller is no page of ours, which masks by itself. Tokens are keyed for as long as this runs.
    const redaction = { secret: "REDACTION_KEY" };
    const config = { ...chosen, access, redaction, development: true };
    const secret = () => randomBytes(32).toString("hex");
    const secrets = { ...own, REDACTION_KEY: secret(), ROOT_SECRET: secret(), ADMIN_KEY: admin, ...guidesKey() };
    await serve(options, config, secrets, scratch, children, ended);
  } finally {
    for (const child of children.reverse()) await child.close();
    await rm(scratch, { recursive: true, force: true });
  }
});

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: "string", default: "8787" },
        host: { type: "string", default: "localhost" },
        upstream: { type: "string" },
        "upstream-key": { type: "string" },
        dialect: { type: "string", default: "openai" },
        help: { type: "boolean", short: "h" },
      },
    });
    checkOptions(values);
    checkKey("SLUICEGATE_ADMIN_KEY", 16);
    checkKey("SLUICEGATE_API_KEY", 16);
    checkKey("SLUICEGATE_API_SECRET", 32);
    return values;
  } catch (error) {
    throw new Advice(`${error.message}\n\n${HELP}`);
  }
}

function checkOptions({ port, upstream, dialect }) {
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) throw new Error("--port takes a number from 1 to 65535.");
  if (!DIALECTS.includes(dialect)) throw new Error(`--dialect takes one of ${DIALECTS.join(", ")}.`);
  if (upstream !== undefined && !/^https?:\/\//.test(upstream)) throw new Error("--upstream takes an address that starts with http:// or https://.");
}

/** What the gate would refuse is refused before anything is built. */
function checkKey(name, least) {
  const key = process.env[name];
  if (key && !(key.length >= least && /^[\w.~+/=:-]{1,4096}$/.test(key))) throw new Error(`${name} takes at least ${least} letters, digits and -._~+/=:`);
}

/** Fails if somebody listens there already: their answers would be taken for ours. */
function checkFree(port, host) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", ({ code }) => reject(new Advice(`Port ${port} of ${host} cannot be used (${code}). Choose another: npm start -- --port N`)));
    server.listen(Number(port), host, () => server.close(resolve));
  });
}

/** Resolves when we are to stop: a signal, or the end of the npm that started us, which does not always pass signals on. */
function toldToStop() {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, resolve);
    const parent = process.ppid;
    if (process.env.npm_lifecycle_event) setInterval(() => process.ppid !== parent && resolve(), 1_000).unref();
  });
}

/** The configuration's part about upstreams, and the secrets that they name. */
async function chooseUpstreams(options, children) {
  if (options.upstream) {
    const key = options["upstream-key"];
    const upstream = { name: "upstream", dialect: options.dialect, base_url: options.upstream, models: "upstream" };
    return key ? { upstreams: [{ ...upstream, secret: "UPSTREAM_KEY" }], secrets: { UPSTREAM_KEY: key } } : { upstreams: [upstream], secrets: {} };
  }
  const vendors = VENDORS.filter(({ secret }) => process.env[secret]);
  if (vendors.length > 0) {
    return { upstreams: vendors, secrets: Object.fromEntries(vendors.map(({ secret }) => [secret, process.env[secret]])) };
  }
  const { startUpstream } = await import("../tests/upstream/index.mjs");
  const startOne = async (dialect) => {
    const upstream = await startUpstream({ dialect, pace: 20 });
    children.push(upstream);
    return upstream;
  };
  const [first, second] = [await startOne("deepseek"), await startOne("openai")];
  say(`no key and no --upstream: scripted upstreams answer (${first.url}, and for it ${second.url})`);
  const upstreams = [
    { name: "scripted", dialect: "deepseek", base_url: first.url, models: [...SCRIPTED_MODELS, ...GUIDE_MODELS, "*"], scripted: true, budgets: SCRIPTED_BUDGETS },
    { name: "scripted-b", dialect: "openai", base_url: second.url, models: [SCRIPTED_FALLBACK], scripted: true },
  ];
  return { upstreams, fallbacks: { "*": [SCRIPTED_FALLBACK] }, secrets: {} };
}

/** Makes the tables of the local database, which is a new one for each run. */
function migrate(scratch) {
  const places = ["--config", CONFIG, "--persist-to", join(scratch, "state")];
  return run(process.execPath, [WRANGLER, "d1", "migrations", "apply", "DB", "--local", ...places], { env: QUIET, quiet: true });
}

/** The Worker as `wrangler.jsonc` describes it, in the runtime that it is deployed to. Without the proxy that `wrangler dev` puts in front, which now and then keeps a request back. */
async function serve({ host, port }, config, secrets, scratch, children, ended) {
  const { unstable_getMiniflareWorkerOptions: optionsOf } = await import("wrangler");
  const { Log, LogLevel, Miniflare } = await import("miniflare");
  const { workerOptions, main } = optionsOf(CONFIG);
  const bindings = { ...workerOptions.bindings, GATE_CONFIG: config, ...secrets };
  const gate = new Miniflare({
    workers: [{ ...workerOptions, name: "sluicegate", modules: true, scriptPath: main, modulesRoot: dirname(main), bindings }],
    log: new Log(LogLevel.WARN),
    handleRuntimeStdio: (output, errors) => (output.resume(), errors.pipe(process.stderr)),
    host,
    port: Number(port),
    // What a place of the vendor's network would say of a caller; asking for it would leave this machine.
    cf: false,
    defaultPersistRoot: join(scratch, "state/v3"),
  });
  children.push({ close: () => gate.dispose() });
  await gate.ready;
  const address = host.includes(":") ? `[${host}]` : host.replace("0.0.0.0", "127.0.0.1");
  const url = `http://${address}:${port}`;
  await Promise.race([waitFor(`${url}/healthz`), ended]);
  process.stdout.write(`Sluicegate is ready: ${url}\n`);
  if (secrets.ADMIN_KEY !== process.env.SLUICEGATE_ADMIN_KEY) process.stdout.write(`Administrator key: ${secrets.ADMIN_KEY}\n`);
  process.stdout.write(`For the guides' programs: API key ${secrets.GUIDES_KEY}, API secret ${secrets.GUIDES_SECRET}\n`);
  return ended;
}

/** A key and its secret as the guides' programs want them. */
function guidesKey() {
  const made = (kind) => `sg-${kind}-${randomBytes(24).toString("base64url")}`;
  return { GUIDES_KEY: process.env.SLUICEGATE_API_KEY || made("key"), GUIDES_SECRET: process.env.SLUICEGATE_API_SECRET || made("secret") };
}
