// Answers one checked request: the misbehaviours that replace the response head, then a stream or a whole body.

import { readFileSync } from "node:fs";
import { countOutput, planAnswer } from "./answer.mjs";
import { headersOf, metaOf, streamEvents, wholeAnswer } from "./dialects.mjs";
import { contentText } from "./dialogue.mjs";
import { htmlPage, inStreamError, overflowBody, statusBody } from "./errors.mjs";
import { EventWriter, writeCut } from "./framing.mjs";
import { quotingError } from "./private.mjs";
import { BREAKS } from "./recovery.mjs";

const RECORDINGS = new URL("../vectors/recordings/", import.meta.url);
const KEEP_ALIVES = 3;
const DATE_AHEAD_MS = 2000;

/** Answers `call`: `{ connection, traits, body, dialect, beta, kind, id, path, pace, keepAlive }`. */
export async function answer(call) {
  if (await answerFault(call)) return;
  const plan = planAnswer(call.body, call);
  const meta = metaOf(call.dialect, call.body, call.id, call.kind);
  if (call.body.stream === true) await stream(call, plan, meta);
  else await whole(call, plan, meta);
}

/** What comes in place of an answer, whatever was asked for; false if nothing does. */
export async function answerFault(call) {
  const { connection, traits } = call;
  if (traits.reset) await connection.drop();
  if (traits.silence) await connection.silence();
  if (traits.reset || traits.silence) return true;
  await connection.sleep(traits["slow-head"]);
  const limit = BREAKS.find(({ key, place }) => place === "bytes" && traits[key] !== undefined);
  if (limit) connection.limit(traits[limit.key], limit.end);
  return answerInstead(call);
}

/** A body that needs no more than a head and its bytes. */
export function send(call, status, type, text, extra = {}) {
  const bytes = Buffer.from(text);
  call.connection.head(status, { ...headersFor(call), ...extra, "content-type": type, "content-length": bytes.length });
  call.connection.end(bytes);
}

async function answerInstead(call) {
  const { traits, dialect } = call;
  if (traits.status) {
    const { code, retryAfter, retryAfterMs, date } = traits.status;
    const extra = {};
    if (retryAfter !== undefined) extra["retry-after"] = retryAfter;
    if (retryAfterMs !== undefined) extra["retry-after-ms"] = retryAfterMs;
    // A date has whole seconds: rounded up, it is never less than what was asked for.
    if (date) extra["retry-after"] = new Date(Math.ceil((Date.now() + DATE_AHEAD_MS) / 1000) * 1000).toUTCString();
    const { type, text } = statusBody(dialect, code);
    send(call, code, type, text, extra);
  } else if (traits.quotes) {
    send(call, traits.quotes, "application/json", quotingError(questionOf(call)));
  } else if (traits.redirect) {
    send(call, 302, "text/html", "", { location: call.path });
  } else if (traits["html-524"] || traits["html-200"]) {
    const status = traits["html-200"] ? 200 : 524;
    send(call, status, "text/html; charset=UTF-8", htmlPage(status));
  } else if (traits["context-overflow"]) {
    send(call, 400, "application/json", overflowBody(dialect));
  } else if (traits["error-200"]) {
    send(call, 200, "application/json", inStreamError(dialect));
  } else if (traits.recording) {
    await replay(call);
  } else {
    return false;
  }
  return true;
}

/** What an error of this upstream quotes. */
function questionOf({ body }) {
  const messages = body.messages?.filter(({ role }) => role === "user");
  return messages ? contentText(messages.at(-1)?.content) : String(body.prompt ?? "");
}

async function replay(call) {
  const name = /^(?:short|usage|length|chinese)$/i.test(call.traits.recording) ? `stream-${call.traits.recording}` : call.traits.recording;
  const file = name.toLowerCase();
  const head = readFileSync(new URL(`${file}.headers`, RECORDINGS), "latin1");
  const bytes = readFileSync(new URL(`${file}.${file.startsWith("stream-") ? "sse" : "json"}`, RECORDINGS));
  call.connection.head(Number(head.split(" ")[1]), { "content-type": /^content-type: (.*?)\r?$/im.exec(head)[1] });
  await writeCut(call.connection, bytes, call.traits);
  call.connection.end();
}

function headersFor({ dialect, id, traits }) {
  const headers = headersOf(dialect, id);
  if (traits["headers-big"] !== undefined) {
    for (let at = 0; at < traits["headers-big"]; at += 1) headers[`x-padding-${at}`] = "p".repeat(1008);
  }
  return headers;
}

