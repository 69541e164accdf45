// One WebSocket: what comes is told to its session (in wasm), which says what to do. In a Durable Object, which may sleep between two
// requests, or, without one, in the isolate that took it.

import { sleep, TURN } from "./pump.js";

const SEND = 1;
const CALL = 2;
const ABORT = 3;
const PAUSE = 4;
const RESUME = 5;
const CLOSE = 6;

// How often it is asked whether the key of a running answer still counts, in milliseconds.
const CHECK = 25_000;
const PATH = "/internal/socket";
const LINE = new Uint8Array([10]);

/** What a session wants done. */
export function step(kind, number, text) {
  return { kind, number, text };
}

class Channel {
  /** `keep` is called when nothing runs, with what to keep; `arm` with the time at which to call `expire`. */
  constructor(wire, socket, keep, arm) {
    this.wire = wire;
    this.socket = socket;
    this.keep = keep;
    this.arm = arm;
    this.abort = null;
    this.paused = null;
    this.work = null;
    this.over = false;
  }

  /** Settles when what was asked is answered. */
  message(data) {
    if (typeof data === "string") this.tell((wire) => wire.text(Date.now(), data));
    else this.tell((wire) => wire.binary(Date.now()));
    return this.work;
  }

  expire() {
    this.tell((wire) => wire.expire(Date.now()));
  }

  closed() {
    this.tell((wire) => wire.closed());
  }

  tell(what) {
    if (this.over) return;
    what(this.wire);
    for (let step = this.wire.next(); step; step = this.wire.next()) this.carryOut(step);
    // What can be seen of bytes that wait to be sent holds the upstream back.
    if (typeof this.socket.bufferedAmount === "number") this.unsent();
    if (this.wire.isIdle()) this.keep(this.wire.state());
    if (this.wire.isClosed() && !this.abort) {
      this.over = true;
      this.wire.free();
    } else {
      this.arm(this.wire.deadline());
    }
  }

  unsent() {
    this.wire.unsent(this.socket.bufferedAmount);
    for (let step = this.wire.next(); step; step = this.wire.next()) this.carryOut(step);
  }

  carryOut({ kind, number, text }) {
    switch (kind) {
      case SEND:
        return this.send(text);
      case CALL:
        this.work = this.call(number, text);
        return undefined;
      case ABORT:
        this.abort?.abort();
        this.release();
        return undefined;
      case PAUSE:
        this.paused ??= Promise.withResolvers();
        return undefined;
      case RESUME:
        return this.release();
      case CLOSE:
        return this.close(number, text);
    }
  }

  send(text) {
    try {
      this.socket.send(text);
    } catch {
      // It is gone, which will be told.
    }
  }

  close(code, reason) {
    try {
      this.socket.close(code, reason);
    } catch {
      // It is closed already.
    }
  }

  release() {
    this.paused?.resolve();
    this.paused = null;
  }

  async call(number, body) {
    const abort = new AbortController();
    this.abort = abort;
    const checks = setInterval(() => this.check(), CHECK);
    let told = (wire) => wire.end(Date.now(), number);
    try {
      const response = await this.wire.ask(body, abort.signal);
      if (response.status !== 200) {
        const text = await response.text();
        told = (wire) => wire.refuse(Date.now(), number, text);
      } else {
        await this.read(response.body.getReader(), number, abort.signal);
      }
    } catch {
      // What is missing of the answer is told when its end is.
    }
    clearInterval(checks);
    if (this.abort === abort) this.abort = null;
    this.tell(told);
    // Another request may have waited for this one.
    return this.abort ? this.work : undefined;
  }

  async read(reader, number, signal) {
    for (let read = 1; !signal.aborted; read += 1) {
      const { done, value } = await reader.read();
      if (done) return this.tell((wire) => wire.answer(Date.now(), number, LINE));
      if (signal.aborted) break;
      this.tell((wire) => wire.answer(Date.now(), number, value));
      if (this.paused) await this.paused.promise;
      if (read % TURN === 0) await sleep(0);
    }
    await reader.cancel().catch(() => {});
  }

