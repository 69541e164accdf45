// Moves the bytes of one call. What happens is told to the tap (a call in wasm), which says what to do about it in a few
// bits; nothing here knows a rule. A chunk that passes is written as it came.
//
// A call has one way down to its caller, an outlet, and attempts at upstreams, each a request with a reading loop of its own.

import { waitUntil } from "cloudflare:workers";

const REPLACED = 1; // Not this chunk: `tap.replacement()` instead.
const REARM = 2; // The deadline moved forward.
const OVER = 4; // Nothing more is read or sent.
const SEND = 8; // There are requests to send: `tap.next()`.
const ABORT = 16; // There are attempts to let go: `tap.dropped()`.

const EMPTY = new Uint8Array(0);
// A write that takes so long, in milliseconds, is the caller's pause and is taken out of the upstream's silence.
const SLOW = 50;
// After so many chunks the event loop gets its turn: while one connection always has something to read, workerd asks no other, and neither
// another request nor a caller's leaving would be noticed.
export const TURN = 32;
const HEARTBEAT = new TextEncoder().encode(":\n\n");

/** A request's method, address and headers as one text: one crossing instead of one for each. */
export function headOf(request) {
  return `${request.method}\n${request.url}\n${headersTo(request.headers)}`;
}

/**
 * Reads a request's body and has the call made. All ways out of the door free it. `namespace` is given where a stream is to be made in an
 * object of its own, so that it can be resumed. `caller` is given where tokens are to be keyed, `seal` being the secret.
 */
export async function admit(door, request, limit, time, namespace, id, caller, seal, assets) {
  let body;
  try {
    body = await bodyOf(request, limit, time);
  } catch {
    return door.broken();
  }
  if (body === undefined) return door.slow();
  if (body === null) return door.oversized();
  // Once for an isolate: what is on its way belongs to the request that asked for it. Without the model the door stays shut.
  if (assets !== undefined) door.learn(await namesOf(assets).catch(() => undefined));
  // Without its key as well.
  const key = caller === undefined ? undefined : await keyOf(seal, caller).catch(() => undefined);
  return door.open(body, request.signal, namespace && (() => enter(namespace, null, request, id, body)), key);
}

const MODEL_BYTES = 4 << 20;
const MODEL_PATIENCE = 5_000;

/** The weights of the search for names, from among the page's files. */
export async function namesOf(assets) {
  const response = await assets?.fetch("https://assets.invalid/names.bin", { signal: AbortSignal.timeout(MODEL_PATIENCE) });
  if (!response?.ok || !response.body) return undefined;
  return (await collect(response.body.getReader(), MODEL_BYTES)) ?? undefined;
}

const UTF8 = new TextEncoder();
// What a key is made for: the same secret makes others for other ends.
const PURPOSE = "sluicegate redaction tokens 1\n";
// The secret as it was used last. An isolate that was given none makes one in a request: there are no random numbers outside of one.
let sealed;

/** The key of a caller's tokens: the same as long as the secret is. */
async function keyOf(seal, caller) {
  if (sealed?.seal !== seal) {
    const secret = seal ? UTF8.encode(seal) : crypto.getRandomValues(new Uint8Array(32));
    sealed = { seal, key: crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]) };
  }
  return new Uint8Array(await crypto.subtle.sign("HMAC", await sealed.key, UTF8.encode(PURPOSE + caller)));
}

/** The same, for those who read no stream: what {@link bodyOf} gives. Throws where it does not come to its end. */
export function readBody(request, limit, time) {
  return bodyOf(request, limit, time);
}

/**
 * A body of at most `limit` bytes, counted as they come, whatever its length header says; `null` if there is more, `undefined` if it takes
 * more than `time` milliseconds: who drips a body holds a place here for no longer.
 */
async function bodyOf(request, limit, time) {
  if (!request.body) return EMPTY;
  // The runtime ends a body at the length that its header states: within the limit, one read does.
  const reader = isWithin(request.headers, limit) ? null : request.body.getReader();
  const read = reader ? collect(reader, limit) : request.arrayBuffer();
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, time);
  });
  try {
    const whole = await Promise.race([read, late]);
    if (whole === undefined) reader?.cancel().catch(() => {});
    if (reader || whole === undefined) return whole;
    return whole.byteLength > limit ? null : new Uint8Array(whole);
  } finally {
    clearTimeout(timer);
    // Nobody else takes note of how it ends.
    read.catch(() => {});
  }
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

