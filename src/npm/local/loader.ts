import type { LocalProgress, PrepareOptions } from "./types.js";

export type Report = (progress: LocalProgress) => void;

interface Loading {
  done: Promise<void>;
  listeners: Set<Report>;
  /** How many wait for it. */
  joined: number;
  controller: AbortController;
}

/** Something that is loaded once, joined by all who ask, and given up when all of them have left. */
export class Loader<T> {
  value: T | undefined;
  #load: (report: Report, signal: AbortSignal) => Promise<T>;
  #unload: (value: T) => unknown;
  #loading: Loading | undefined;

  constructor(load: (report: Report, signal: AbortSignal) => Promise<T>, unload: (value: T) => unknown) {
    this.#load = load;
    this.#unload = unload;
  }

  get isLoading(): boolean {
    return this.#loading !== undefined;
  }

  async prepare({ onProgress, signal }: PrepareOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    // One that is being given up has to end first: it holds what the next one needs.
    while (this.#loading?.controller.signal.aborted) await abortable(this.#loading.done.catch(() => {}), signal);
    if (this.value !== undefined) return;
    const loading = (this.#loading ??= this.#begin());
    loading.joined += 1;
    const listener = onProgress && quietly(onProgress);
    if (listener) loading.listeners.add(listener);
    try {
      await abortable(loading.done, signal);
    } finally {
      if (listener) loading.listeners.delete(listener);
      loading.joined -= 1;
      // Not one that is through: some libraries take an abort as the end of what they have loaded.
      if (loading.joined === 0 && this.#loading === loading) loading.controller.abort(signal?.reason);
    }
  }

  /** Gives up a load in progress, and frees what was loaded. */
  async clear(): Promise<void> {
    this.#loading?.controller.abort();
    await this.#loading?.done.catch(() => {});
    const { value } = this;
    this.value = undefined;
    if (value !== undefined) await this.#unload(value);
  }

  #begin(): Loading {
    const controller = new AbortController();
    const listeners = new Set<Report>();
    const report = (progress: LocalProgress) => listeners.forEach((listener) => listener(progress));
    const load = async () => {
      try {
        const value = await this.#load(report, controller.signal);
        // Libraries that cannot be stopped finish all the same.
        if (controller.signal.aborted) await this.#unload(value);
        else this.value = value;
        controller.signal.throwIfAborted();
      } finally {
        this.#loading = undefined;
      }
    };
    // Not at once: `#loading` has to be set before a load that fails at once ends.
    const done = Promise.resolve().then(load);
    // Whoever waits is told; if all have left, nobody is.
    done.catch(() => {});
    return { done, listeners, joined: 0, controller };
  }
}

/** A listener whose failure is an uncaught error of the app's, and not one of the load. */
function quietly(listener: Report): Report {
  return (progress) => {
    try {
      listener(progress);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  };
}

/** A promise that one may stop waiting for. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    const settle = () => signal.removeEventListener("abort", onAbort);
    promise.then(resolve, reject).finally(settle);
  });
}
