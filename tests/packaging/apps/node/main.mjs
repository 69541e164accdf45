import { createGate } from "sluicegate";
import { createRedactor } from "sluicegate/redact";
import { sseStream } from "sluicegate/sse";

const gate = await createGate({ baseUrl: process.argv[2], model: "scripted-r1", redact: true });
let text = "";
for await (const delta of gate.stream({ messages: [{ role: "user", content: "Hello from Node" }] })) if (delta.type === "text") text += delta.text;
const events = [];
for await (const event of new Response("data: 1\n\n").body.pipeThrough(sseStream())) events.push(event.data);
const redactor = await createRedactor();
const masked = redactor.redact("13912345678").text;
console.log(JSON.stringify({ text, events, masked, restored: redactor.restore(masked) }));
