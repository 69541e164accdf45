// For bundlers that leave `new URL("…", import.meta.url)` alone, or that do not make ES modules: the app says what the wasm is.
import { createGate } from "sluicegate/slim";
import wasm from "sluicegate/sluicegate.wasm";

createGate({ wasm, baseUrl: "/v1", model: "scripted-r1" })
  .then((gate) => gate.stream({ messages: [{ role: "user", content: "Hello from a page" }] }).reply())
  .then((reply) => (globalThis.answer = reply.text));
