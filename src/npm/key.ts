import { untilAborted } from "./abort.js";
import { GateError } from "./error.js";
import type { TokenSource } from "./token-types.js";
import type { GateOptions } from "./types.js";

/** A key as a call got it. */
export interface Used {
  key: string | undefined;
  /** How often it had been renewed by then. */
  renewals: number;
}

/** What the calls to one API are allowed by. */
export interface Credential {
  readonly canRenew: boolean;
  /** Whether any call of one caller may use any of its keys: they are new all the time. */
  readonly isShortLived: boolean;
  /** @throws GateError when there is none. An aborted signal ends the wait; the call itself ends by it then. */
  get(signal?: AbortSignal): Promise<Used>;
  /** A key other than the one that was refused; undefined if there is none. */
  renew(used: Used): Promise<string | undefined>;
}

/** Access tokens: their source does what {@link Key} does, and more. */
export class Token implements Credential {
  readonly canRenew = true;
  readonly isShortLived = true;
  readonly #source: TokenSource;

  constructor(source: TokenSource) {
    this.#source = source;
  }

  async get(signal?: AbortSignal): Promise<Used> {
    return { key: signal?.aborted ? undefined : await untilAborted(this.#source.get(), signal), renewals: 0 };
  }

  async renew({ key }: Used): Promise<string | undefined> {
    return key === undefined ? undefined : this.#source.renew(key);
  }
}

/** The key of one API, and its renewal: once for all calls that ask for it together. */
export class Key implements Credential {
  readonly isShortLived = false;
  readonly #given: GateOptions["apiKey"];
  #renewing: Promise<string | undefined> | undefined;
  #renewals = 0;
  /** The key that was refused last, and what came in its place. */
  #refused: string | undefined;
  #renewed: string | undefined;

  constructor(given: GateOptions["apiKey"]) {
    this.#given = given;
  }

  get canRenew(): boolean {
    return typeof this.#given === "function";
  }

  /** @throws GateError `unauthorized` when the function gives none. */
  async get(signal?: AbortSignal): Promise<Used> {
    const renewals = this.#renewals;
    const key = signal?.aborted ? undefined : await untilAborted(this.#ask(false), signal);
    // A function that keeps giving what was refused is not asked to renew it again for each call.
    return { key: key !== undefined && key === this.#refused ? this.#renewed : key, renewals };
  }

  async renew(used: Used): Promise<string | undefined> {
    if (this.#renewals === used.renewals) {
      this.#renewing ??= this.#ask(true).finally(() => (this.#renewing = undefined));
      const key = await this.#renewing;
      if (key === undefined || key === used.key) return undefined;
      if (this.#renewals === used.renewals) {
        this.#renewals++;
        this.#refused = used.key;
        this.#renewed = key;
      }
      return key;
    }
    return this.#renewed === used.key ? undefined : this.#renewed;
  }

  async #ask(refresh: boolean): Promise<string | undefined> {
    if (typeof this.#given !== "function") return this.#given;
    let cause: unknown;
    try {
      const key: unknown = await this.#given({ refresh });
      if (key === undefined || typeof key === "string") return key;
    } catch (error) {
      cause = error;
    }
    throw new GateError({
      code: "unauthorized",
      message: "The apiKey function gave no key.",
      status: 401,
      party: "caller",
      nextStep: "Look at the cause, and make the function give a string.",
      retryable: false,
      param: "apiKey",
      cause,
    });
  }
}
