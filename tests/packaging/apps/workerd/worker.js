import { createGate } from "sluicegate";
import { sseStream } from "sluicegate/sse";

export default {
  async fetch(request, env) {
    const gate = await createGate({ baseUrl: env.UPSTREAM, model: "scripted-r1" });
    if (new URL(request.url).pathname === "/stream") {
      const body = JSON.stringify({ model: "scripted-r1", stream: true, messages: [{ role: "user", content: "Hello from workerd" }] });
      const response = await gate.fetch(`${env.UPSTREAM}/chat/completions`, { method: "POST", body });
      const types = new Set();
      for await (const event of response.body.pipeThrough(sseStream())) types.add(event.type);
      return Response.json({ types: [...types], usage: gate.usage() });
    }
    if (new URL(request.url).pathname === "/redact") {
      const { redact, restore } = await createGate({ baseUrl: env.UPSTREAM, redact: true });
      const masked = redact("13912345678").text;
      return Response.json({ masked, restored: restore(masked) });
    }
    const reply = await gate.stream({ messages: [{ role: "user", content: "Hello from workerd" }] }).reply();
    return Response.json({ text: reply.text });
  },
};
