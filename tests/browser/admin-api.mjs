// The administration API in memory, after its contract and nothing else: keys, roles, sessions, meters. It serves the page as the Worker does,
// with the Worker's own policy, so that the page's tests need no Worker.
import { createHash, randomBytes } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const OPEN = ["chat_completions", "completions", "infer", "complete", "batch", "stream"];
const INFERENCE = [...OPEN, "embeddings", "rerank", "images", "audio", "responses", "messages"];
const DATA = ["datasets_write", "datasets_read"];
const SEEING = ["models", "status"];
const OWN = ["tokens", "session"];
const READING = ["keys_read", "usage", "roles"];
const ROLES = {
  administrator: [...INFERENCE, "resume", ...SEEING, ...DATA, ...OWN, ...READING, "keys_write"],
  developer: [...INFERENCE, "resume", ...SEEING, ...DATA, ...OWN],
  auditor: [...SEEING, ...OWN, ...READING],
  anonymous: [...OPEN, "resume", ...SEEING],
};
const COUNTED = ["requests_per_minute", "requests_per_day", "tokens_per_minute", "tokens_per_day"];
const SPENT = ["spend_per_day", "spend_per_month"];
const NUMBERS = [...COUNTED, "concurrent_streams", ...SPENT];
const FIELDS = ["name", "owner", "role", "models", "endpoints", "ips", "guide_compatible", "token_ttl_s", "limits", "metadata", "expires_at"];
const EMPTY = { owner: null, role: "developer", models: null, endpoints: null, ips: null, guide_compatible: false, token_ttl_s: null, limits: {}, metadata: {}, expires_at: null };

const text = (length) => Array.from(randomBytes(length), (byte) => DIGITS[byte % 62]).join("");
const digest = (key) => createHash("sha256").update(key).digest("hex");
const now = () => Math.floor(Date.now() / 1000);

class Refusal extends Error {
  constructor(status, code, message, param = null) {
    super(message);
    Object.assign(this, { status, code, param });
  }
}

/** RFC 7396. */
function merge(target, patch) {
  if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return patch;
  const merged = target !== null && typeof target === "object" && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = merge(merged[key], value);
  }
  return merged;
}

function checkFields(fields) {
  const bad = (param, message) => {
    throw new Refusal(400, "invalid_request", message, param);
  };
  for (const field of Object.keys(fields)) if (!FIELDS.includes(field)) bad(field, "There is no such field.");
  if ("name" in fields && (typeof fields.name !== "string" || fields.name === "")) bad("name", "A key needs a name.");
  if ("role" in fields && (fields.role === "anonymous" || !(fields.role in ROLES))) bad("role", "There is no such role.");
  for (const range of fields.ips ?? []) if (!/^[0-9a-fA-F.:]+\/\d{1,3}$/.test(range)) bad("ips", "This is no range of addresses.");
  for (const endpoint of fields.endpoints ?? []) if (!INFERENCE.includes(endpoint)) bad("endpoints", "There is no such endpoint.");
  const rows = [fields.limits ?? {}, ...Object.values(fields.limits?.models ?? {}), ...Object.values(fields.limits?.routes ?? {})];
  for (const [name, value] of rows.filter(Boolean).flatMap(Object.entries)) {
    if (["models", "routes"].includes(name)) continue;
    if (!NUMBERS.includes(name)) bad(`limits.${name}`, "There is no such limit.");
    if (value !== null && !(typeof value === "number" && value >= 0)) bad(`limits.${name}`, "A limit is a number from 0.");
  }
}

/** The state: `make` makes keys as the API does, `use` moves meters as calls do, `seen` are the requests. */
export class AdminState {
  keys = new Map();
  sessions = new Map();
  used = new Map();
  seen = [];
  defaults = { requests_per_minute: 600, tokens_per_day: 2_000_000, concurrent_streams: 8, spend_per_month: 50 };
  currency = "USD";

  make(fields) {
    const issued = this.#issue();
    const record = { id: `key_${text(16)}`, ...EMPTY, ...fields, ...issued.shown, created_at: now(), disabled: false, version: 1 };
    this.keys.set(record.id, { record, digest: digest(issued.key), epoch: 0 });
    return { ...record, key: issued.key, secret: issued.secret };
  }

