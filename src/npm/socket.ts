import { untilAborted } from "./abort.js";
import { GateError, invalid } from "./error.js";
import { cancelled, failure, fieldsOf } from "./kinds.js";
import { closedError, SocketAnswer, sizeOf, strange } from "./socket-answer.js";
import type { GateSocket, SocketOptions, SocketRequest, SocketStream, WebSocketClass } from "./socket-types.js";
import { ticketFor } from "./ticket.js";
import type { Delta, EndDelta, Reply } from "./types.js";

/** What the gate's socket speaks, and echoes. */
const PROTOCOL = "sluicegate.v1";
/** How a ticket is told: the one header that a page may set. It never gets into the address. */
const TICKET = "sluicegate.ticket.";
const PATIENCE = 20_000;
const IDLE = 30_000;
const MAX_BUFFER = 8 << 20;
/** Characters that wait to be read from which on the gate is asked to pause, until they are read. */
const HIGH = 1 << 18;
/** The least time between two requests to pause: a gate counts messages. */
const PAUSES_APART = 250;
/** How long the end of a cancelled answer is waited for; a gate that does not say it is left. */
const DRAIN = 5_000;
const OPEN = 1;

/** What is used of a WebSocket. */
interface WebSocketLike {
  binaryType: string;
  readonly protocol: string;
  readonly readyState: number;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: string, listener: (event: never) => void): void;
}

/**
 * Opens a socket to a gate: one connection for many requests, one after the other. A browser cannot send a header with it, and a token has no place in
 * an address: a ticket that is good once goes along as a subprotocol. The socket does not reconnect.
 *
 * @throws GateError `invalid_request` for options, `network` and `timeout_connect` where it does not open, and those of tokens and tickets.
 */
export async function openSocket(options: SocketOptions): Promise<GateSocket> {
  const url = checkUrl(options?.url);
  const Class = options.WebSocket ?? (globalThis as { WebSocket?: unknown }).WebSocket as WebSocketClass | undefined;
  if (typeof Class !== "function") {
    throw invalid("WebSocket", "There is no WebSocket here: pass that of a library as the option WebSocket, or use Node 22.");
  }
  const { protocols = [], timeoutMs = PATIENCE, idleMs = IDLE, maxBuffer = MAX_BUFFER } = options;
  for (const [name, value] of Object.entries({ timeoutMs, idleMs, maxBuffer })) {
    if (typeof value !== "number" || !(value > 0)) throw invalid(name, "The option is not valid: expected is a number above 0.");
  }
  if (!Array.isArray(protocols) || !protocols.every((name) => typeof name === "string" && /^[\w.~-]+$/.test(name))) {
    throw invalid("protocols", "The option is not valid: expected is a list of subprotocols.");
  }

  const signal = options.signal ?? undefined;
  if (signal?.aborted) throw cancelled(signal);
  const controller = new AbortController();
  const late = failure("timeout_connect", "The socket did not open in time.");
  const timer = setTimeout(() => controller.abort(late), Math.min(timeoutMs, 0x7fffffff));
  const abort = () => controller.abort(cancelled(signal));
  signal?.addEventListener("abort", abort, { once: true });
  let socket: WebSocketLike | undefined;
  const open = async () => {
    const ticket = await ticketFor(options, url, controller.signal);
    controller.signal.throwIfAborted();
    const offered = [PROTOCOL, ...protocols];
    if (ticket !== undefined) offered.push(TICKET + ticket);
    socket = connect(Class, url, offered);
    await opened(socket);
    if (socket.protocol !== PROTOCOL && !protocols.includes(socket.protocol)) throw strange("The other side does not speak the gate's protocol.");
    return new Socket(socket, { idleMs, maxBuffer });
  };
  try {
    const made = await untilAborted(open(), controller.signal);
    controller.signal.throwIfAborted();
    return made!;
  } catch (error) {
    quietly(() => socket?.close());
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

/** Closing fails where it is too early, for some. */
function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // There is nothing more to do about it.
  }
}

