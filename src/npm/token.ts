import { untilAborted } from "./abort.js";
import { invalid } from "./error.js";
import { cancelled, failure } from "./kinds.js";
import { ask } from "./token-endpoint.js";
import type { TokenAnswer, TokenEndpoint, TokenExchange, TokenOptions, TokenSource } from "./token-types.js";

/** How long an exchange may take, where nothing else is said. */
const PATIENCE = 10_000;
/** A token is renewed when a fifth of its life is left, and at most this long before its end: a call of the last minute still waits for nothing. */
const EARLY = 60_000;
/** Nor is one sent that may end on the way: with less than a twentieth of its life left, and at most this. */
const LATE = 10_000;
/** After an early renewal that failed the next one waits a twentieth of the life, and at most this; the token that there is serves on. */
const PAUSE = 30_000;
/** No bearer token is longer. */
const LONGEST = 16_384;

/** What came of one exchange. */
interface Held {
  token: string;
  /** In milliseconds; unknown: until it is refused. */
  life: number;
  /** When it was asked for: the gate may have made it any time from then on. */
  since: Moment;
}

/**
 * One source of tokens: one exchange at a time, whoever waits for it.
 *
 * The time that a token has left is counted on this device from `expires_in`, so that its clock need not agree with the gate's. The token is in
 * private memory, and in nothing else: no storage, no address, no error.
 */
class Tokens implements TokenSource {
  readonly #ask: (signal: AbortSignal) => Promise<unknown>;
  readonly #patience: number;
  #held: Held | undefined;
  #running: Promise<string> | undefined;
  /** When the last early renewal failed. */
  #failed: Moment | undefined;

  constructor(ask: (signal: AbortSignal) => Promise<unknown>, patience: number) {
    this.#ask = ask;
    this.#patience = patience;
  }

  async get({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<string> {
    if (signal?.aborted) throw cancelled(signal);
    const held = this.#held;
    if (!held) return this.#wait(signal);
    const { token, life } = held;
    const left = () => life - age(held.since);
    if (left() <= Math.min(life / 20, LATE)) {
      return this.#wait(signal).catch((error: unknown) => {
        if (left() <= 0 || signal?.aborted || this.#held !== held) throw error;
        return token;
      });
    }
    const isQuiet = this.#failed && age(this.#failed) < Math.min(life / 20, PAUSE);
    if (left() <= Math.min(life / 5, EARLY) && !isQuiet) {
      this.#exchange().catch(() => (this.#failed = moment()));
    }
    return token;
  }

  /** Whole seconds that the token has left; undefined where that is not known. */
  get expiresIn(): number | undefined {
    const { life, since } = this.#held!;
    return life === Infinity ? undefined : Math.max(Math.floor((life - age(since)) / 1000), 0);
  }

  async renew(refused: string, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<string | undefined> {
    if (this.#held?.token === refused) this.#held = undefined;
    const token = this.#held ? await this.get({ signal }) : await this.#wait(signal);
    return token === refused ? undefined : token;
  }

  async #wait(signal: AbortSignal | undefined): Promise<string> {
    // The exchange itself goes on: others may wait for it, and the next call has its token.
    const token = await untilAborted(this.#exchange(), signal);
    if (token === undefined) throw cancelled(signal);
    return token;
  }

  #exchange(): Promise<string> {
    this.#running ??= this.#once().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #once(): Promise<string> {
    const since = moment();
    const controller = new AbortController();
    const late = failure("timeout_connect", "The token did not come in time.", { param: "token" });
    const timer = setTimeout(() => controller.abort(late), this.#patience);
    try {
      const given = await untilAborted(this.#ask(controller.signal), controller.signal);
      controller.signal.throwIfAborted();
      this.#held = { ...read(given), since };
      this.#failed = undefined;
      return this.#held.token;
    } catch (error) {
      throw controller.signal.aborted ? late : error;
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * A source of access tokens: it gets one when it is first needed, a new one before it ends or when it was refused, once for all that ask together.
 * For `createGate({ token })`, for `openSocket({ token })`, and for an app's own requests.
 *
 * @throws GateError `invalid_request` when an option is wrong, and in a page when there is a secret among them.
 */
export function createTokens(options: TokenOptions, defaults: { fetch?: typeof globalThis.fetch | undefined } = {}): TokenSource {
  return isSource(options) ? options : open(options, defaults.fetch);
}

/** One exchange, and what an endpoint of the app answers a page with. */
export async function exchangeToken(options: TokenEndpoint | TokenExchange, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<TokenAnswer> {
  const tokens = open(options, undefined);
  const access_token = await tokens.get({ signal });
  const expires_in = tokens.expiresIn;
  return { access_token, token_type: "Bearer", ...(expires_in !== undefined && { expires_in }) };
}

function open(options: Exclude<TokenOptions, TokenSource>, fetch: typeof globalThis.fetch | undefined): Tokens {
  const { timeoutMs = PATIENCE } = (options ?? {}) as { timeoutMs?: number };
  if (!(timeoutMs > 0)) throw invalid("token.timeoutMs", "The option is not valid: expected is a number above 0.");
  return new Tokens(ask(options, fetch), Math.min(timeoutMs, 0x7fffffff));
}

function isSource(options: TokenOptions): options is TokenSource {
  const { get, renew } = (options ?? {}) as Partial<TokenSource>;
  return typeof get === "function" && typeof renew === "function";
}

/** The token of whatever a function or an endpoint gave. */
function read(given: unknown): { token: string; life: number } {
  const fields = (typeof given === "object" && given !== null ? given : { accessToken: given }) as Record<string, unknown>;
  const token = fields.accessToken ?? fields.access_token;
  const expires = fields.expiresIn ?? fields.expires_in;
  const type = fields.token_type ?? "Bearer";
  // Visible ASCII: what a header can have.
  if (typeof token !== "string" || token.length > LONGEST || !/^[!-~]+$/.test(token)) {
    throw failure("protocol", "What came in answer is no access token.", { param: "token", nextStep: "Make it give access_token and expires_in." });
  }
  const seconds = expires === undefined || expires === null ? Infinity : typeof expires === "string" ? Number(expires || NaN) : expires;
  if (typeof type !== "string" || type.toLowerCase() !== "bearer" || typeof seconds !== "number" || !(seconds > 0)) {
    throw failure("protocol", "The token came with a token_type other than Bearer, or without a time for which it is good.", { param: "token" });
  }
  return { token, life: seconds * 1000 };
}

/** One moment, on both clocks. */
interface Moment {
  steady: number;
  wall: number;
}

function moment(): Moment {
  return { steady: performance.now(), wall: Date.now() };
}

/** Milliseconds since then. The steady clock may stand still while a device sleeps; the other may be set back. */
function age({ steady, wall }: Moment): number {
  return Math.max(performance.now() - steady, Date.now() - wall);
}
