// CommonJS loads it by import().
import("sluicegate").then(async ({ createGate, GateError }) => {
  const gate = await createGate({ baseUrl: process.argv[2], model: "scripted-r1" });
  const reply = await gate.stream({ messages: [{ role: "user", content: "Hello from CommonJS" }] }).reply();
  console.log(JSON.stringify({ text: reply.text, isClass: typeof GateError === "function" }));
});
