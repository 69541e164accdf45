// For bundlers that leave `new URL("…", import.meta.url)` alone, or that do not make ES modules: the app says what the wasm is.
import { createGate } from "sluicegate/slim";
import redactWasm from "sluicegate/redact.wasm";
import wasm from "sluicegate/sluicegate.wasm";

async function main() {
  const gate = await createGate({ wasm, baseUrl: "/v1", model: "scripted-r1" });
  const { text } = await gate.stream({ messages: [{ role: "user", content: "Hello from a page" }] }).reply();
  const { redact, restore } = await createGate({ wasm, baseUrl: "/v1", redact: { wasm: redactWasm } });
  globalThis.redaction = { before: 1, after: 2, masked: redact("13912345678").text, restored: restore(redact("13912345678").text) };
  globalThis.answer = text;
}

main();
