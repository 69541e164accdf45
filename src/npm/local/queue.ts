import { LocalError } from "./error.js";

/** Lets one in at a time, in the order of asking; at most `limit` wait. */
export class Queue {
  #limit: number;
  #busy = false;
  #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Waits for the turn and gives what ends it. Whoever aborts leaves the queue, and gets the signal's reason. */
  async enter(signal?: AbortSignal | null): Promise<() => void> {
    signal?.throwIfAborted();
    if (this.#busy) await this.#turn(signal);
    this.#busy = true;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const next = this.#waiting.shift();
      // The turn passes on without a gap into which a newcomer could slip.
      if (next) next();
      else this.#busy = false;
    };
  }

  #turn(signal: AbortSignal | null | undefined): Promise<void> {
    if (this.#waiting.length >= this.#limit) throw new LocalError("concurrency_limited", "Too many calls wait for the local model.");
    return new Promise((resolve, reject) => {
      const enter = () => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal!.reason);
      };
      this.#waiting.push(enter);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }
}