  #issue() {
    const key = `sgk_live_${text(36)}`;
    return { key, secret: `sgs_${text(43)}`, shown: { prefix: "sgk_live_", last4: key.slice(-4) } };
  }

  rotate(id) {
    const entry = this.keys.get(id);
    const issued = this.#issue();
    Object.assign(entry, { digest: digest(issued.key), record: { ...entry.record, ...issued.shown, version: entry.record.version + 1 } });
    return { ...entry.record, key: issued.key, secret: issued.secret };
  }

  /** Counts: `{ requests, tokens, spend, streams }`. */
  use(id, amounts) {
    const before = this.used.get(id) ?? { requests: 0, tokens: 0, spend: 0, streams: 0 };
    this.used.set(id, { ...before, ...Object.fromEntries(Object.entries(amounts).map(([name, value]) => [name, before[name] + value])) });
  }

  usage(id) {
    const { record } = this.keys.get(id);
    const used = this.used.get(id) ?? { requests: 0, tokens: 0, spend: 0, streams: 0 };
    const meter = (name, limit, more = {}) => {
      const [unit, , window] = name === "concurrent_streams" ? ["streams"] : name.split("_");
      const count = more.model || more.route ? 0 : used[unit];
      const seconds = { minute: 60, day: 86_400, month: 30 * 86_400 }[window];
      return { scope: Object.keys(more)[0] ?? "", ...more, unit, window: window ?? "now", limit, used: count, remaining: Math.max(0, limit - count), resets_at: seconds ? (Math.floor(now() / seconds) + 1) * seconds : null };
    };
    const limits = { ...this.defaults, ...record.limits };
    const rows = (limits, more) => NUMBERS.filter((name) => limits[name] !== undefined).map((name) => meter(name, limits[name], more));
    const scoped = (kind, name) => Object.entries(record.limits[kind] ?? {}).flatMap(([scope, row]) => rows(row, { [name]: scope }));
    return { key_id: id, meters: [...rows(limits, {}), ...scoped("models", "model"), ...scoped("routes", "route")], streams: used.streams };
  }
}

/** Answers one request to the API. */
async function answer(state, request, url) {
  const parts = url.pathname.split("/").slice(2);
  const body = ["POST", "PATCH"].includes(request.method) ? await readJson(request) : {};
  state.seen.push({ method: request.method, path: url.pathname, search: url.search, body });
  if (parts[0] === "session" && request.method === "POST") return enter(state, body);
  const cookie = /(?:^|; )sluicegate=([^;]+)/.exec(request.headers.cookie ?? "")?.[1];
  const session = state.sessions.get(cookie);
  const entry = session && state.keys.get(session.id);
  if (!entry || entry.record.disabled || session.epoch !== entry.epoch) throw new Refusal(401, "unauthorized", "The credentials are not valid.");
  const { record } = entry;
  const operations = ROLES[record.role];
  const need = (operation) => {
    if (!operations.includes(operation)) throw new Refusal(403, "forbidden", "The role does not allow this.");
  };
  if (parts[0] === "session" && request.method === "GET") return { body: { key_id: record.id, name: record.name, role: record.role, operations, expires_at: session.expires_at } };
  if (parts[0] === "session" && request.method === "DELETE") {
    state.sessions.delete(cookie);
    return { status: 204, cookie: "sluicegate=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict" };
  }
  if (parts[0] === "roles") return need("roles"), { body: { object: "list", data: Object.entries(ROLES).map(([role, operations]) => ({ role, operations })), inference: INFERENCE } };
  if (parts[0] === "limits") return need("roles"), { body: { limits: state.defaults, currency: state.currency } };
  if (parts[0] === "usage") return need("usage"), { body: { object: "list", data: [...state.used.keys()].map((id) => state.usage(id)) } };
  if (parts[0] === "keys") return keys(state, request.method, parts.slice(1), url.searchParams, body, need);
  throw new Refusal(404, "not_found", "There is nothing at this path.");
}

