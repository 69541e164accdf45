import type { Message } from "../types.js";
import { drained, makeBackend } from "./backend.js";
import { blobOf } from "./image.js";
import { abortable } from "./loader.js";
import type { LocalModel } from "./types.js";

interface Instance {
  setCompat(compat: never): void;
  loadModelFromUrl(model: never, parameters: never): Promise<void>;
  getLoadedContextInfo(): object;
  createChatCompletion(request: never): Promise<unknown>;
  cacheManager: { delete(url: string): Promise<void> };
  exit(): Promise<void>;
}

interface Library {
  Wllama: new (paths: { default: string }, config?: never) => Instance;
}

/** Options of {@link wllama}: one of `Wllama` and `load`. */
export interface WllamaOptions {
  /** The library's class. */
  Wllama?: Library["Wllama"];
  /** Imports the library when the model is prepared: `() => import("@wllama/wllama/esm/index.js")`. */
  load?: () => Promise<Library>;
  /** Where the app serves the library's `esm/wasm/wllama.wasm`. */
  wasm: string;
  /** The URL of a GGUF file, or of the first part of a split one; with `mmprojUrl` for images. */
  model: string | { url: string; mmprojUrl?: string };
  /** What replies report as their model. Default: the file's name. */
  name?: string;
  /** How many tokens the context has. Default 2048: memory grows with it, and small models are trained on little more. */
  context?: number;
  /** More parameters of the load: `n_threads`, `n_gpu_layers` (default 0, the CPU: no driver can be in the way), `n_batch`, …. */
  parameters?: object;
  /** The library's configuration: `logger`, `parallelDownloads`, `cacheManager`, …. */
  config?: object;
  /** For browsers that lack what the library needs: what its `setCompat` takes. Default none: `"default"` loads code from a CDN. */
  compat?: "default" | { worker: string | { code: string }; wasm: string };
  /** After how many milliseconds without progress a load has failed. Default 120,000: a wrong URL of the wasm, or a policy that forbids it, hangs. */
  stallMs?: number;
  /** Whether the model takes images (it needs a projector). Default no. */
  vision?: boolean;
  /** Whether the model's template takes tools. Default no. */
  tools?: boolean;
}

/** A GGUF model on the CPU, by llama.cpp in WebAssembly, through wllama. */
export function wllama(options: WllamaOptions): LocalModel {
  const { wasm, model, parameters, config, compat = null, context = 2048, stallMs = 120_000, vision, tools } = options;
  if (!options.Wllama && !options.load) throw new TypeError("wllama() needs Wllama or load.");
  const url = typeof model === "string" ? model : model.url;
  const name = options.name ?? url.replace(/[?#].*$/s, "").replace(/^.*\//s, "").replace(/\.gguf$/i, "");

  return makeBackend<Instance>({
    ...{ id: "wllama", model: name, context, vision, tools },
    json: true,
    parameters: ["max_tokens", "stop", "temperature", "top_p", "seed", "frequency_penalty", "presence_penalty"],
    probe: async () => (typeof Worker === "function" && typeof WebAssembly === "object" ? "downloadable" : "unavailable"),
    async load(report, signal) {
      const { Wllama } = options.Wllama ? (options as Library) : await options.load!();
      const instance = new Wllama({ default: wasm }, { suppressNativeLog: true, allowOffline: true, ...config } as never);
      instance.setCompat(compat as never);
      const watch = new Watch(stallMs, signal);
      try {
        const wanted = {
          ...{ n_gpu_layers: 0, n_ctx: context },
          // An abort waits for the batch at work: at the library's default that is seconds.
          ...{ n_batch: 64, n_ubatch: 64 },
          ...parameters,
          // Calls come one at a time; each slot would take its share of the memory.
          n_parallel: 1,
          signal: watch.signal,
          progressCallback(progress: { loaded: number; total: number }) {
            watch.again();
            report(progress);
          },
        };
        await abortable(instance.loadModelFromUrl(model as never, wanted as never), watch.signal);
        // A broken file loads without an error. It would do so for ever: it is in the cache.
        if ((instance.getLoadedContextInfo() as { success?: boolean }).success === false) {
          await instance.cacheManager.delete(url).catch(() => {});
          throw new Error("The model file cannot be loaded.");
        }
        return instance;
      } catch (error) {
        await instance.exit();
        throw error;
      } finally {
        watch.end();
      }
    },
    unload: (instance) => instance.exit(),
    // The wasm trapped (out of memory, mostly).
    isFatal: (error) => error instanceof Error && error.name === "RuntimeError",
    async *generate(instance, request, signal) {
      // Its own: leaving the loop does not stop the library, this does.
      const own = new AbortController();
      const messages = request.messages.map(withImages);
      const wanted = { ...request, messages: await Promise.all(messages), stream: true, stream_options: { include_usage: true }, abortSignal: own.signal };
      const chunks = (await instance.createChatCompletion(wanted as never)) as AsyncIterable<object>;
      yield* drained(chunks, () => own.abort(), signal);
    },
  });
}

async function withImages(message: Message): Promise<object> {
  if (!Array.isArray(message.content)) return message;
  const parts = message.content.map(async (part) => (part.type === "text" ? part : { type: "image", data: await blobOf(part).arrayBuffer() }));
  return { ...message, content: await Promise.all(parts) };
}

/** Aborts when nothing has happened for a while, or when `outer` does. */
class Watch {
  #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #onAbort = () => this.#controller.abort(this.outer.reason);

  constructor(
    readonly millis: number,
    readonly outer: AbortSignal,
  ) {
    outer.addEventListener("abort", this.#onAbort);
    if (outer.aborted) this.#onAbort();
    this.again();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  again(): void {
    clearTimeout(this.#timer);
    const reason = () => new Error("The model did not load: check the wasm's URL, and that the page's policy allows 'wasm-unsafe-eval' and workers of blob: URLs.");
    this.#timer = setTimeout(() => this.#controller.abort(reason()), this.millis);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.outer.removeEventListener("abort", this.#onAbort);
  }
}
