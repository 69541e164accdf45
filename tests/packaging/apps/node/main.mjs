import { createGate } from "sluicegate";
import { sseStream } from "sluicegate/sse";

const gate = await createGate({ baseUrl: process.argv[2], model: "scripted-r1" });
let text = "";
for await (const delta of gate.stream({ messages: [{ role: "user", content: "Hello from Node" }] })) if (delta.type === "text") text += delta.text;
const events = [];
for await (const event of new Response("data: 1\n\n").body.pipeThrough(sseStream())) events.push(event.data);
console.log(JSON.stringify({ text, events }));
