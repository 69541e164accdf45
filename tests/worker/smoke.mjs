import { startGate, events } from "./gate.mjs";
import { startUpstream } from "../upstream/server.mjs";
const up = await startUpstream({ pace: 0 });
const gate = await startGate({ config: { upstreams: [{ name: "s", dialect: "openai", base_url: up.url, models: ["*"], scripted: true }], development: true,
 budgets: {connect_ms:600, first_token_ms: 800, idle_ms: 500, content_idle_ms: 700, total_ms: 5000} } });
try {
console.log(await (await gate.fetch("/healthz")).text());
for (const stream of [false, true]) {
 const r = await gate.chat({ model: process.argv[2] ?? "gpt+rate-200", stream });
 console.log(r.status, Object.fromEntries(r.headers)); const t = await r.text(); console.log(t.length, t.slice(0, 300), "...", t.slice(-600));
}
await new Promise(r => setTimeout(r, 300));
console.log(gate.logs, gate.output.slice(-1500));
} finally { await gate.stop(); await up.close(); }