function together(chunks) {
  return joined(chunks, chunks.reduce((size, chunk) => size + chunk.byteLength, 0));
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

/** The status of whatever answers at an address; 0 if nothing does in time. */
export async function reach(url, headers, millis) {
  try {
    const response = await fetch(url, { headers: headersFrom(headers), redirect: "manual", signal: AbortSignal.timeout(millis) });
    response.body?.cancel().catch(() => {});
    return response.status;
  } catch {
    return 0;
  }
}

/**
 * Hands a request to the object of an id, or of a new one, as a request with the same head and that body. Gives its response, `null` if
 * there cannot be such an object. Throws if it does not answer.
 */
export async function enter(namespace, name, request, id, body) {
  let object;
  try {
    object = name === null ? namespace.newUniqueId() : namespace.idFromString(name);
  } catch {
    return null;
  }
  const headers = new Headers(request.headers);
  headers.set("x-request-id", id);
  return namespace.get(object).fetch(new Request(request.url, { method: request.method, headers, body, redirect: "manual" }));
}

/** So many random bytes. */
export function randomBytes(count) {
  return crypto.getRandomValues(new Uint8Array(count));
}

/** A request of the gate's own to itself. */
export function ownRequest(method, url, headers, body, signal) {
  return new Request(url, { method, headers: headersFrom(headers), ...(method === "GET" ? {} : { body }), signal });
}

// What a refusal says of when to come back.
const BACK = ["retry-after", "retry-after-ms", "x-should-retry"];
// How the names of headers begin that say what is left of a limit.
const LEFT = "x-ratelimit-";

/** Asks the prompts of a batch, so many at a time, and gives the response with their results. `signal` is the caller's. */
export async function runBatch(prompts, count, most, signal) {
  let next = 0;
  let latest = -1;
  const line = async () => {
    while (next < count) {
      const index = next++;
      if (signal?.aborted) {
        prompts.lose(index);
        continue;
      }
      try {
        const response = await prompts.ask(index, signal);
        if (response.status !== 200) {
          for (const name of BACK) if (response.headers.has(name)) prompts.tell(name, response.headers.get(name));
        }
        // What is left of the limits is what the call said that was let in last.
        if (index > latest) {
          latest = index;
          for (const [name, value] of response.headers) if (name.startsWith(LEFT)) prompts.tell(name, value);
        }
        prompts.put(index, response.status, await response.text());
      } catch {
        prompts.lose(index);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, most) }, line));
  return prompts.finish();
}

/** So many milliseconds. */
export function sleep(millis) {
  return new Promise((resolve) => setTimeout(resolve, millis));
}

/** What the object of a name answers to a message; throws if it does not. */
export async function tell(namespace, name, message, path) {
  const object = namespace.get(namespace.idFromName(name));
  const response = await object.fetch(`http://object${path}`, { method: "POST", body: message, signal: AbortSignal.timeout(PATIENCE) });
  if (!response.ok) throw new Error("the object failed");
  return response.text();
}

/** The rows of a statement, as JSON. `values` is a JSON array of what is bound to it. */
export async function query(database, statement, values) {
  const { results } = await database.prepare(statement).bind(...JSON.parse(values)).all();
  return JSON.stringify(results);
}

/** Work that goes on when the handler has returned. */
export function outlive(work) {
  waitUntil(work);
}

// How long an object may take for its answer, in milliseconds: nobody waits for it.
const PATIENCE = 5_000;

/** Tells each object of a report's routes its part. Gives the answers that come; an object that fails costs nothing but its answer. */
export async function consult(namespace, report, path) {
  const ask = async ([route, line]) => {
    const object = namespace.get(namespace.idFromName(route));
    const body = JSON.stringify({ [route]: line });
    const response = await object.fetch(`http://object${path}`, { method: "POST", body, signal: AbortSignal.timeout(PATIENCE) });
    return response.text();
  };
  const answers = await Promise.allSettled(Object.entries(JSON.parse(report)).map(ask));
  return answers.flatMap(({ status, value }) => (status === "fulfilled" ? [value] : []));
}

/**
 * Makes a call. Gives a `Response` as soon as an upstream begins to stream, or when the call is over. The tap is freed here.
 *
 * @param live nothing; in an object, what it says about itself (`live.js`); before one, a function that has the call made in there
 */
export function drive(tap, caller, heartbeat, live) {
  if (typeof live === "function") return driveInside(tap, caller, heartbeat, live);
  return new Promise((resolve, reject) => new Call(tap, caller, heartbeat, live, resolve, reject).run());
}