function enter(state, { key = "" }) {
  const entry = [...state.keys.values()].find((one) => one.digest === digest(key));
  if (!entry || entry.record.disabled) throw new Refusal(401, "unauthorized", "The credentials are not valid.");
  const id = text(32);
  state.sessions.set(id, { id: entry.record.id, epoch: entry.epoch, expires_at: now() + 8 * 3600 });
  return { status: 204, cookie: `sluicegate=${id}; Path=/; HttpOnly; SameSite=Strict` };
}

function keys(state, method, [id, deed], query, body, need) {
  need(method === "GET" ? (deed === "usage" ? "usage" : "keys_read") : "keys_write");
  if (id === undefined) {
    if (method === "POST") return checkFields({ name: "", ...body }), { status: 201, body: state.make(body) };
    return { body: list(state, query) };
  }
  const entry = state.keys.get(id);
  if (!entry) throw new Refusal(404, "not_found", "There is no such key.");
  const { record } = entry;
  const change = (changed) => {
    entry.record = { ...record, ...changed, version: record.version + 1 };
    return { body: entry.record };
  };
  if (deed === "usage") return { body: { object: "list", data: [state.usage(id)] } };
  if (deed === "rotate") return { body: state.rotate(id) };
  if (deed === "disable" || deed === "enable") return change({ disabled: deed === "disable" });
  if (deed === "revoke-tokens") return change({});
  if (method === "PATCH") {
    checkFields(body);
    const { limits, metadata, ...rest } = body;
    return change({ ...rest, ...(limits ? { limits: merge(record.limits, limits) } : {}), ...(metadata ? { metadata: merge(record.metadata, metadata) } : {}) });
  }
  return { body: record };
}

function list(state, query) {
  const q = query.get("q")?.toLowerCase() ?? "";
  // The newest first.
  const found = [...state.keys.values()].reverse().map(({ record }) => record).filter(({ id, name, owner }) => [id, name, owner ?? ""].some((one) => one.toLowerCase().includes(q)));
  const start = query.get("after") ? found.findIndex(({ id }) => id === query.get("after")) + 1 : 0;
  const data = found.slice(start, start + Number(query.get("limit") ?? 50));
  return { object: "list", data, next: start + data.length < found.length ? data.at(-1).id : null };
}

async function readJson(request) {
  let body = "";
  for await (const chunk of request) body += chunk;
  if (body === "") return {};
  try {
    return JSON.parse(body);
  } catch {
    throw new Refusal(400, "invalid_request", "The body is no JSON.");
  }
}

/** The policy of the Worker's pages, from where it stands. */
async function policy() {
  const source = await readFile(fileURLToPath(new URL("../../worker/src/page.rs", import.meta.url)), "utf8");
  return /const POLICY: &str = "([^"]+)"/.exec(source)[1].replace(/\\\s+/g, "");
}

/** Serves `folder` at `/` and the API below `/admin/`. Gives `{ url, state, close() }`. */
export async function serveAdmin(folder) {
  const state = new AdminState();
  const headers = { "content-security-policy": await policy(), "cache-control": "no-cache" };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://localhost");
    try {
      if (url.pathname.startsWith("/admin/") && url.pathname !== "/admin/") {
        const { status = 200, body, cookie } = await answer(state, request, url);
        response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store", ...(cookie ? { "set-cookie": cookie } : {}) });
        return response.end(body === undefined ? undefined : JSON.stringify(body));
      }
      const name = url.pathname === "/admin/" ? "/admin/index.html" : url.pathname;
      const path = join(folder, name);
      if (!(await stat(path).catch(() => undefined))?.isFile()) return response.writeHead(404).end();
      response.writeHead(200, { ...headers, "content-type": TYPES[extname(path)] ?? "application/octet-stream" });
      response.end(await readFile(path));
    } catch (error) {
      const { status = 500, code = "internal", message, param = null } = error;
      response.writeHead(status, { "content-type": "application/json", "x-request-id": "req_test" });
      response.end(JSON.stringify({ error: { message, type: "invalid_request_error", param, code } }));
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${server.address().port}/`, state, close };
}
