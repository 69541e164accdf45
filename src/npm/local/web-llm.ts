import { drained, makeBackend } from "./backend.js";
import type { LocalModel, LocalRequest } from "./types.js";

interface Engine {
  chat: { completions: { create(request: never): Promise<unknown> } };
  interruptGenerate(): unknown;
  unload(): Promise<void>;
}

interface Config {
  initProgressCallback?: (report: { progress: number }) => void;
}

type Create = (model: string, config: never, chatOptions?: never) => Promise<Engine>;

/** Options of {@link webLlm}: one of `engine`, `create` and `load`. */
export interface WebLlmOptions {
  /** The model's id in WebLLM's list. */
  model: string;
  /** An engine of the app's own, with `model` loaded. It is not unloaded by `dispose()`. */
  engine?: Engine;
  /** `CreateMLCEngine`, or a function of the same form around `CreateWebWorkerMLCEngine`. */
  create?: Create;
  /** Imports the library when the model is prepared: `() => import("@mlc-ai/web-llm")`. */
  load?: () => Promise<{ CreateMLCEngine: Create }>;
  /** The engine's configuration: `appConfig`, `logLevel`, …. */
  config?: object;
  /** Settings that override the model's own: `context_window_size`, …. */
  chatOptions?: { context_window_size?: number };
  /** How many tokens the model's context has. Default: the chat options' `context_window_size`. */
  context?: number;
  /** Whether the model takes images. Default no. */
  vision?: boolean;
  /** Whether the model takes tools. Default no: few do. */
  tools?: boolean;
}

/** A model on WebGPU, through WebLLM. */
export function webLlm({ model, engine, create, load, config, chatOptions, context = chatOptions?.context_window_size, vision, tools }: WebLlmOptions): LocalModel {
  if (!engine && !create && !load) throw new TypeError("webLlm() needs an engine, create or load.");
  return makeBackend<Engine>({
    ...{ id: "web-llm", model, context, vision, tools },
    json: true,
    parameters: ["max_tokens", "stop", "temperature", "top_p", "seed", "frequency_penalty", "presence_penalty"],
    async probe() {
      if (engine) return "ready";
      const { gpu } = (globalThis.navigator ?? {}) as { gpu?: { requestAdapter(): Promise<unknown> } };
      return (await gpu?.requestAdapter().catch(() => null)) ? "downloadable" : "unavailable";
    },
    async load(report) {
      if (engine) return engine;
      const make = create ?? (await load!()).CreateMLCEngine;
      const told = (config as Config | undefined)?.initProgressCallback;
      const initProgressCallback: Config["initProgressCallback"] = (progress) => {
        report({ loaded: progress.progress, total: 1 });
        told?.(progress);
      };
      return make(model, { ...config, initProgressCallback } as never, chatOptions as never);
    },
    unload: (loaded) => (engine ? undefined : loaded.unload()),
    // The GPU went, mostly for want of memory; nothing but another load helps.
    isFatal: (error) => !engine && error instanceof Error && error.name === "DeviceLostError",
    async *generate(loaded, request, signal) {
      const wanted = { ...request, ...format(request), stream: true, stream_options: { include_usage: true } };
      const chunks = (await loaded.chat.completions.create(wanted as never)) as AsyncIterable<object>;
      yield* drained(chunks, () => loaded.interruptGenerate(), signal);
    },
  });
}

/** WebLLM has one form for both kinds of JSON, the schema as text. */
function format({ response_format: wanted }: LocalRequest): object | undefined {
  const schema = wanted?.json_schema?.schema;
  return wanted && { response_format: { type: "json_object", ...(schema !== undefined && { schema: JSON.stringify(schema) }) } };
}
