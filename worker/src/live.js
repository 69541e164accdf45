// A stream that its caller can resume: a Durable Object that makes one call, as the Worker does without it, writes its events
// into a log in its memory and lets one reader at a time follow it. Nothing is stored: an object that is evicted is gone.
//
// To its call it is an outlet (`pump.js`): `readable`, `write`, `comment`, `close`.

const MOST = 64 << 10;
const HEARTBEAT = new TextEncoder().encode(":\n\n");
// Where the gate knows no callers, a stream can be resumed by whoever sends what its caller sent in these.
const CREDENTIALS = ["authorization", "x-api-key", "api-key"];

const ignore = () => {};

export class Live {
  /** `answer` is the Worker's handler, to be given what to know about this object in place of a context. */
  constructor(id, answer) {
    this.id = id;
    this.answer = answer;
    this.record = null;
    this.reader = null;
    this.ended = false;
    this.aborted = false;
  }

  async fetch(request) {
    const caller = await digest(CREDENTIALS.map((name) => request.headers.get(name) ?? "").join("\n"));
    return this.answer(request, {
      live: this.id,
      begin: (call, record, key) => this.begin(call, record, key ?? caller),
      visit: (visitor, signal) => this.visit(visitor, visitor.key() ?? caller, signal),
    });
  }

  /** The call begins to stream. Its caller is the first reader. */
  begin(call, record, caller) {
    this.call = call;
    this.record = record;
    this.caller = caller;
    // When the wasm starts over, what it gave out before means nothing any more.
    this.instance = globalThis.__worker_init_state.instanceId;
    this.readable = this.attach(0, call.caller).readable;
    return this;
  }

  /** Somebody asks for the stream, or for its end. */
  visit(visitor, caller, signal) {
    const isHere = this.record && !this.aborted && this.caller === caller && this.instance === globalThis.__worker_init_state.instanceId;
    if (!isHere) return visitor.refuse();
    if (visitor.isAbort()) {
      this.abort();
      return visitor.accept(null);
    }
    const position = visitor.place(this.record);
    if (position < 0) return visitor.refuse();
    if (this.ended && position === this.record.end()) return visitor.accept(null);
    return visitor.accept(this.attach(position, signal).readable);
  }

  attach(position, signal) {
    this.reader?.replace(this.record.replaced());
    if (!this.ended) clearTimeout(this.timer);
    const reader = new Reader(this, position);
    this.reader = reader;
    if (signal) signal.onabort = () => this.lost(reader);
    this.release();
    reader.run();
    return reader;
  }

  /** Takes bytes of the stream down. Gives a promise while the reader is too far behind for more. */
  write(bytes) {
    this.record.append(this.reader ? this.reader.position : Infinity, bytes);
    this.reader?.wake();
    if (!this.isBehind()) return undefined;
    this.awaitProgress();
    return new Promise((resolve) => {
      this.resume = resolve;
    });
  }

  /** A reader holds the upstream back before the log would have to drop what it has not read. */
  isBehind() {
    return this.reader !== null && this.record.end() - this.reader.position > this.record.slack();
  }

  /** A reader who takes nothing for so long is as good as gone. */
  awaitProgress() {
    clearTimeout(this.stuck);
    const { reader } = this;
    this.stuck = setTimeout(() => {
      if (this.reader !== reader) return;
      this.lost(reader);
      reader.drop();
    }, this.record.grace());
  }

  release() {
    clearTimeout(this.stuck);
    this.resume?.();
    this.resume = undefined;
  }

  /** The reader has taken something. */
  progressed() {
    if (!this.resume) return;
    if (this.isBehind()) this.awaitProgress();
    else this.release();
  }

  comment() {
    this.reader?.comment();
  }

  /** A reader has gone. The call goes on for a while, for one who comes back. */
  lost(reader) {
    if (this.reader !== reader) return;
    this.reader = null;
    this.release();
    if (!this.ended) this.timer = setTimeout(() => this.abort(), this.record.grace());
    else if (this.aborted) this.forget();
  }

  /** Ends the call, and with it everything: what was aborted is never resumed. */
  abort() {
    this.aborted = true;
    this.release();
    if (!this.ended) this.call.gone();
    else if (!this.reader) this.forget();
  }

  /** The call is over. */
  close() {
    this.ended = true;
    this.call = null;
    clearTimeout(this.timer);
    this.release();
    this.reader?.wake();
    if (this.aborted && !this.reader) this.forget();
    else this.keep(-1);
  }

  /** Keeps the log for a while, and on while somebody still reads from it. */
  keep(position) {
    this.timer = setTimeout(() => {
      if (this.reader && this.reader.position > position) return this.keep(this.reader.position);
      this.reader?.drop();
      this.forget();
    }, this.record.keep());
  }

  forget() {
    clearTimeout(this.timer);
    this.reader = null;
    if (this.instance === globalThis.__worker_init_state.instanceId) this.record?.free();
    this.record = null;
  }
}

/** One connection that follows the log. */
class Reader {
  constructor(live, position) {
    const { readable, writable } = new IdentityTransformStream();
    this.live = live;
    this.position = position;
    this.readable = readable;
    this.writer = writable.getWriter();
    this.writer.closed.catch(() => live.lost(this));
    this.busy = false;
    this.wake = ignore;
  }

  async run() {
    const { live, writer } = this;
    try {
      while (live.reader === this) {
        const bytes = live.record.read(this.position, MOST);
        if (bytes.byteLength) {
          this.busy = true;
          await writer.write(bytes);
          this.busy = false;
          this.position += bytes.byteLength;
          live.progressed();
        } else if (live.ended) {
          await writer.close();
          live.lost(this);
        } else {
          await new Promise((resolve) => {
            this.wake = resolve;
          });
        }
      }
    } catch {
      live.lost(this);
    }
  }

  /** Only between whole events, of which there is none half written while this waits. */
  comment() {
    if (!this.busy) this.writer.write(HEARTBEAT).catch(ignore);
  }

  /** Another reader has come: this one is told, unless it is not even listening. */
  replace(event) {
    this.live.reader = null;
    this.wake();
    if (this.busy) return this.drop();
    this.writer.write(event).catch(ignore);
    this.writer.close().catch(ignore);
  }

  drop() {
    this.writer.abort().catch(ignore);
  }
}

async function digest(text) {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return String.fromCharCode(...new Uint8Array(hash));
}