async function stream(call, plan, meta) {
  const { connection, traits, dialect, keepAlive } = call;
  const type = traits["wrong-type"] ? "text/plain; charset=utf-8" : dialect === "siliconflow" ? "text/event-stream" : "text/event-stream; charset=utf-8";
  connection.head(200, { ...headersFor(call), "content-type": type, "cache-control": "no-cache" });
  const writer = new EventWriter(connection, traits);
  const alive = async () => {
    await writer.comment("keep-alive");
    await connection.sleep(keepAlive);
  };
  while (traits["keepalive-forever"]) await alive();
  if (traits.keepalive) for (let sent = 0; sent < KEEP_ALIVES; sent += 1) await alive();
  await keptAlive(traits, alive);
  await connection.sleep(traits["slow-first"]);

  const pacer = new Pacer(call);
  const sent = { all: 0, reasoning: 0, content: 0, tool: 0 };
  let pending;
  for (const event of streamEvents(plan, meta)) {
    if (pending !== undefined) await writer.event(pending);
    pending = undefined;
    if (event.token || event.last) {
      if (await breakAfter(call, sent, event, writer, alive)) return;
      if (event.token) await pacer.next(sent.all);
    }
    if (event.last && traits["done-no-finish"]) continue;
    // The last event of the stream has to be known as such, so each one waits for its successor's existence only.
    if (event.token) {
      await writer.event(event.data);
      sent.all += 1;
      sent[event.token] += 1;
      connection.entry.token(event.token);
    } else {
      pending = event.data;
    }
  }
  if (pending !== undefined) await writer.event(pending, { final: Boolean(traits["no-done"]) });
  if (!traits["no-done"]) await writer.event("[DONE]", { final: true });
  connection.end();
}

/** Does what the name asks for once `sent` tokens are out; true if that was the end of the stream. */
async function breakAfter(call, sent, event, writer, alive) {
  const { connection, traits, dialect } = call;
  const due = (name) => traits[name] !== undefined && sent.all >= traits[name];
  const action = ["cut", "eof", "stall"].find(due) ?? BREAKS.find((row) => reached(row, traits[row.key], sent, event))?.end;
  if (action) await connection.stop(action);
  else if (due("keepalive-stall")) for (;;) await alive();
  else if (due("error-in-stream") || due("error-event")) {
    await writer.event(inStreamError(dialect), due("error-event") ? { type: "error" } : {});
    connection.end(undefined, { early: true });
  } else if (due("quotes-in-stream")) {
    await writer.event(quotingError(questionOf(call)));
    connection.end(undefined, { early: true });
  } else if (due("malformed")) {
    await writer.event('{"choices":[{"index":0,"delta":{"content":"bro');
    connection.end(undefined, { early: true });
  } else return false;
  return true;
}

/** Whether a break at a place is due before `event`. Reasoning that is shorter than asked for breaks where it ends. */
function reached({ place }, count, sent, event) {
  if (count === undefined || place === "bytes") return false;
  if (place === "reasoning") return sent.reasoning >= count || (sent.reasoning > 0 && event.token !== "reasoning");
  return sent[place === "text" ? "content" : place] >= count;
}

/** Keep-alive comments for as long as the name asks for. */
async function keptAlive(traits, alive) {
  const until = performance.now() + (traits["keepalive-first"] ?? 0);
  while (performance.now() < until) await alive();
}

async function whole(call, plan, meta) {
  const { connection, traits, dialect, keepAlive, pace } = call;
  if (traits["error-in-stream"] !== undefined || traits["error-event"] !== undefined) return send(call, 200, "application/json", inStreamError(dialect));
  const text = JSON.stringify(wholeAnswer(plan, meta));
  const bytes = Buffer.from(text);
  const placed = BREAKS.find(({ key }) => traits[key] !== undefined);
  const inMiddle = placed?.place === "bytes" ? undefined : placed?.end;
  const breaks = ["cut", "eof", "stall", "keepalive-stall", "malformed"].find((name) => traits[name] !== undefined) ?? inMiddle;
  const waits = traits.keepalive || traits["keepalive-forever"] || traits["keepalive-first"] !== undefined;
  const type = traits["wrong-type"] ? "text/plain; charset=utf-8" : "application/json";
  const length = breaks || placed || waits ? {} : { "content-length": bytes.length };
  connection.head(200, { ...headersFor(call), "content-type": type, ...length });
  const alive = async () => {
    await connection.write(Buffer.from("\n"));
    await connection.sleep(keepAlive);
  };
  while (traits["keepalive-forever"]) await alive();
  if (traits.keepalive) for (let sent = 0; sent < KEEP_ALIVES; sent += 1) await alive();
  await keptAlive(traits, alive);
  await connection.sleep(traits["slow-first"] ?? traits["slow-drip"] ?? pace);
  if (!breaks) {
    await writeCut(connection, bytes, traits);
    const { reasoning, content, tool } = countOutput(plan);
    for (const [kind, count] of Object.entries({ reasoning, content, tool })) connection.entry.token(kind, count);
    return connection.end();
  }
  await writeCut(connection, bytes.subarray(0, bytes.length >> 1), traits);
  while (breaks === "keepalive-stall") await alive();
  await connection.stop(breaks === "malformed" ? "eof" : breaks);
}

/** Keeps tokens at the rate that the name or the server asks for, by due time, so that delays do not add up. */
class Pacer {
  #connection;
  #interval;
  #trickle;
  #due;

  constructor({ connection, traits, pace }) {
    this.#connection = connection;
    this.#interval = traits["slow-drip"] ?? (traits.rate ? 1000 / traits.rate : pace);
    this.#trickle = traits.trickle;
    this.#due = performance.now();
  }

  /** Waits for the turn of the token after `sent`. */
  async next(sent) {
    const trickles = this.#trickle !== undefined && sent >= this.#trickle.after;
    const interval = trickles ? this.#trickle.ms : this.#interval;
    if (!interval) return;
    // What was sent without a pace, or in a quicker one, gives the slow tokens no time in hand.
    this.#due = (trickles ? Math.max(this.#due, performance.now()) : this.#due) + interval;
    const wait = this.#due - performance.now();
    if (wait >= 1) await this.#connection.sleep(wait);
  }
}
