// Moves the bytes of one call. What happens is told to the tap (a call in wasm), which says what to do about it in a few
// bits; nothing here knows a rule. A chunk that passes is written as it came.

import { waitUntil } from "cloudflare:workers";

const REPLACED = 1; // Not this chunk: `tap.replacement()` instead.
const REARM = 2; // The deadline moved forward.
const OVER = 4; // Nothing more is read; the upstream is to be let go.

const EMPTY = new Uint8Array(0);
// A write that takes so long, in milliseconds, is the caller's pause and is taken out of the upstream's silence.
const SLOW = 50;
const HEARTBEAT = new TextEncoder().encode(":\n\n");

/** A request's method, address and headers as one text: one crossing instead of one for each. */
export function headOf(request) {
  return `${request.method}\n${request.url}\n${headersTo(request.headers)}`;
}

/** Reads a request's body and has the call made. Both ways out of the door free it. */
export async function admit(door, request, limit) {
  let body;
  try {
    body = await bodyOf(request, limit);
  } catch {
    return door.broken();
  }
  return body === null ? door.oversized() : door.open(body, request.signal);
}

/** A body of at most `limit` bytes, counted as they come, whatever its length header says; `null` if there is more. */
async function bodyOf(request, limit) {
  if (!request.body) return EMPTY;
  // The runtime ends a body at the length that its header states: within the limit, one read does.
  if (!isWithin(request.headers, limit)) return collect(request.body.getReader(), limit);
  const whole = new Uint8Array(await request.arrayBuffer());
  return whole.byteLength > limit ? null : whole;
}

function isWithin(headers, limit) {
  const length = headers.get("content-length");
  return length !== null && /^\d{1,9}$/.test(length) && Number(length) <= limit;
}

async function collect(reader, limit) {
  const chunks = [];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.byteLength;
    if (size > limit) {
      reader.cancel().catch(() => {});
      return null;
    }
    chunks.push(part.value);
  }
  return joined(chunks, size);
}