function connect(Class: WebSocketClass, url: URL, protocols: string[]): WebSocketLike {
  try {
    return new Class(url.href, protocols) as WebSocketLike;
  } catch {
    // Not as the cause: the platform's error may quote the protocols.
    throw failure("network", "The socket cannot be opened from here: the address, or a page's policy, does not allow it.");
  }
}

function opened(socket: WebSocketLike): Promise<void> {
  return new Promise((resolve, reject) => {
    let cause: unknown;
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", ({ error }: { error?: unknown }) => (cause ??= error));
    socket.addEventListener("close", ({ code, reason }: { code: number; reason: string }) => reject(notOpened(code, reason, cause)));
  });
}

/** A page is told nothing of a refusal; some libraries tell its status. */
function notOpened(code: number, reason: string, cause: unknown): GateError {
  const status = cause instanceof Error ? /server response: (\d{3})/.exec(cause.message)?.[1] : undefined;
  const kinds = { 401: "unauthorized", 403: "forbidden", 413: "payload_too_large", 429: "rate_limited", 503: "overloaded" } as const;
  const kind = kinds[Number(status) as keyof typeof kinds];
  if (kind) return failure(kind, `The gate refused to open the socket, with status ${status}.`, { vendor: { status: Number(status) } });
  const fields = closedError(code, reason, false);
  const message = "The socket did not open: the gate cannot be reached, or refused it.";
  return new GateError({ ...fields, ...(fields.code === "network" && { message, nextStep: "Check the connection, the address and the ticket." }), cause });
}

class Socket implements GateSocket {
  readonly #socket: WebSocketLike;
  readonly #limits: { idleMs: number; maxBuffer: number };
  #current: Exchange | undefined;
  #error: GateError | undefined;
  readonly closed: Promise<{ code: number; reason: string }>;

  constructor(socket: WebSocketLike, limits: { idleMs: number; maxBuffer: number }) {
    this.#socket = socket;
    this.#limits = limits;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }: { data: unknown }) => this.#handle(data));
    this.closed = new Promise((resolve) => {
      socket.addEventListener("close", ({ code, reason }: { code: number; reason: string }) => {
        const hadBegun = this.#current?.hasBegun ?? false;
        this.#over(new GateError(closedError(code, reason, hadBegun)));
        resolve({ code, reason });
      });
    });
  }

  get isOpen(): boolean {
    return !this.#error && this.#socket.readyState === OPEN;
  }

