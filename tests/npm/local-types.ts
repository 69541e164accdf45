// Compiled, not run: the local backends take the libraries as they are published, and refuse what is none.
/// <reference types="dom-chromium-ai" />

import * as huggingface from "@huggingface/transformers";
import * as mlc from "@mlc-ai/web-llm";
import { Wllama } from "@wllama/wllama/esm/index.js";
import { isLocalBackend, localBackend, localFetch, type LocalAvailability, type LocalBackend, type LocalProgress, type LocalRequest } from "sluicegate/local";
import { promptApi } from "sluicegate/local/prompt-api";
import { transformers } from "sluicegate/local/transformers";
import { webLlm } from "sluicegate/local/web-llm";
import { wllama } from "sluicegate/local/wllama";

declare const engine: mlc.MLCEngine;
declare const workerEngine: mlc.WebWorkerMLCEngine;
declare const generator: huggingface.TextGenerationPipeline;
declare const worker: Worker;

export const backends: LocalBackend[] = [
  promptApi(),
  promptApi({ languages: ["en"], vision: true, name: "gemini-nano" }),
  transformers({ ...huggingface, model: "m" }),
  transformers({ ...huggingface, model: "m", generator }),
  transformers({ model: "m", load: () => import("@huggingface/transformers"), options: { device: "webgpu" }, context: 2048, maxTokens: 100 }),
  webLlm({ model: "m", engine }),
  webLlm({ model: "m", engine: workerEngine }),
  webLlm({ model: "m", create: mlc.CreateMLCEngine, config: { logLevel: "SILENT" }, chatOptions: { context_window_size: 4096 } }),
  webLlm({ model: "m", create: (model, config) => mlc.CreateWebWorkerMLCEngine(worker, model, config) }),
  webLlm({ model: "m", load: () => import("@mlc-ai/web-llm") }),
  wllama({ Wllama, wasm: "/wllama.wasm", model: "/model.gguf" }),
  wllama({ load: () => import("@wllama/wllama/esm/index.js"), wasm: "/wllama.wasm", model: { url: "/m.gguf", mmprojUrl: "/p.gguf" }, parameters: { n_threads: 2 } }),
  // @ts-expect-error the library's class is one that can be made
  wllama({ Wllama: {}, wasm: "/wllama.wasm", model: "/model.gguf" }),
  // @ts-expect-error the model is required
  webLlm({ engine }),
  // @ts-expect-error no such option
  promptApi({ model: "x" }),
];

/** What the adapter of the Prompt API hands to the browser is what the browser takes. */
export async function browserModel(): Promise<void> {
  const availability: "unavailable" | "downloadable" | "downloading" | "available" = await LanguageModel.availability({ expectedInputs: [{ type: "text", languages: ["en"] }] });
  const session = await LanguageModel.create({
    expectedInputs: [{ type: "text" }, { type: "image" }],
    expectedOutputs: [{ type: "text" }],
    initialPrompts: [{ role: "system", content: "x" }, { role: "user", content: [{ type: "image", value: new Blob() }] }],
    signal: new AbortController().signal,
    monitor: (monitor) => monitor.addEventListener("downloadprogress", (event) => event.loaded),
  });
  const stream: ReadableStream<string> = session.promptStreaming([{ role: "assistant", content: "x", prefix: true }], { responseConstraint: { type: "object" } });
  const [window, used]: [number, number] = [session.contextWindow, await session.measureContextUsage([{ role: "user", content: "x" }])];
  void [availability, stream, window, used];
  session.destroy();
}

/** What the adapters read of the libraries' answers is there. */
export async function libraries(instance: Wllama, signal: AbortSignal): Promise<void> {
  const messages = [{ role: "user" as const, content: "x" }];
  await instance.loadModelFromUrl("/m.gguf", { n_ctx: 1, n_batch: 64, n_ubatch: 64, n_gpu_layers: 0, n_parallel: 1, signal, progressCallback: ({ loaded, total }) => void [loaded, total] });
  for await (const chunk of await instance.createChatCompletion({ messages, stream: true, max_tokens: 1, abortSignal: signal })) void [chunk.choices[0]?.delta.content, chunk.usage?.total_tokens];
  instance.setCompat(null);
  await instance.cacheManager.delete("/m.gguf");
  for await (const chunk of await engine.chat.completions.create({ messages, stream: true, stream_options: { include_usage: true }, response_format: { type: "json_object", schema: "{}" } })) void chunk.choices[0]?.delta.content;
  const config: mlc.MLCEngineConfig = { initProgressCallback: ({ progress }) => void progress };
  const criteria = new huggingface.InterruptableStoppingCriteria();
  const streamer = new huggingface.TextStreamer(generator.tokenizer, { skip_prompt: true, skip_special_tokens: true, callback_function: (text: string) => void text, token_callback_function: (ids: bigint[]) => void ids.at(-1) });
  const ids: Set<bigint> = streamer.special_ids;
  await generator(messages, { max_new_tokens: 1, do_sample: true, temperature: 1, streamer, stopping_criteria: criteria });
  const tokens: number = (generator.tokenizer.apply_chat_template(messages, { tokenize: true, add_generation_prompt: true, return_tensor: false, return_dict: false }) as number[]).length;
  await huggingface.pipeline("text-generation", "m", { progress_callback: (info) => void (info.status === "progress_total" && info.loaded) });
  void [config, ids, tokens];
}

/** A backend of the app's own. */
export async function own(value: unknown): Promise<void> {
  const backend = localBackend({
    id: "own",
    model: "m",
    availability: async (): Promise<LocalAvailability> => "ready",
    async prepare() {},
    async *stream(request: LocalRequest, signal: AbortSignal) {
      yield `${request.messages.length} ${signal.aborted}`;
    },
  });
  const transport: typeof fetch = backend.fetch;
  await backends[0]!.prepare({ onProgress: ({ loaded, total }: LocalProgress) => void [loaded, total], signal: new AbortController().signal });
  if (isLocalBackend(value)) void (localFetch(value) === transport);
  // @ts-expect-error a backend needs a stream
  localFetch({ id: "own", model: "m", availability: backend.availability, prepare: backend.prepare });
}
