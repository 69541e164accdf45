// What all isolates know together of a route: the object behind them, as the runtime runs it.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startGate } from "./gate.mjs";

const PATH = "/internal/route-health";
const config = { upstreams: [{ name: "a", dialect: "openai", base_url: "https://api.example.com", models: ["*"] }] };

const tell = async (gate, name, line) => JSON.parse(await gate.object("ROUTE_HEALTH", PATH, name, JSON.stringify({ [name]: line })));

test("failures of several isolates open a route's breaker for all, and the state outlives the object", async () => {
  const storage = await mkdtemp(join(tmpdir(), "sluicegate-health-"));
  let gate = await startGate({ config, storage });
  try {
    assert.deepEqual(Object.keys((await tell(gate, "a/m", { failures: 2 }))["a/m"]), ["closed"]);
    const { open } = (await tell(gate, "a/m", { failures: 3 }))["a/m"];
    assert.ok(open > 0, "the fifth in a row opens it");
    assert.deepEqual(Object.keys((await tell(gate, "a/other", { failures: 1 }))["a/other"]), ["closed"], "another route is another object");
    await gate.stop();
    gate = await startGate({ config, storage });
    const left = (await tell(gate, "a/m", { wish: 0 }))["a/m"].open;
    assert.ok(left > 0 && left <= open, `${left} of ${open}`);
  } finally {
    await gate.stop();
    await rm(storage, { recursive: true, force: true });
  }
});

test("what is no report changes nothing", async () => {
  const gate = await startGate({ config });
  try {
    for (const text of ["", "{}", "[]", "nonsense", "x".repeat(10_000)]) assert.doesNotMatch(await gate.object("ROUTE_HEALTH", PATH, "a/m", text), /open/);
  } finally {
    await gate.stop();
  }
});

test("from outside there is nothing at the object's path", async () => {
  const gate = await startGate({ config });
  try {
    const response = await gate.fetch(PATH, { method: "POST", body: '{"a/m":{"failures":9}}' });
    assert.deepEqual([response.status, (await response.json()).error.code], [404, "not_found"]);
  } finally {
    await gate.stop();
  }
});