  stream(request: SocketRequest, { signal }: { signal?: AbortSignal | null } = {}): SocketStream {
    return new Answering(() => this.#ask(request), signal ?? undefined);
  }

  close(): void {
    this.#leave(failure("cancelled", "The socket was closed.", { outcome: "aborted" }));
  }

  /** Closes for this reason. */
  #leave(error: GateError): void {
    this.#over(error);
    quietly(() => this.#socket.close(1000));
  }

  #over(error: GateError): void {
    this.#error ??= error;
    const current = this.#current;
    this.#current = undefined;
    current?.fail(this.#error);
  }

  async #ask(request: SocketRequest): Promise<Exchange> {
    const text = toJson(request);
    const before = this.#current;
    if (before && !before.isAbandoned) {
      const nextStep = "Read or cancel the answer before, or open another socket.";
      throw failure("concurrency_limited", "A socket answers one request at a time.", { nextStep });
    }
    await before?.over;
    // Another may have waited for the same end.
    if (this.#current) return this.#ask(request);
    if (!this.isOpen) throw this.#error ?? new GateError(closedError(1006, "", false));
    const send = (message: string) => this.isOpen && quietly(() => this.#socket.send(message));
    const exchange: Exchange = new Exchange(send, this.#limits, {
      over: () => {
        if (this.#current === exchange) this.#current = undefined;
      },
      dead: (error) => this.#leave(error),
    });
    this.#current = exchange;
    send(text);
    return exchange;
  }

  #handle(data: unknown): void {
    if (typeof data !== "string") return this.#leave(strange("A message of the gate is not text."));
    let message: unknown;
    try {
      message = JSON.parse(data);
    } catch {
      // Said below.
    }
    if (typeof message !== "object" || message === null) return this.#leave(strange("A message of the gate is not a JSON object."));
    const { type } = message as { type?: unknown };
    if (type === "ping") quietly(() => this.#socket.send('{"type":"pong"}'));
    this.#current?.handle(message as Record<string, unknown>);
  }
}

/** One request on the wire, and what of its answer is still to be read. */
class Exchange {
  readonly #answer = new SocketAnswer();
  readonly #send: (message: string) => void;
  readonly #limits: { idleMs: number; maxBuffer: number };
  readonly #tell: { over: () => void; dead: (error: GateError) => void };
  #deltas: Delta[] = [];
  #size = 0;
  #end: EndDelta | GateError | undefined;
  #wake: (() => void) | undefined;
  #heard = performance.now();
  #watch: ReturnType<typeof setInterval>;
  #pausedAt: number | undefined;
  #isPaused = false;
  isAbandoned = false;
  /** When the gate has said the last of it, or the socket is closed. */
  readonly over: Promise<void>;
  #resolve!: () => void;

  constructor(send: (message: string) => void, limits: { idleMs: number; maxBuffer: number }, tell: { over: () => void; dead: (error: GateError) => void }) {
    this.#send = send;
    this.#limits = limits;
    this.#tell = tell;
    this.over = new Promise((resolve) => (this.#resolve = resolve));
    this.#watch = setInterval(() => this.#check(), Math.min(limits.idleMs / 3, 0x7fffffff));
  }

  get hasBegun(): boolean {
    return this.#answer.hasBegun;
  }

  handle(message: Record<string, unknown>): void {
    this.#heard = performance.now();
    if (typeof message.type === "string") return;
    const { deltas, end } = this.#answer.handle(message);
    const isLast = typeof message.finish_reason === "string" || (typeof message.error === "object" && message.error !== null);
    if (!this.isAbandoned) {
      for (const delta of deltas) {
        this.#deltas.push(delta);
        this.#size += sizeOf(delta);
      }
      if (end) this.#end ??= end;
      else if (this.#size > this.#limits.maxBuffer) {
        const nextStep = "Read faster, or raise maxBuffer.";
        this.#end ??= this.#answer.fail({ ...fieldsOf("reply_too_large", "More of the answer waits to be read than the buffer takes."), nextStep });
      }
      // It came to an end that the gate knows nothing of.
      if (this.#end && !isLast) this.#abandon();
      else if (this.#size > HIGH && !isLast) this.#pause();
      this.#wake?.();
    }
    if (isLast) this.#finish();
  }

  /** The next batch; the end behind the last. */
  async next(): Promise<Delta[] | EndDelta> {
    while (this.#deltas.length === 0 && !this.#end) await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#deltas.length > 0) {
      const batch = this.#deltas;
      this.#deltas = [];
      this.#size = 0;
      if (this.#isPaused) {
        this.#isPaused = false;
        if (!this.isAbandoned) this.#send('{"type":"resume"}');
      }
      return batch;
    }
    if (this.#end instanceof GateError) throw this.#end;
    return this.#end!;
  }

  /** Nobody reads on. */
  cancel(cause: unknown): void {
    if (this.#end instanceof GateError) return;
    const isWhole = this.#end !== undefined;
    this.#end = this.#answer.fail({ ...fieldsOf("cancelled", "The caller cancelled."), cause });
    this.#deltas = [];
    if (!isWhole) this.#abandon();
    this.#wake?.();
  }

  /** The socket is closed. */
  fail({ code, message, status, party, nextStep, retryable, cause }: GateError): void {
    this.#end ??= this.#answer.fail({ code, message, status, party, nextStep, retryable, cause });
    this.#finish();
    this.#wake?.();
  }

  #abandon(): void {
    if (this.isAbandoned) return;
    this.isAbandoned = true;
    this.#send('{"type":"cancel"}');
    clearInterval(this.#watch);
    this.#watch = setTimeout(() => this.#tell.dead(failure("timeout_idle", "The gate did not end a cancelled answer.")), DRAIN) as never;
  }

  #finish(): void {
    clearInterval(this.#watch);
    this.#resolve();
    this.#tell.over();
  }

  #pause(): void {
    const now = performance.now();
    if (this.#isPaused || now - (this.#pausedAt ?? -Infinity) < PAUSES_APART) return;
    this.#pausedAt = now;
    this.#isPaused = true;
    this.#send('{"type":"pause"}');
  }

  #check(): void {
    const silent = performance.now() - this.#heard;
    const { idleMs } = this.#limits;
    if (silent < idleMs) return silent > idleMs / 4 ? this.#send('{"type":"ping"}') : undefined;
    this.#tell.dead(failure("timeout_idle", "The gate was silent for longer than idleMs."));
  }
}

/** One answer, as its reader has it. */
class Answering implements SocketStream {
  readonly #ask: () => Promise<Exchange>;
  readonly #signal: AbortSignal | undefined;
  readonly #leaving = new AbortController();
  readonly #abort = () => this.cancel();
  #exchange: Exchange | undefined;
  #reading = false;
  #over = false;
  #reply: Reply | undefined;

  constructor(ask: () => Promise<Exchange>, signal: AbortSignal | undefined) {
    this.#ask = ask;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): AsyncIterator<Delta, void, undefined> {
    let batch: Delta[] = [];
    let at = 0;
    const next = async (): Promise<IteratorResult<Delta, void>> => {
      batch = (await this.#next()) ?? [];
      at = 0;
      return at < batch.length ? { value: batch[at++]!, done: false } : { value: undefined, done: true };
    };
    return {
      next: () => (at < batch.length && !this.#leaving.signal.aborted ? Promise.resolve({ value: batch[at++]!, done: false }) : next()),
      return: async () => {
        batch = [];
        this.cancel();
        this.#over = true;
        return { value: undefined, done: true };
      },
    };
  }

  async reply(): Promise<Reply> {
    while (await this.#next());
    if (this.#reply) return this.#reply;
    throw failure("cancelled", "The answer was left before its end.", { outcome: "aborted" });
  }

  cancel(): void {
    this.#leaving.abort();
    this.#exchange?.cancel(this.#signal?.reason);
  }

  async #next(): Promise<Delta[] | undefined> {
    if (this.#over) return undefined;
    if (this.#reading) throw new TypeError("sluicegate: a stream has one reader; wait for its last read before the next.");
    this.#reading = true;
    try {
      if (!this.#exchange) await this.#open();
      const next = await this.#exchange!.next();
      if (Array.isArray(next)) return next;
      this.#end();
      this.#reply = next.reply;
      return [next];
    } catch (error) {
      this.#end();
      throw error;
    } finally {
      this.#reading = false;
    }
  }

  async #open(): Promise<void> {
    if (this.#signal?.aborted) this.#leaving.abort();
    this.#signal?.addEventListener("abort", this.#abort, { once: true });
    if (this.#leaving.signal.aborted) throw cancelled(this.#signal);
    const asking = this.#ask();
    const exchange = await untilAborted(asking, this.#leaving.signal);
    if (!exchange) {
      // It was left while it waited for its turn.
      asking.then((late) => late.cancel(undefined), () => {});
      throw cancelled(this.#signal);
    }
    this.#exchange = exchange;
  }

  #end(): void {
    this.#over = true;
    this.#signal?.removeEventListener("abort", this.#abort);
  }
}

function toJson(request: SocketRequest): string {
  if (typeof request !== "object" || request === null || Array.isArray(request)) throw invalid("request", "The request must be an object.");
  try {
    // `type` is what tells a request from a word about one.
    return JSON.stringify({ ...request, type: undefined, stream: true });
  } catch (error) {
    throw invalid("request", "The request cannot be written as JSON.", error);
  }
}

function checkUrl(given: unknown): URL {
  try {
    if (typeof given === "string" || given instanceof URL) {
      const url = new URL(given, globalThis.location?.href);
      url.protocol = url.protocol.replace(/^http/, "ws");
      url.hash = "";
      if (/^wss?:$/.test(url.protocol) && url.username === "" && url.password === "") return url;
    }
  } catch {
    // The error below says it, without the address.
  }
  throw invalid("url", 'The option is not valid: expected is an address such as "wss://gate.example.com/v1/stream", or in a page "/v1/stream".');
}
