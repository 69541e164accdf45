// The page of sdk.test.mjs: the SDKs with the gate's fetch, to be called from outside.

import { createGate } from "sluicegate";
import { aiCompatibleClient } from "../../clients/ai-sdk.mjs";
import { langchainOpenAiClient } from "../../clients/langchain.mjs";
import { openaiClient } from "../../clients/openai.mjs";

const gate = await createGate({ baseUrl: "/v1" });
const baseUrl = `${location.origin}/v1`;
const connection = { baseUrl, deepseekUrl: baseUrl, apiKey: "scripted", fetch: gate.fetch };
const clients = Object.fromEntries([openaiClient, aiCompatibleClient, langchainOpenAiClient].map((create) => [create.name, create(connection)]));

const outcome = (promise) =>
  promise.then(
    (value) => ({ value }),
    (error) => ({ error: { name: error.name, message: error.message, code: error.code, outcome: error.outcome } }),
  );

/** Calls a method of a client; with `abortAfter`, aborts after so many pieces of text. */
globalThis.callClient = (name, method, model, messages, options = {}, abortAfter = undefined) => {
  if (abortAfter === undefined) return outcome(clients[name][method](model, messages, options));
  const controller = new AbortController();
  let seen = 0;
  const onText = () => ++seen === abortAfter && controller.abort();
  return outcome(clients[name][method](model, messages, { ...options, signal: controller.signal, onText }));
};

/** Streams from the gate itself; leaves the loop after `leaveAfter` deltas. */
globalThis.callGate = (request, leaveAfter = Infinity) =>
  outcome(
    (async () => {
      let seen = 0;
      let text = "";
      for await (const delta of gate.stream(request)) {
        if (delta.type === "text") text += delta.text;
        if (delta.type === "end") return { text, reasoning: delta.reply.reasoning, outcome: delta.outcome };
        if (++seen === leaveAfter) break;
      }
      return { text };
    })(),
  );
globalThis.fetchGate = (path, request) =>
  outcome(gate.fetch(path, { method: "POST", body: JSON.stringify(request) }).then(async (response) => ({ status: response.status, text: await response.text() })));
globalThis.gateUsage = () => gate.usage();
globalThis.listModels = () => outcome(gate.models());
globalThis.isReady = true;