async function driveInside(tap, caller, heartbeat, enterObject) {
  // An object that fails before it has answered may have sent the request; a caller without an answer is worse than a second one.
  const response = await enterObject().catch(() => null);
  if (response) {
    tap.free();
    return response;
  }
  tap.unresumable();
  return drive(tap, caller, heartbeat);
}

/** What a request to an upstream consists of; the bytes of its body belong to the wasm until they are copied. */
export function request(number, url, headers, body) {
  return { number, url, headers, body: body.slice() };
}

/** How many bytes a body will have, where its head says so; `Infinity` where only its end can tell. */
function lengthOf(headers) {
  const length = headers.get("content-length");
  return length && !headers.has("content-encoding") ? Number(length) : Infinity;
}

/** The way down to a caller who reads from one connection. */
class Outlet {
  constructor(lost) {
    const { readable, writable } = new IdentityTransformStream();
    this.readable = readable;
    this.writer = writable.getWriter();
    this.writer.closed.catch(lost);
    this.lost = lost;
    this.begun = false;
  }

  /** Waits until the caller has taken it. */
  write(bytes) {
    // Behind a comment of ours, a byte order mark is no longer at the beginning.
    if (!this.begun) {
      this.begun = true;
      if (this.commented && bytes[0] === 0xef && bytes[1] === 0xbb) bytes = bytes.subarray(3);
    }
    return this.writer.write(bytes);
  }

  comment() {
    this.commented = true;
    this.writer.write(HEARTBEAT).catch(this.lost);
  }

  close() {
    return this.writer.close();
  }
}

/** One request to an upstream. */
class Attempt {
  constructor(number) {
    this.number = number;
    this.abort = new AbortController();
    // Nothing more comes from the upstream, so that there is nothing to abort.
    this.ended = false;
    // What still comes is nobody's business any more.
    this.dropped = false;
  }

  /** Sends the request and has read what comes. A stream is read elsewhere: this holds the request and the response's head. */
  async run(call, { url, headers, body }) {
    const { tap } = call;
    try {
      let response = null;
      try {
        response = await fetch(url, { method: "POST", headers: headersFrom(headers), body, redirect: "manual", signal: this.abort.signal });
      } catch {
        this.ended = true;
      }
      if (!response) {
        call.told(tap.fail(Date.now(), this.number));
      } else if (this.dropped) {
        response.body?.cancel().catch(() => {});
      } else {
        call.told(tap.head(Date.now(), this.number, response.status, headersTo(response.headers)));
        const isStream = tap.isStreaming();
        if (isStream && !call.outlet) call.begin();
        const reader = response.body?.getReader();
        if (reader && isStream) return void this.stream(call, reader);
        await this.whole(call, reader, lengthOf(response.headers));
      }
    } catch (error) {
      call.broke(error);
    }
    call.left();
  }

  letGo() {
    if (this.dropped) return;
    this.dropped = true;
    // With a reason: without one, the runtime makes an error and collects its stack.
    if (!this.ended) this.abort.abort(OVER);
  }

  /** Reads a whole answer, or a failure: up to the end, or to its length, which saves the wait for the end to be told. */
  async whole(call, reader, length) {
    const { tap } = call;
    const chunks = [];
    let size = 0;
    try {
      while (reader && !this.dropped) {
        const { done, value } = await reader.read();
        if (done) break;
        chunks.push(value);
        size += value.byteLength;
        this.ended = size >= length;
        call.told(tap.bytes(Date.now(), this.number, value));
        if (this.ended) break;
      }
    } catch {
      this.ended = true;
      return call.told(tap.fail(Date.now(), this.number));
    }
    // One that was let go is aborted already.
    this.ended = true;
    if (!this.dropped) call.chunks = chunks;
    call.told(tap.end(Date.now(), this.number));
  }

  /** Hands a stream on, chunk by chunk, up to its end. When the caller has left, it reads for as long as it is not dropped. */
  async stream(call, reader) {
    const { tap } = call;
    const { number } = this;
    try {
      for (let read = 1; !this.dropped; read += 1) {
        // Here, where nothing waits to be written: what another attempt gives comes behind it.
        if (read % TURN === 0) await sleep(0);
        let part;
        try {
          part = await reader.read();
        } catch {
          this.ended = true;
          call.told(tap.fail(Date.now(), number));
          break;
        }
        if (part.done) {
          this.ended = true;
          call.told(tap.end(Date.now(), number));
          break;
        }
        const flags = tap.forward(Date.now(), number, part.value);
        const bytes = flags & REPLACED ? tap.replacement() : part.value;
        if (flags > REPLACED) call.told(flags);
        if (bytes.byteLength === 0 || call.lost) continue;
        call.silent = false;
        call.writing += 1;
        call.writingSince = Date.now();
        try {
          await call.outlet.write(bytes);
        } catch {
          call.gone();
        }
        call.writing -= 1;
        const now = Date.now();
        if (now - call.writingSince >= SLOW) call.waited(now);
      }
    } catch (error) {
      call.broke(error);
    }
    if (!this.ended) reader.cancel().catch(() => {});
    call.left();
  }
}

