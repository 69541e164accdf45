// The page of recovery.test.mjs: gates over two upstreams on other origins and a real local model, and calls that tell what an app sees.

import { Wllama } from "@wllama/wllama/esm/index.js";
import OpenAI from "openai";
import { createGate } from "sluicegate";
import { wllama } from "sluicegate/local/wllama";

const local = wllama({ Wllama, wasm: "/wllama.wasm", model: "/model.gguf", name: "smollm2-135m", parameters: { n_ctx: 512, n_threads: 1 } });
const gates = {};
const calls = {};

/**
 * Makes a gate under a name. Of the fallbacks, `"local"` is the model on the device; `keys` makes the gate's `apiKey` a function that gives the first
 * one, and the next at each refresh.
 */
globalThis.makeGate = async (name, { keys, fallback = [], ...options }) => {
  const gate = await createGate({
    ...options,
    ...(keys && { apiKey: ({ refresh }) => keys[refresh ? ++gates[name].refreshed : gates[name].refreshed] }),
    fallback: fallback.map((each) => (each === "local" ? local : each)),
  });
  gates[name] = { gate, baseUrl: options.baseUrl, refreshed: 0 };
};
globalThis.forgetGate = (name) => void delete gates[name];
globalThis.refreshed = (name) => gates[name].refreshed;
globalThis.usage = (name) => gates[name].gate.usage();

const WAYS = {
  async stream({ gate }, body, signal, seen) {
    for await (const delta of gate.stream(body, { signal })) {
      seen.types.add(delta.type);
      if (delta.type === "text") seen.text += delta.text;
      if (delta.type === "notice") seen.notices.push(delta.code);
      if (delta.type === "end") read(seen, delta.reply);
    }
  },
  async chat({ gate }, body, signal, seen) {
    const reply = await gate.chat(body, { signal });
    seen.text = reply.text;
    read(seen, reply);
  },
  async sdkStream(made, body, signal, seen) {
    const asked = client(made).chat.completions.create({ ...body, stream: true, stream_options: { include_usage: true } }, { signal });
    const { data, response } = await asked.withResponse();
    seen.head = head(response);
    const ids = new Set();
    for await (const { id, choices, usage } of data) {
      ids.add(id);
      seen.usage = usage ?? seen.usage;
      seen.text += choices[0]?.delta.content ?? "";
      seen.finish = choices[0]?.finish_reason ?? seen.finish;
    }
    seen.ids = ids.size;
  },
  async sdkWhole(made, body, signal, seen) {
    const { data, response } = await client(made).chat.completions.create(body, { signal }).withResponse();
    seen.head = head(response);
    const [{ message, finish_reason }] = data.choices;
    Object.assign(seen, { text: message.content, finish: finish_reason, usage: data.usage });
  },
};

function read(seen, { usage, finish_reason, text, model }) {
  Object.assign(seen, { usage, finish: finish_reason, whole: text, model });
}

function client({ gate, baseUrl }) {
  return new OpenAI({ baseURL: baseUrl, apiKey: "unused", fetch: gate.fetch, maxRetries: 0, dangerouslyAllowBrowser: true });
}

function head({ headers }) {
  return [headers.get("x-sluicegate-source"), headers.get("x-sluicegate-attempts")];
}

/** One call of a gate in one way; `abortAfter` milliseconds it is aborted. Gives all that an app can see. */
globalThis.play = async (name, way, body, abortAfter) => {
  const made = gates[name];
  const controller = new AbortController();
  const seen = { text: "", notices: [], heard: [], types: new Set(), finish: undefined };
  const began = performance.now();
  // Only one call of a gate is under way where this is looked at.
  const off = [made.gate.on("end", (end) => (seen.end = end)), made.gate.on("notice", ({ code }) => seen.heard.push(code))];
  const timer = abortAfter && setTimeout(() => controller.abort(), abortAfter);
  try {
    await WAYS[way](made, body, controller.signal, seen);
  } catch (error) {
    seen.error = { name: error.name, code: error.code ?? error.error?.code, status: error.status, message: error.message, partial: error.partial?.text };
  }
  clearTimeout(timer);
  for (const stop of off) stop();
  const { outcome, source, attempts, timeline = [], usage } = seen.end ?? {};
  return { ...seen, ms: performance.now() - began, types: [...seen.types].sort(), end: { outcome, source, attempts, timeline, usage } };
};

/** Begins a call that is awaited later, by its name. */
globalThis.begin = (key, ...args) => void (calls[key] = globalThis.play(...args));
globalThis.result = (key) => calls[key];

globalThis.availability = () => local.availability();
globalThis.prepare = () => local.prepare();
globalThis.dispose = () => local.dispose();
globalThis.isReady = true;
