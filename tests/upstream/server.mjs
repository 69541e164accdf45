// Routes, checks, logs, and hands over to the reply.

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { expectedAnswer } from "./answer.mjs";
import { answerBench } from "./bench.mjs";
import { Connection, Gone } from "./connection.mjs";
import { refuseDemanded } from "./demands.mjs";
import { DIALECTS, modelList } from "./dialects.mjs";
import { refusal, statusBody } from "./errors.mjs";
import { FAULT_HEADER, FAULTS, SCHEDULES } from "./faults.mjs";
import { Entry, Journal } from "./journal.mjs";
import { traitsOf } from "./misbehave.mjs";
import { answerRelayed, has, readForm, RELAYED, shownForm } from "./relay.mjs";
import { answer, answerFault, send } from "./reply.mjs";
import { checkWhen, Occasions } from "./schedule.mjs";
import { refuseChat, refuseCompletion } from "./validate.mjs";

const MAX_REQUESTS = 1000;
const MAX_LOG_BYTES = 64 << 20;
const MAX_BODY_BYTES = 48 << 20;
const MAX_SCHEDULES = 1000;
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/;
const REPLACED = ["status", "recording", "reset", "silence", "redirect", "html-524", "html-200", "context-overflow", "error-200"];
const ROUTE = /^(?:\/(openai|deepseek|siliconflow))?(?:\/(v1|beta|anthropic\/v1))?(\/.*)$/;

/**
 * Starts the scripted upstream.
 *
 * `dialect` is the one of plain `/v1`; `pace` the milliseconds between tokens; `key` the bearer token to insist on;
 * `keepAlive` the milliseconds between keep-alive comments; `schedule` a first one, as for `schedule()`; `faults` serves the list
 * of misbehaviours at `/faults`, on loopback only.
 *
 * Gives `{ url, port, requests, journal, schedule(), accept(), reset(), close() }`. `requests` holds the latest 1000, as `{ method,
 * path, dialect, headers, body, model, at, status, aborted, abortedAt, finished, dropped }`; `journal` the latest 10,000 as `Entry`
 * has them. `schedule(plan, { model, path })` makes this server misbehave (see `Upstream.schedule`); `accept(...tokens)` changes the
 * bearer tokens that it takes (none: any). `reset()` forgets both logs, all counts and all schedules, and takes `key` again.
 */
