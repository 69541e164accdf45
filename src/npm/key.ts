import { GateError } from "./error.js";
import type { GateOptions } from "./types.js";

/** A key as a call got it. */
export interface Used {
  key: string | undefined;
  /** How often it had been renewed by then. */
  renewals: number;
}

/** The key of one API, and its renewal: once for all calls that ask for it together. */
export class Key {
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
  async get(): Promise<Used> {
    const renewals = this.#renewals;
    const key = await this.#ask(false);
    // A function that keeps giving what was refused is not asked to renew it again for each call.
    return { key: key !== undefined && key === this.#refused ? this.#renewed : key, renewals };
  }

  /** A key other than the one that was refused; undefined if there is none. */
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
