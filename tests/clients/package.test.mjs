// The package with the built Worker: tokens that it gets for a key and its secret, renewed when they are withdrawn, and a socket with tickets.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createGate } from "sluicegate";
import { openSocket } from "sluicegate/socket";
import { createTokens } from "sluicegate/token";
import { WebSocket } from "ws";
import { expectedAnswer, startUpstream } from "../upstream/index.mjs";
import { admin, ISSUER, makeKey, startAccess } from "../worker/access.mjs";

const MESSAGES = [{ role: "user", content: "Hello" }];
const MODEL = "scripted-r1";

let upstream;
let gate;

before(async () => {
  upstream = await startUpstream();
  gate = await startAccess(upstream, { models: [MODEL, "scripted-chat+endless"] });
});

after(async () => {
  await gate?.stop();
  await upstream?.close();
});

/** A source of tokens for a key, with its assertions or with the key itself; and how often the gate was asked for one. */
function tokensOf({ id, key, secret }, isSigned = true) {
  const asked = { count: 0 };
  const own = isSigned ? { apiKey: id, apiSecret: secret, audience: ISSUER } : { apiKey: key };
  const counting = (...args) => ((asked.count += 1), fetch(...args));
  return { asked, tokens: createTokens({ endpoint: `${gate.url}/auth/token`, ...own, fetch: counting }) };
}

for (const isSigned of [true, false]) {
  test(`twenty calls get one token for ${isSigned ? "an assertion" : "the key"}, and another one where that is withdrawn`, async () => {
    const made = await makeKey(gate.url);
    const { asked, tokens } = tokensOf(made, isSigned);
    const client = await createGate({ baseUrl: `${gate.url}/v1`, token: tokens });
    const { text, reasoning } = expectedAnswer({ model: MODEL, messages: MESSAGES });
    const all = () => Promise.all(Array.from({ length: 20 }, () => client.chat({ model: MODEL, messages: MESSAGES })));
    for (const reply of await all()) assert.deepEqual([reply.text, reply.reasoning], [text, reasoning]);
    assert.equal(asked.count, 1);
    await admin(gate.url, "POST", `/admin/keys/${made.id}/revoke-tokens`);
    // A token made in the second of the withdrawal is withdrawn too.
    await delay(1_100);
    for (const reply of await all()) assert.equal(reply.text, text);
    assert.equal(asked.count, 2);
    await admin(gate.url, "POST", `/admin/keys/${made.id}/disable`);
    await assert.rejects(client.chat({ model: MODEL, messages: MESSAGES }), { code: "unauthorized", status: 401 });
  });
}

test("a socket opens with a ticket of the gate's, answers one request after the other, and one that is left reaches the upstream", async () => {
  const { tokens } = tokensOf(await makeKey(gate.url));
  const socket = await openSocket({ url: `${gate.url.replace("http", "ws")}/v1/stream`, token: tokens, WebSocket });
  const { text } = expectedAnswer({ model: MODEL, messages: MESSAGES });
  for (let round = 0; round < 3; round += 1) {
    let said = "";
    for await (const delta of socket.stream({ prompt: "Hello" })) if (delta.type === "text") said += delta.text;
    assert.equal(said, text);
  }
  await assert.rejects(async () => {
    for await (const delta of socket.stream({ prompt: "Hello", model: "none" })) assert.fail(JSON.stringify(delta));
  }, { code: "model_not_found" });
  for await (const delta of socket.stream({ prompt: "Hello", model: "scripted-chat+endless" })) if (delta.type === "text") break;
  const until = Date.now() + 2_000;
  while (!upstream.requests.at(-1).aborted && Date.now() < until) await delay(10);
  assert.ok(upstream.requests.at(-1).aborted);
  socket.close();
});
