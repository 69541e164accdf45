import { createGate } from "sluicegate";

const gate = await createGate({ baseUrl: "/v1", model: "scripted-r1" });
let text = "";
for await (const delta of gate.stream({ messages: [{ role: "user", content: "Hello from a page" }] })) if (delta.type === "text") text += delta.text;
globalThis.answer = text;
