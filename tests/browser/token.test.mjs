// A page that holds no secret, in Chromium: its own server gives it tokens, another origin is the gate, and the socket opens with a ticket.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { WebSocketServer } from "ws";
import { openPage, startChromium } from "./chromium.mjs";

const dist = new URL("../../dist/npm/", import.meta.url);
const stdin = {
  contents: 'export { createGate } from "./web.js"; export { createTokens } from "./token.js"; export { openSocket } from "./socket.js";',
  resolveDir: fileURLToPath(dist),
};
const bundled = await build({ stdin, bundle: true, write: false, format: "esm", target: "es2022", platform: "browser", logLevel: "error" });
const FILES = {
  "/": ["text/html", '<!doctype html><meta charset="utf-8"><title>app</title><script type="module">import * as all from "/app.js"; Object.assign(globalThis, all, { isReady: true });</script>'],
  "/app.js": ["text/javascript", bundled.outputFiles[0].text],
  "/sluicegate.wasm": ["application/wasm", await readFile(new URL("sluicegate.wasm", dist))],
};

const seen = { tokens: [], gate: [], upgrades: [] };
let made = 0;
/** The app's server. */
const site = await listen(async (request, response) => {
  const file = FILES[request.url];
  if (file) return response.writeHead(200, { "content-type": file[0], "set-cookie": "session=s; HttpOnly; SameSite=Strict" }).end(file[1]);
  if (request.url !== "/api/token") return response.writeHead(404).end();
  seen.tokens.push([request.method, request.headers.cookie, request.headers.authorization]);
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ access_token: `token-${++made}`, expires_in: 3600 }));
});
/** The gate, on an origin of its own. The first token is one that it has revoked. */
const gate = await listen(async (request, response) => {
  response.setHeader("access-control-allow-origin", site.url);
  if (request.method === "OPTIONS") return response.writeHead(204, { "access-control-allow-headers": "authorization, content-type, accept" }).end();
  const token = request.headers.authorization;
  seen.gate.push(`${request.url} ${token}`);
  if (token !== "Bearer token-2") return response.writeHead(401, { "content-type": "application/json" }).end('{"error":{"message":"revoked","code":"unauthorized"}}');
  if (request.url === "/auth/ticket") return response.writeHead(200, { "content-type": "application/json" }).end('{"ticket":"once","expires_in":30}');
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.end('data: {"choices":[{"index":0,"delta":{"content":"streamed"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
});
let echo = "sluicegate.v1";
const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => echo });
gate.server.on("upgrade", (request, socket, head) => {
  const offered = request.headers["sec-websocket-protocol"];
  seen.upgrades.push([request.url, offered, request.headers.origin]);
  if (!offered.endsWith("sluicegate.ticket.once")) return socket.end("HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n");
  sockets.handleUpgrade(request, socket, head, (client) => {
    client.on("message", (text) => {
      const { prompt, type } = JSON.parse(text);
      if (type === "cancel") return client.send('{"choices":[],"finish_reason":"cancelled"}');
      client.send(JSON.stringify({ choices: [{ text: `to ${prompt}`, index: 0 }] }));
      if (prompt === "close") client.close(4401, "unauthorized");
      else if (prompt !== "wait") client.send('{"choices":[],"finish_reason":"stop","usage":{"total_tokens":3}}');
    });
  });
});
after(() => [site, gate].forEach(({ server }) => (server.closeAllConnections(), server.close())));
after(() => sockets.clients.forEach((client) => client.terminate()));

async function listen(handler) {
  const server = createServer(handler).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}

const { context, close } = await startChromium();
after(close);
const { page, errors } = await openPage(context, site.url);
await page.waitForFunction(() => globalThis.isReady, undefined, { timeout: 20_000 }).catch(() => assert.fail(errors.join("\n")));

test("a page's gate gets its token from the app's server, and another one where the gate refuses it", async () => {
  const text = await page.evaluate(async (url) => {
    globalThis.tokens = createTokens({ endpoint: "/api/token" });
    const gate = await createGate({ baseUrl: `${url}/v1`, model: "m", token: tokens });
    return (await gate.stream({ messages: [{ role: "user", content: "x" }] }).reply()).text;
  }, gate.url);
  assert.equal(text, "streamed");
  assert.deepEqual(seen.tokens, Array(2).fill(["POST", "session=s", undefined]));
  assert.deepEqual(seen.gate, ["/v1/chat/completions Bearer token-1", "/v1/chat/completions Bearer token-2"]);
});

test("its socket opens with a ticket, answers one request after the other, and is told why it was closed", async () => {
  const told = await page.evaluate(async (url) => {
    const socket = await openSocket({ url: `${url.replace("http", "ws")}/v1/stream`, token: tokens });
    const first = await socket.stream({ prompt: "one" }).reply();
    for await (const _ of socket.stream({ prompt: "wait" })) break;
    const second = await socket.stream({ prompt: "two" }).reply();
    const error = await socket.stream({ prompt: "close" }).reply().catch((error) => error);
    return [first.text, first.usage.total_tokens, second.text, error.code, error.partial.text, (await socket.closed).code, socket.isOpen];
  }, gate.url);
  assert.deepEqual(told, ["to one", 3, "to two", "unauthorized", "to close", 4401, false]);
  assert.deepEqual(seen.upgrades, [["/v1/stream", "sluicegate.v1, sluicegate.ticket.once", site.url]]);
});

test("a socket that is refused, or answered with the ticket, does not open; neither error has the ticket in it", async () => {
  const open = (ticket) =>
    page.evaluate(([url, ticket]) => openSocket({ url: `${url}/v1/stream`, ticket }).then(() => "open", (error) => [error.code, `${error.stack} ${JSON.stringify(error)} ${error.cause}`]), [gate.url, ticket]);
  const [code, text] = await open("canary");
  assert.equal(code, "network");
  assert.ok(!text.includes("canary"));
  echo = "sluicegate.ticket.once";
  const [odd, words] = await open("once");
  assert.equal(odd, "protocol");
  assert.ok(!words.includes("ticket.once"));
});

test("a page keeps no token in its storage, and may hold no secret", async () => {
  const { stored, code, param } = await page.evaluate(async () => {
    const error = await createGate({ baseUrl: "/v1", token: { endpoint: "/auth/token", apiKey: "key_x", apiSecret: "s" } }).catch((error) => error);
    const names = await Promise.all([indexedDB.databases(), caches.keys()]);
    return { stored: JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state, names]), code: error.code, param: error.param };
  });
  assert.ok(!/token-|once|session=/.test(stored), stored);
  assert.deepEqual([code, param], ["invalid_request", "token.apiSecret"]);
});