export async function startUpstream({ port = 0, host = "127.0.0.1", dialect = "openai", pace = 0, key, keepAlive = 50, schedule, faults = false } = {}) {
  if (!DIALECTS.includes(dialect)) throw new TypeError(`no such dialect: ${dialect} (there are ${DIALECTS.join(", ")})`);
  if (faults && !LOOPBACK.test(host)) throw new TypeError(`the list of faults is served on loopback only, not on ${host}`);
  const upstream = new Upstream({ dialect, pace, key, keepAlive, faults });
  if (schedule !== undefined) upstream.schedule(schedule);
  const server = createServer({ noDelay: true, keepAliveTimeout: 60_000 }, (request, response) => upstream.handle(request, response));
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const bound = server.address().port;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}/v1`,
    port: bound,
    requests: upstream.requests,
    journal: upstream.journal,
    schedule: (plan, only) => upstream.schedule(plan, only),
    accept: (...tokens) => upstream.accept(...tokens),
    reset: () => upstream.reset(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

class Upstream {
  requests = [];
  #options;
  #logBytes = 0;
  #sizes = [];
  #journal = new Journal();
  #occasions = new Occasions();
  #schedules = new Set();
  #planned = 0;
  #accepted;
  #served = 0;
  #bench = 0;

  constructor(options) {
    this.#options = options;
    this.accept(options.key);
  }

  get journal() {
    return this.#journal.entries;
  }

  /**
   * Makes the server misbehave by itself, whatever the model's name: all its calls, or those whose model (or path) is `only.model`
   * (`only.path`), a string that it contains or a RegExp. `plan` is
   * - words as in a name, each with its own schedule: `"status-429-retry-2-times-2"`;
   * - an object with the same in fields: `{ words: "status-429-retry-2", times: 2 }`, also `from`, `firstOf`, `every`, `chance` (0 to 1)
   *   with `seed`, and `bad` with `good` in milliseconds;
   * - a list with words, or `null` for good behaviour, one for each call in turn, and good behaviour after its end.
   *
   * Gives `{ calls, faults, stop() }`: how many calls it has looked at and how many misbehaved, and its end.
   */
  schedule(plan, only = {}) {
    const words = Array.isArray(plan) ? plan : [typeof plan === "string" ? plan : plan?.words];
    for (const each of words) {
      const known = typeof each === "string" && Object.keys(traitsOf(each)).length > 0;
      if (!known && !(Array.isArray(plan) && each === null)) throw new TypeError(`no misbehaviour: ${each}`);
    }
    if (this.#schedules.size >= MAX_SCHEDULES) throw new RangeError(`no more than ${MAX_SCHEDULES} schedules`);
    const { words: _, ...when } = typeof plan === "object" && !Array.isArray(plan) ? plan : {};
    const schedule = { id: ++this.#planned, words, list: Array.isArray(plan), when: checkWhen(when), only, calls: 0, faults: 0, stop: () => this.#schedules.delete(schedule) };
    this.#schedules.add(schedule);
    return schedule;
  }

  /** Takes these bearer tokens from now on and no others; any, if there are none. */
  accept(...tokens) {
    const given = tokens.flat().filter((token) => token !== undefined);
    this.#accepted = given.length > 0 ? new Set(given.map((token) => `Bearer ${token}`)) : undefined;
  }

  handle(request, response) {
    const at = performance.now();
    const parts = [];
    let length = 0;
    request.on("data", (part) => {
      length += part.length;
      if (length <= MAX_BODY_BYTES) parts.push(part);
      else parts.length = 0;
    });
    request.on("error", () => {});
    request.on("end", () => {
      const bytes = parts.length === 1 ? parts[0] : Buffer.concat(parts);
      if (answerBench(bytes, response)) {
        this.#bench += 1;
        return;
      }
      this.#serve(request, response, { bytes, length, at }).catch((error) => {
        if (error instanceof Gone) return;
        process.stderr.write(`scripted upstream: ${error.stack}\n`);
        if (response.headersSent) response.destroy();
        else json(response, { error: { message: `The scripted upstream has a bug: ${error.message}` } }, 500);
      });
    });
  }

  reset() {
    this.requests.length = 0;
    this.#sizes.length = 0;
    this.#logBytes = 0;
    this.#bench = 0;
    this.#journal.clear();
    this.#occasions.clear();
    this.#schedules.clear();
    this.accept(this.#options.key);
  }

  async #serve(request, response, { bytes, length, at }) {
    const path = request.url.split("?")[0];
    if (path === "/__requests") return json(response, { requests: this.requests, bench: this.#bench });
    if (path === "/__journal") return json(response, { journal: this.journal });
    if (path === "/faults" && this.#options.faults && request.method === "GET") {
      return json(response, { header: FAULT_HEADER, joinedBy: "+", faults: FAULTS, schedules: SCHEDULES }, 200, { "access-control-allow-origin": "*" });
    }
    if (path === "/__reset" && request.method === "POST") {
      this.reset();
      return json(response, { ok: true });
    }
    if (path === "/__expected" && request.method === "POST") return expected(request, response, bytes);

    const [, named, version, endpoint] = ROUTE.exec(path) ?? [undefined, undefined, undefined, path];
    const dialect = named ?? this.#options.dialect;
    const form = readForm(bytes, request.headers["content-type"]);
    const body = form ?? parse(bytes);
    const record = this.#log(request, path, dialect, bytes, form ? shownForm(form) : body);
    const id = createHash("md5").update(`scripted ${++this.#served}`).digest("hex");
    const query = request.url.slice(path.length);
    const entry = new Entry({ id, at, method: request.method, path, query, dialect, headers: request.headers, body: record.body, model: record.model });
    this.#journal.add(entry, bytes.length);
    const connection = new Connection(request, response, record, entry);
    const call = { connection, dialect, id, path: request.url, traits: {}, beta: version === "beta", pace: this.#options.pace, keepAlive: this.#options.keepAlive };
    const refuse = (status, text = statusBody(dialect, status).text) => send(call, status, "application/json", text);

    // Anthropic's clients send theirs elsewhere.
    const credential = request.headers.authorization ?? (endpoint === "/messages" ? `Bearer ${request.headers["x-api-key"]}` : undefined);
    if (this.#accepted?.has(credential) === false) return refuse(401);
    if (length > MAX_BODY_BYTES) return refuse(413);
    if (request.method === "GET" && endpoint === "/models") return send(call, 200, "application/json", JSON.stringify(modelList(dialect)));
    const kind = { "/chat/completions": "chat", "/completions": "completion" }[endpoint];
    const relayed = RELAYED[endpoint];
    // What DeepSeek has of Anthropic's protocol is not at its own base.
    const isElsewhere = (dialect === "deepseek" && relayed === "messages") !== (version === "anthropic/v1");
    if (relayed !== undefined && has(dialect, relayed) && !isElsewhere && request.method === "POST") {
      if (body === undefined) return refuse(400);
      call.traits = this.#traits(record, request.headers, at);
      entry.faults = Object.keys(call.traits);
      const relay = { ...call, body, kind: relayed };
      if (!(await answerFault(relay))) await answerRelayed(relay);
      return;
    }
    if (kind === undefined || request.method !== "POST") return refuse(404);
    if (body === undefined) return refuse(400, dialect === "siliconflow" ? refusal(dialect, "The request body is not valid JSON.") : undefined);

    call.traits = this.#traits(record, request.headers, at);
    entry.faults = Object.keys(call.traits);
    const token = call.traits["wants-token"];
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) return refuse(401);
    if (!REPLACED.some((trait) => call.traits[trait] !== undefined)) {
      const refused = kind === "chat" ? refuseChat(body, dialect, call.beta) : refuseCompletion(body, dialect, call.beta);
      const text = refused ?? refuseDemanded(body, dialect, call.beta, call.traits);
      if (text !== undefined) return refuse(400, text);
    }
    await answer({ ...call, body, kind });
  }

  /** What this call is to suffer: by the server's schedules, by its header, and by its model's name. */
  #traits({ model = "", path }, headers, now) {
    const words = (text, scope) => traitsOf(text, (key, _, when) => this.#occasions.due(`${scope}\n${key}`, when, now));
    const traits = {};
    for (const schedule of this.#schedules) {
      if (!fits(schedule.only.model, model) || !fits(schedule.only.path, path)) continue;
      const scope = `schedule ${schedule.id}`;
      const text = schedule.words[schedule.list ? schedule.calls : 0];
      schedule.calls += 1;
      if (!text || !this.#occasions.due(scope, schedule.when, now)) continue;
      const found = words(text, scope);
      if (Object.keys(found).length > 0) schedule.faults += 1;
      Object.assign(traits, found);
    }
    const scenario = headers["x-scenario"] ?? "";
    const asked = headers[FAULT_HEADER];
    if (asked !== undefined) Object.assign(traits, words(asked, `${model}\n${scenario}\nheader ${asked}`));
    return Object.assign(traits, words(model, `${model}\n${scenario}`));
  }

  #log(request, path, dialect, bytes, body) {
    const record = {
      method: request.method,
      path,
      dialect,
      headers: { ...request.headers },
      body: body ?? bytes.toString(),
      model: typeof body?.model === "string" ? body.model : undefined,
      at: Date.now(),
      status: undefined,
      aborted: false,
      abortedAt: undefined,
      finished: false,
      dropped: false,
    };
    this.requests.push(record);
    this.#sizes.push(bytes.length);
    this.#logBytes += bytes.length;
    while (this.requests.length > MAX_REQUESTS || (this.#logBytes > MAX_LOG_BYTES && this.requests.length > 1)) {
      this.requests.shift();
      this.#logBytes -= this.#sizes.shift();
    }
    return record;
  }
}

function expected(request, response, bytes) {
  const dialect = new URL(request.url, "http://localhost").searchParams.get("dialect") ?? "openai";
  const body = parse(bytes);
  if (body === undefined || !DIALECTS.includes(dialect)) return json(response, { error: "no such body or dialect" }, 400);
  json(response, expectedAnswer(body, { dialect }));
}

/** Whether a text contains a string, or matches an expression; anything fits what is not given. */
function fits(wanted, text) {
  return wanted === undefined || (typeof wanted === "string" ? text.includes(wanted) : text.search(wanted) >= 0);
}

function parse(bytes) {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

function json(response, value, status = 200, headers = {}) {
  const bytes = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { ...headers, "content-type": "application/json", "content-length": bytes.length });
  response.end(bytes);
}