  async check() {
    const response = await this.wire.check().catch?.(() => null);
    if (response?.status === 401 || response?.status === 403) this.tell((wire) => wire.revoked(response.status === 401));
  }
}

function accepted(client, protocol) {
  return new Response(null, { status: 101, webSocket: client, headers: protocol ? { "sec-websocket-protocol": protocol } : {} });
}

/** Opens a socket in this isolate. */
export function openSocket(wire, protocol) {
  const [client, server] = Object.values(new WebSocketPair());
  server.accept();
  let timer;
  const arm = (at) => {
    clearTimeout(timer);
    timer = at < Number.MAX_SAFE_INTEGER ? setTimeout(() => channel.expire(), Math.max(0, at - Date.now())) : undefined;
  };
  const channel = new Channel(wire, server, () => {}, arm);
  server.addEventListener("message", ({ data }) => void channel.message(data));
  const gone = () => {
    channel.closed();
    clearTimeout(timer);
  };
  server.addEventListener("close", ({ code }) => {
    gone();
    channel.close(code === 1005 ? 1000 : code);
  });
  server.addEventListener("error", gone);
  channel.tell(() => {});
  return accepted(client, protocol);
}

/** Opens a socket in an object of its own. */
export function enterSocket(namespace, about, protocol) {
  const headers = { upgrade: "websocket", "x-sluicegate-about": encodeURIComponent(about), ...(protocol && { "x-sluicegate-protocol": protocol }) };
  return namespace.get(namespace.newUniqueId()).fetch(`http://object${PATH}`, { headers });
}

/** A socket that may sleep: what has to be known of it stands beside it. */
export class SleepingSocket {
  constructor(object, answer) {
    this.object = object;
    this.answer = answer;
    this.channel = null;
    object.setWebSocketAutoResponse(new WebSocketRequestResponsePair('{"type":"ping"}', '{"type":"pong"}'));
  }

  async fetch(request) {
    const about = decodeURIComponent(request.headers.get("x-sluicegate-about") ?? "");
    const protocol = request.headers.get("x-sluicegate-protocol");
    const [client, server] = Object.values(new WebSocketPair());
    this.object.acceptWebSocket(server);
    server.serializeAttachment({ about, state: "" });
    this.of(server).tell(() => {});
    return accepted(client, protocol);
  }

  of(socket) {
    if (this.channel && !this.channel.over) return this.channel;
    const { about, state } = socket.deserializeAttachment();
    const inside = { socket: about, state };
    this.answer(new Request(`http://object${PATH}`), inside);
    const keep = (kept) => {
      if (kept !== this.kept) socket.serializeAttachment({ about, state: kept });
      this.kept = kept;
    };
    this.channel = new Channel(inside.wire, socket, keep, (at) => this.arm(at));
    return this.channel;
  }

  /** An alarm wakes an object that sleeps; a timer would keep it awake. */
  arm(at) {
    if (at >= Number.MAX_SAFE_INTEGER || (this.armed && at >= this.armed && at - this.armed < 1_000)) return;
    // An alarm that is early looks again.
    if (this.armed && this.armed > Date.now() && this.armed <= at) return;
    this.armed = at;
    this.object.storage.setAlarm(at);
  }

  webSocketMessage(socket, data) {
    return this.of(socket).message(data);
  }

  webSocketClose(socket, code) {
    this.of(socket).closed();
    try {
      socket.close(code === 1005 ? 1000 : code);
    } catch {
      // Closed from both sides.
    }
    return this.object.storage.deleteAlarm();
  }

  webSocketError(socket) {
    this.of(socket).closed();
  }

  alarm() {
    this.armed = 0;
    for (const socket of this.object.getWebSockets()) this.of(socket).expire();
  }
}