class Call {
  constructor(tap, caller, heartbeat, live, resolve, reject) {
    this.tap = tap;
    this.caller = caller;
    this.live = live;
    this.resolve = resolve;
    this.reject = reject;
    this.attempts = [];
    // How many of them still read.
    this.reading = 0;
    this.outlet = null;
    this.over = false;
    this.closed = false;
    // The caller has left.
    this.lost = false;
    // How many writes wait for the caller.
    this.writing = 0;
    this.writingSince = 0;
    this.silent = true;
    // The bytes of a whole answer.
    this.chunks = undefined;
    this.timer = undefined;
    this.settled = undefined;
    this.gone = () => {
      if (this.closed) return;
      this.lost = true;
      this.told(tap.cancel(Date.now()));
    };
    this.fire = () => this.expire();
    this.heartbeat = heartbeat;
    this.beatAt = Date.now() + heartbeat;
  }

  run() {
    const { caller } = this;
    // The request is ours alone, and a listener costs eight times as much.
    if (caller) caller.onabort = this.gone;
    if (caller?.aborted) this.gone();
    if (!this.over) this.told(this.tap.expire(Date.now()));
  }

  /** Carries out what the tap said. */
  told(flags) {
    if (this.over) return;
    if (flags & ABORT) this.drop();
    if (flags & SEND) this.send();
    if (flags & OVER) {
      this.over = true;
      clearTimeout(this.timer);
      for (const attempt of this.attempts) attempt.letGo();
      if (this.reading === 0) this.finish();
    } else if (flags & REARM) {
      this.arm();
    }
  }

  send() {
    const { tap } = this;
    for (let next = tap.next(); next !== null; next = tap.next()) {
      const attempt = new Attempt(next.number);
      this.attempts.push(attempt);
      this.reading += 1;
      attempt.run(this, next);
    }
  }

  drop() {
    for (let number = this.tap.dropped(); number >= 0; number = this.tap.dropped()) {
      this.attempts.find((attempt) => attempt.number === number)?.letGo();
    }
  }

  /** An attempt has nothing more to tell. The last one ends the call, behind all that it has written. */
  left() {
    this.reading -= 1;
    if (this.over && this.reading === 0) this.finish();
  }

  /** Our own machinery has failed: the wasm has trapped. */
  broke(error) {
    this.reject(error);
    this.told(OVER);
  }

  /** Answers with a stream. */
  begin() {
    const { live } = this;
    const outlet = live ? live.begin(this, this.tap.record(), this.tap.key()) : new Outlet(this.gone);
    this.resolve(this.tap.respond(Date.now(), outlet.readable));
    this.outlet = outlet;
    // The call goes on when the handler has returned, and for its log line when the client has left.
    waitUntil(new Promise((resolve) => {
      this.settled = resolve;
    }));
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

  /** The end: of the stream, or the response with a whole answer or an error. */
  finish() {
    if (this.outlet) return void this.finishStream();
    try {
      this.resolve(this.tap.respond(Date.now(), this.answer()));
    } catch (error) {
      this.reject(error);
    }
    this.close();
  }

  /** The body of a whole answer; `null` where there is only an error. */
  answer() {
    switch (this.tap.verdict()) {
      case 1:
        return together(this.chunks);
      case 2:
        return this.tap.recast();
      case 3:
        return this.tap.uncover(together(this.chunks));
      default:
        return null;
    }
  }

  /** The last bytes of a stream may be ours. An object closes its log also when nobody reads any more. */
  async finishStream() {
    const { outlet } = this;
    try {
      if (!this.lost || this.live) {
        const tail = this.tap.tail();
        if (tail.byteLength) await outlet.write(tail);
        await outlet.close();
      }
    } catch (error) {
      this.reject(error);
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
    if (!this.outlet || this.writing || this.lost) return;
    if (this.silent) this.outlet.comment();
    this.silent = true;
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    // The request's signal holds on to this until a full collection: what it does not need goes now.
    this.attempts = [];
    this.chunks = this.resolve = this.reject = undefined;
    this.outlet = null;
    try {
      this.tap.finish();
    } finally {
      this.settled?.();
    }
  }
}
