import { createGate } from "sluicegate";

const gate = await createGate({ baseUrl: "/v1", model: "scripted-r1" });
let text = "";
for await (const delta of gate.stream({ messages: [{ role: "user", content: "Hello from a page" }] })) if (delta.type === "text") text += delta.text;

const loaded = () => performance.getEntriesByType("resource").filter(({ name }) => name.includes(".wasm")).length;
const before = loaded();
const { redact, restore } = await createGate({ baseUrl: "/v1", redact: true });
globalThis.redaction = { before, after: loaded(), masked: redact("13912345678").text, restored: restore(redact("13912345678").text) };
globalThis.answer = text;
