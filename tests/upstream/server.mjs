// Routes, checks, logs, and hands over to the reply.

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { expectedAnswer } from "./answer.mjs";
import { answerBench } from "./bench.mjs";
import { Connection, Gone } from "./connection.mjs";
import { DIALECTS, modelList } from "./dialects.mjs";
import { refusal, statusBody } from "./errors.mjs";
import { traitsOf } from "./misbehave.mjs";
import { answer, send } from "./reply.mjs";
import { refuseChat, refuseCompletion } from "./validate.mjs";

const MAX_REQUESTS = 1000;
const MAX_LOG_BYTES = 64 << 20;
const MAX_BODY_BYTES = 48 << 20;
const MAX_SCENARIOS = 10_000;
const ROUTE = /^(?:\/(openai|deepseek|siliconflow))?(?:\/(v1|beta))?(\/.*)$/;

/**
 * Starts the scripted upstream.
 *
 * `dialect` is the one of plain `/v1`; `pace` the milliseconds between tokens; `key` the bearer token to insist on;
 * `keepAlive` the milliseconds between keep-alive comments. Gives `{ url, port, requests, close() }`; `requests` holds the
 * latest 1000, as `{ method, path, dialect, headers, body, model, at, status, aborted, abortedAt, finished, dropped }`.
 */
export async function startUpstream({ port = 0, host = "127.0.0.1", dialect = "openai", pace = 0, key, keepAlive = 50 } = {}) {
  if (!DIALECTS.includes(dialect)) throw new TypeError(`no such dialect: ${dialect} (there are ${DIALECTS.join(", ")})`);
  const upstream = new Upstream({ dialect, pace, key, keepAlive });
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
  #tries = new Map();
  #served = 0;
  #bench = 0;

  constructor(options) {
    this.#options = options;
  }

  handle(request, response) {
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
      this.#serve(request, response, bytes, length).catch((error) => {
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
    this.#tries.clear();
  }

  async #serve(request, response, bytes, length) {
    const path = request.url.split("?")[0];
    if (path === "/__requests") return json(response, { requests: this.requests, bench: this.#bench });
    if (path === "/__reset" && request.method === "POST") {
      this.reset();
      return json(response, { ok: true });
    }
    if (path === "/__expected" && request.method === "POST") return expected(request, response, bytes);

    const [, named, version, endpoint] = ROUTE.exec(path) ?? [undefined, undefined, undefined, path];
    const dialect = named ?? this.#options.dialect;
    const body = parse(bytes);
    const record = this.#log(request, path, dialect, bytes, body);
    const connection = new Connection(request, response, record);
    const id = createHash("md5").update(`scripted ${++this.#served}`).digest("hex");
    const call = { connection, dialect, id, path: request.url, traits: {}, beta: version === "beta", pace: this.#options.pace, keepAlive: this.#options.keepAlive };
    const refuse = (status, text = statusBody(dialect, status).text) => send(call, status, "application/json", text);

    if (this.#options.key !== undefined && request.headers.authorization !== `Bearer ${this.#options.key}`) return refuse(401);
    if (length > MAX_BODY_BYTES) return refuse(413);
    if (request.method === "GET" && endpoint === "/models") return send(call, 200, "application/json", JSON.stringify(modelList(dialect)));
    const kind = { "/chat/completions": "chat", "/completions": "completion" }[endpoint];
    if (kind === undefined || request.method !== "POST") return refuse(404);
    if (body === undefined) return refuse(400, dialect === "siliconflow" ? refusal(dialect, "The request body is not valid JSON.") : undefined);

    call.traits = traitsOf(record.model ?? "", (key, times) => this.#stillFails(`${record.model}\n${request.headers["x-scenario"] ?? ""}\n${key}`, times));
    const replaced = ["status", "recording", "reset", "silence", "redirect", "html-524", "html-200", "context-overflow", "error-200"].some((trait) => call.traits[trait] !== undefined);
    const refused = replaced ? undefined : kind === "chat" ? refuseChat(body, dialect, call.beta) : refuseCompletion(body, dialect, call.beta);
    if (refused !== undefined) return refuse(400, refused);
    await answer({ ...call, body, kind });
  }

  #stillFails(scenario, times) {
    const tries = (this.#tries.get(scenario) ?? 0) + 1;
    if (this.#tries.size >= MAX_SCENARIOS) this.#tries.delete(this.#tries.keys().next().value);
    this.#tries.set(scenario, tries);
    return tries <= times;
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

function parse(bytes) {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

function json(response, value, status = 200) {
  const bytes = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { "content-type": "application/json", "content-length": bytes.length });
  response.end(bytes);
}