function joined(chunks, size) {
  if (chunks.length === 1) return chunks[0];
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/** Headers cross as one text: name, line feed, value, line feed; neither can hold a line feed. */
function headersFrom(text) {
  const headers = new Headers();
  const parts = text.split("\n");
  for (let at = 0; at + 1 < parts.length; at += 2) headers.append(parts[at], parts[at + 1]);
  return headers;
}

/** The same for names of which none comes twice; the runtime takes a record faster than a `Headers`. */
function recordFrom(text) {
  const record = {};
  const parts = text.split("\n");
  for (let at = 0; at + 1 < parts.length; at += 2) record[parts[at]] = parts[at + 1];
  return record;
}

function headersTo(headers) {
  let text = "";
  headers.forEach((value, name) => {
    text += `${name}\n${value}\n`;
  });
  return text;
}

/** A response; `encodeBody: manual` is not set, so a body is sent as it is. */
export function respond(status, headers, body) {
  return new Response(body, { status, headers: recordFrom(headers) });
}

/** A page's file with other headers than the assets binding gave it. */
export function dress(response, headers) {
  const dressed = new Response(response.body, response);
  for (const [name, value] of headersFrom(headers)) dressed.headers.set(name, value);
  return dressed;
}

/** A small JSON document: its bytes, or `null` if it is not to be had in time and size. */
export async function fetchSmall(url, headers, limit, millis) {
  try {
    const response = await fetch(url, { headers: headersFrom(headers), redirect: "manual", signal: AbortSignal.timeout(millis) });
    if (response.status !== 200 || !response.body) {
      response.body?.cancel().catch(() => {});
      return null;
    }
    return await collect(response.body.getReader(), limit);
  } catch {
    return null;
  }
}

/** Sends a request and reads the answer. Gives a `Response` as soon as the upstream begins to stream, or at its end. The tap is freed here. */
export async function drive(tap, url, headers, body, caller, heartbeat) {
  const call = new Call(tap, caller, heartbeat);
  let response;
  try {
    response = await fetch(url, { method: "POST", headers: headersFrom(headers), body, redirect: "manual", signal: call.abort.signal });
  } catch {
    call.ended = true;
    call.told(tap.fail(Date.now()));
    return call.answer(null);
  }
  const reader = response.body?.getReader();
  call.told(tap.head(Date.now(), response.status, headersTo(response.headers)));
  if (!reader || !tap.isStreaming()) return call.answer(await call.whole(reader, lengthOf(response.headers)));
  const { readable, writable } = new IdentityTransformStream();
  const answer = tap.respond(Date.now(), readable);
  // The call goes on when the handler has returned, and for its log line when the client has left.
  waitUntil(call.pump(reader, writable.getWriter()));
  return answer;
}

/** How many bytes a body will have, where its head says so; `Infinity` where only its end can tell. */
function lengthOf(headers) {
  const length = headers.get("content-length");
  return length && !headers.has("content-encoding") ? Number(length) : Infinity;
}

class Call {
  constructor(tap, caller, heartbeat) {
    this.tap = tap;
    this.abort = new AbortController();
    this.over = false;
    // Nothing more comes from the upstream, so that there is nothing to abort.
    this.ended = false;
    this.closed = false;
    this.writing = false;
    this.gone = () => {
      if (!this.closed) this.told(tap.cancel(Date.now()));
    };
    this.fire = () => this.expire();
    this.heartbeat = heartbeat;
    this.beatAt = Date.now() + heartbeat;
    this.arm();
    // The request is ours alone, and a listener costs eight times as much.
    if (caller) caller.onabort = this.gone;
    if (caller?.aborted) this.gone();
  }

  /** Carries out what the tap said. */
  told(flags) {
    if (this.over) return;
    if (flags & OVER) {
      this.over = true;
      clearTimeout(this.timer);
      // With a reason: without one, the runtime makes an error and collects its stack.
      if (!this.ended) this.abort.abort(OVER);
    } else if (flags & REARM) {
      this.arm();
    }
  }

  /** Sets the timer. A deadline that moves back is noticed when the timer fires too early, not at each chunk. */
  arm() {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.fire, Math.max(0, Math.min(this.tap.deadline(), this.beatAt) - Date.now()));
  }

  expire() {
    if (this.over) return;
    const now = Date.now();
    if (now >= this.beatAt) this.beat(now);
    if (this.writing) this.waited(now);
    const flags = this.tap.expire(now);
    this.told(flags);
    if (!(flags & (OVER | REARM))) this.arm();
  }

  /** While the client takes its time to read, the upstream cannot be blamed for silence. */
  waited(now) {
    this.tap.stalled(this.writingSince, now);
    this.writingSince = now;
  }

  /** Reads a whole answer, or a failure: up to the end, or to its length, which saves the wait for the end to be told. */
  async whole(reader, length) {
    const chunks = [];
    let size = 0;
    try {
      while (reader && !this.over) {
        const { done, value } = await reader.read();
        if (done) {
          this.ended = true;
          break;
        }
        chunks.push(value);
        size += value.byteLength;
        this.ended = size >= length;
        this.told(this.tap.bytes(Date.now(), value));
        if (this.ended) break;
      }
      this.told(this.tap.end(Date.now()));
    } catch {
      this.ended = true;
      this.told(this.tap.fail(Date.now()));
    }
    return [() => null, () => joined(chunks, size), () => this.tap.recast()][this.tap.verdict()]();
  }

  /** Hands a stream on, chunk by chunk. */
  async pump(reader, writer) {
    const { tap } = this;
    this.writer = writer;
    this.silent = true;
    writer.closed.catch(this.gone);
    let written = false;
    try {
      while (!this.over) {
        let part;
        try {
          part = await reader.read();
        } catch {
          this.ended = true;
          this.told(tap.fail(Date.now()));
          break;
        }
        if (part.done) {
          this.ended = true;
          this.told(tap.end(Date.now()));
          break;
        }
        const flags = tap.forward(Date.now(), part.value);
        let bytes = flags & REPLACED ? tap.replacement() : part.value;
        if (flags > REPLACED) this.told(flags);
        if (bytes.byteLength === 0) continue;
        // Behind a comment of ours, a byte order mark is no longer at the beginning.
        if (!written && this.commented && bytes[0] === 0xef && bytes[1] === 0xbb) bytes = bytes.subarray(3);
        written = true;
        this.silent = false;
        this.writing = true;
        this.writingSince = Date.now();
        await writer.write(bytes);
        this.writing = false;
        const now = Date.now();
        if (now - this.writingSince >= SLOW) this.waited(now);
      }
      const tail = tap.tail();
      if (tail.byteLength) await writer.write(tail);
      await writer.close();
    } catch {
      this.gone();
    } finally {
      if (!this.ended) reader.cancel().catch(() => {});
      this.close();
    }
  }

  /** The response with a whole answer, or with the error for which there is none. */
  answer(whole) {
    try {
      return this.tap.respond(Date.now(), whole);
    } finally {
      this.close();
    }
  }

  /**
   * Writes a comment when nothing else was written for a while: it keeps proxies from giving up, and workerd learns only by
   * writing that a caller has closed its side. What was written before ended with a whole event, so a comment fits there.
   */
  beat(now) {
    this.beatAt = now + this.heartbeat;
    if (!this.writer || this.writing) return;
    if (this.silent) {
      this.commented = true;
      this.writer.write(HEARTBEAT).catch(this.gone);
    }
    this.silent = true;
  }

  close() {
    this.over = true;
    this.closed = true;
    clearTimeout(this.timer);
    this.tap.finish();
  }
}
