// The page of the local tests: a real model behind the package's own entries, and functions that a test calls by name.

import { Wllama } from "@wllama/wllama/esm/index.js";
import { createGate } from "sluicegate";
import { promptApi } from "sluicegate/local/prompt-api";
import { webLlm } from "sluicegate/local/web-llm";
import { wllama } from "sluicegate/local/wllama";

const wasm = "/wllama.wasm";
// A history is cut well below what the model takes: to read a long one takes it a minute here.
const settings = { Wllama, wasm, context: 128, parameters: { n_ctx: 256, n_threads: 1 } };
const backends = {
  real: wllama({ ...settings, model: "/model.gguf", name: "smollm2-135m" }),
  corrupt: wllama({ ...settings, model: "/corrupt.gguf" }),
  wrongWasm: wllama({ ...settings, wasm: "/missing.wasm", model: "/model.gguf", stallMs: 3000 }),
  promptApi: promptApi({ languages: ["en"] }),
  webLlm: webLlm({ model: "any", create: () => Promise.reject(new Error("no WebGPU here")) }),
};
const URL = "/v1/chat/completions";
const controllers = {};

/** Runs `work`; gives its value or what it threw, and how long it took. */
async function outcome(work) {
  const started = performance.now();
  const taken = () => Math.round(performance.now() - started);
  try {
    return { value: await work(), ms: taken() };
  } catch (error) {
    return { error: { name: error.name, code: error.code, message: error.message, type: error.constructor.name }, ms: taken() };
  }
}

/** The events of an event stream, with when each came. */
async function readEvents(response, onEvent = () => {}) {
  const events = [];
  let text = "";
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    const whole = text.split("\n\n");
    text = whole.pop();
    for (const event of whole) {
      const data = event.replace(/^data: /, "");
      events.push({ at: performance.now(), data: data === "[DONE]" ? data : JSON.parse(data) });
      onEvent(events.length);
    }
  }
  return events;
}

Object.assign(globalThis, {
  availability: (name) => backends[name].availability(),
  dispose: (name) => outcome(() => backends[name].dispose()),
  prepare: (name) =>
    outcome(async () => {
      const progress = [];
      await backends[name].prepare({ onProgress: (each) => progress.push(each) });
      return progress;
    }),

  /** One call; aborted behind so many events, if that is given. */
  ask: (body, abortAfter) =>
    outcome(async () => {
      const controller = new AbortController();
      const response = await backends.real.fetch(URL, { method: "POST", body: JSON.stringify(body), signal: controller.signal });
      const type = response.headers.get("content-type");
      if (!type.startsWith("text/event-stream")) return { status: response.status, type, json: await response.json() };
      const events = await readEvents(response, (count) => count === abortAfter && controller.abort(new DOMException("enough", "AbortError")));
      return { status: response.status, type, events };
    }),

  /** Asks, gives the call a name, and lets it be aborted by that. */
  begin(name, body) {
    const controller = (controllers[name] = new AbortController());
    controller.answer = outcome(async () => readEvents(await backends.real.fetch(URL, { method: "POST", body: JSON.stringify(body), signal: controller.signal })));
  },
  abort: (name) => controllers[name].abort(new DOMException("enough", "AbortError")),
  result: (name) => controllers[name].answer,

  gateStream: (request) =>
    outcome(async () => {
      const deltas = [];
      for await (const delta of gate.stream(request)) deltas.push(delta.type === "end" ? { type: "end", outcome: delta.outcome, model: delta.reply.model, text: delta.reply.text, usage: delta.usage } : delta);
      return deltas;
    }),
  isOnline: () => fetch("/ping").then(() => true, () => false),
});

const gate = await createGate({ baseUrl: "/v1", model: "cloud", fetch: backends.real.fetch });
globalThis.isReady = true;
