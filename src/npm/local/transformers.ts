import type { Message } from "../types.js";
import { makeBackend } from "./backend.js";
import type { LocalModel } from "./types.js";

interface Tokenizer {
  apply_chat_template(messages: never, options: never): unknown;
}

interface Generator {
  (messages: never, options: never): Promise<unknown>;
  tokenizer: Tokenizer;
  dispose(): Promise<unknown>;
}

interface Library {
  pipeline(task: "text-generation", model: string, options: never): Promise<unknown>;
  TextStreamer: new (tokenizer: never, options: never) => object;
  InterruptableStoppingCriteria: new () => { interrupt(): void };
}

/** Options of {@link transformers}: the three of the library, or `load`. */
export interface TransformersOptions extends Partial<Library> {
  /** The model's id on the hub, or its path: with weights in ONNX. */
  model: string;
  /** A pipeline of the app's own. It is not disposed of by `dispose()`. */
  generator?: unknown;
  /** Imports the library when the model is prepared: `() => import("@huggingface/transformers")`. */
  load?: () => Promise<Library>;
  /** The pipeline's options: `dtype`, `device`, `revision`, …. With `device: "webgpu"` a browser without one is `unavailable`. */
  options?: { device?: unknown };
  /** How many tokens the context has. Default: not known, nothing is left out. */
  context?: number;
  /** The longest answer, where the request does not say. Default 1024: the library itself stops at 256. */
  maxTokens?: number;
}

/** A model in ONNX on WebGPU or WebAssembly, through Transformers.js. */
export function transformers(settings: TransformersOptions): LocalModel {
  const { model, generator, options, context, maxTokens = 1024 } = settings;
  const given = settings.TextStreamer && settings.InterruptableStoppingCriteria && (generator || settings.pipeline);
  if (!given && !settings.load) throw new TypeError("transformers() needs TextStreamer, InterruptableStoppingCriteria and pipeline, or load.");
  interface Loaded {
    library: Library;
    generator: Generator;
  }
  const tokensOf = ({ tokenizer }: Generator, messages: Message[]) => {
    const wanted = { tokenize: true, add_generation_prompt: true, return_tensor: false, return_dict: false };
    return (tokenizer.apply_chat_template(messages as never, wanted as never) as ArrayLike<unknown>).length;
  };

  return makeBackend<Loaded>({
    ...{ id: "transformers", model, context },
    parameters: ["max_tokens", "temperature"],
    async probe() {
      if (generator && given) return "ready";
      if (options?.device !== "webgpu") return "downloadable";
      const { gpu } = (globalThis.navigator ?? {}) as { gpu?: { requestAdapter(): Promise<unknown> } };
      return (await gpu?.requestAdapter().catch(() => null)) ? "downloadable" : "unavailable";
    },
    async load(report) {
      const library = given ? (settings as Library) : await settings.load!();
      const progress_callback = (info: { status: string; loaded?: number; total?: number }) => {
        // Over all files; the others are of one each.
        if (info.status === "progress_total") report({ loaded: info.loaded!, total: info.total! });
      };
      const made = generator ?? (await library.pipeline("text-generation", model, { ...options, progress_callback } as never));
      return { library, generator: made as Generator };
    },
    unload: (loaded) => (generator ? undefined : loaded.generator.dispose()),
    count: async (loaded, messages) => tokensOf(loaded.generator, messages),
    async *generate({ library, generator: run }, { messages, max_tokens = maxTokens, temperature }, signal) {
      const criteria = new library.InterruptableStoppingCriteria();
      const pieces = new Pieces();
      let tokens = 0;
      let last: bigint | undefined;
      const streamer: { special_ids?: Set<bigint> } = new library.TextStreamer(run.tokenizer as never, {
        skip_prompt: true,
        skip_special_tokens: true,
        callback_function: (text: string) => pieces.push(text),
        token_callback_function(ids: bigint[]) {
          tokens += ids.length;
          last = ids.at(-1);
        },
      } as never);
      const sampling = temperature === undefined ? {} : temperature > 0 ? { do_sample: true, temperature } : { do_sample: false };
      const wanted = { max_new_tokens: max_tokens, ...sampling, streamer, stopping_criteria: criteria };
      const interrupt = () => criteria.interrupt();
      signal.addEventListener("abort", interrupt);
      if (signal.aborted) interrupt();
      const done = run(messages as never, wanted as never);
      const ended = done.then(() => pieces.end(), (error: unknown) => pieces.end({ error }));
      try {
        yield* pieces.read();
        const isCut = tokens >= max_tokens && !(last !== undefined && streamer.special_ids?.has(last));
        yield { choices: [{ index: 0, delta: {}, finish_reason: isCut ? "length" : "stop" }] };
        const prompt = tokensOf(run, messages);
        yield { choices: [], usage: { prompt_tokens: prompt, completion_tokens: tokens, total_tokens: prompt + tokens } };
      } finally {
        interrupt();
        signal.removeEventListener("abort", interrupt);
        await ended;
      }
    },
  });
}

/** What is pushed on one side, to be read on the other. Bounded by the model's longest answer: the library cannot be made to wait. */
class Pieces {
  #texts: string[] = [];
  #end: { error?: unknown } | undefined;
  #wake: () => void = () => {};

  push(text: string): void {
    this.#texts.push(text);
    this.#wake();
  }

  end(end: { error?: unknown } = {}): void {
    this.#end = end;
    this.#wake();
  }

  async *read(): AsyncGenerator<string, void, undefined> {
    for (;;) {
      // All at once: a reader who is behind gets one long piece.
      const text = this.#texts.join("");
      this.#texts = [];
      if (text !== "") yield text;
      else if (this.#end) break;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    if ("error" in this.#end!) throw this.#end.error;
  }
}
