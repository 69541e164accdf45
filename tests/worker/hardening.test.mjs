// What a hostile client, page or upstream may try, against the built Worker: the rows of SECURITY.md that name this file.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import WebSocket from "ws";
import { ADMIN_KEY, ISSUER, SECRETS, admin, bearer, exchange, makeKey, send } from "./access.mjs";
import { assertNowhere } from "./canary.mjs";
import { ROOT, raw, startGate } from "./gate.mjs";

const TABLE = JSON.parse(await readFile(join(ROOT, "tests/vectors/access/roles.json"), "utf8"));
const ORIGIN = "https://app.example.com";
const ONE_KEY = "sk-canary-one-0123456789abcdef";
const TWO_KEY = "sk-canary-two-fedcba9876543210";
const JSON_TYPE = { "content-type": "application/json" };

/** What a request of each of the API's paths that takes a body would send. */
const BODIES = {
  "/v1/chat/completions": { model: "m", messages: [{ role: "user", content: "x" }] },
  "/v1/completions": { model: "m", prompt: "x" },
  "/v1/models/m/infer": { messages: [{ role: "user", content: "x" }] },
  "/v1/complete": { prompt: "x" },
  "/v1/batch": { prompts: ["x"] },
  "/v1/embeddings": { model: "m", input: "x" },
  "/v1/rerank": { model: "m", query: "x", documents: ["x"] },
  "/v1/responses": { model: "m", input: "x" },
  "/v1/messages": { model: "m", max_tokens: 10, messages: [{ role: "user", content: "x" }] },
  "/auth/token": { grant_type: "client_credentials" },
  "/auth/revoke": { token: "x" },
  "/admin/session": { key: "x" },
  "/admin/keys": { name: "x" },
};
const CALLS = Object.keys(BODIES).filter((path) => path.startsWith("/v1/"));

/** An upstream that notes what it gets, and does what the model's name says. What it says is what it was asked. */
async function listener() {
  const seen = [];
  const server = createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part)).on("error", () => {});
    response.on("error", () => {});
    request.on("end", async () => {
      const body = Buffer.concat(parts).toString();
      seen.push({ method: request.method, url: request.url, headers: request.headers, raw: request.rawHeaders, body });
      const { model = "", stream, messages } = body.startsWith("{") ? JSON.parse(body) : {};
      const said = messages?.at(-1).content ?? "ok";
      const redirect = /^redirect-(\d+)-(.*)$/.exec(model);
      if (redirect) {
        const port = server.address().port;
        const to = { self: request.url, path: "/evil", other: "http://127.0.0.1:9/", host: `http://localhost:${port}/evil` }[redirect[2]];
        return response.writeHead(Number(redirect[1]), { location: to }).end("{}");
      }
      if (model === "fails" && request.headers.authorization === `Bearer ${ONE_KEY}`) return response.writeHead(500, JSON_TYPE).end('{"error":{"message":"down"}}');
      if (model === "markup") return response.writeHead(200, { "content-type": "text/html", refresh: "0;url=https://evil.test" }).end("<script>alert(1)</script>");
      if (model === "tells") return response.writeHead(401, JSON_TYPE).end(JSON.stringify({ error: { message: `Incorrect API key: ${request.headers.authorization}` } }));
      const choice = stream ? { delta: { role: "assistant", content: said } } : { message: { role: "assistant", content: said } };
      const whole = { id: "c", object: `chat.completion${stream ? ".chunk" : ""}`, created: 1, model, choices: [{ index: 0, ...choice, finish_reason: stream ? null : "stop" }] };
      if (!stream) {
        await delay(Math.random() * 20);
        return response.writeHead(200, JSON_TYPE).end(JSON.stringify(whole));
      }
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (let count = 0; count < 3; count++) {
        response.write(`data: ${JSON.stringify(whole)}\n\n`);
        await delay(model === "slow" ? 150 : Math.random() * 10);
      }
      response.end(`data: ${JSON.stringify({ ...whole, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}\n\ndata: [DONE]\n\n`);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { seen, url: `http://127.0.0.1:${server.address().port}/v1`, close: () => (server.closeAllConnections(), server.close()) };
}

function upgrade(headers = {}) {
  return { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": randomBytes(16).toString("base64"), ...headers };
}

const pathOf = ({ path }) => path.replace("{model}", "m").replace("{id}", path.startsWith("/admin") ? "key_0000000000000000" : path.includes("datasets") ? "ds_0000000000000000" : "0".repeat(64));

let upstream;
let gate;
/** Two developers, as `{ id, key, secret }`. */
let ann;
let bob;
before(async () => {
  upstream = await listener();
  const config = {
    upstreams: [
      { name: "one", dialect: "openai", base_url: upstream.url, secret: "ONE_KEY", models: ["*"] },
      { name: "two", dialect: "openai", base_url: upstream.url, secret: "TWO_KEY", models: ["spare"] },
    ],
    fallbacks: { fails: ["spare"] },
    access: { root: "ROOT_SECRET", bootstrap: "ADMIN_KEY", issuer: ISSUER },
    cors: { origins: [ORIGIN] },
    limits: { body_ms: 700 },
    development: true,
  };
  gate = await startGate({ config, secrets: { ...SECRETS, ONE_KEY, TWO_KEY }, db: true, datasets: true });
  [ann, bob] = await Promise.all([0, 1].map(() => makeKey(gate.url, { role: "developer" })));
});
after(async () => {
  await gate?.stop();
  upstream?.close();
});

const post = (path, body, { key = ann.key, headers } = {}) => send(gate.url, "POST", path, { headers: { ...bearer(key), ...headers }, body });
const chat = (body, options) => post("/v1/chat/completions", { ...BODIES["/v1/chat/completions"], ...body }, options);
const json = (text) => JSON.parse(text);

describe("headers", () => {
  const hostile = {
    connection: "keep-alive, x-smuggled, x-request-id", "x-smuggled": "1", "x-forwarded-for": "1.2.3.4", "x-forwarded-host": "evil.test", "x-forwarded-proto": "http",
    "x-forwarded-port": "1", "x-forwarded-prefix": "/x", forwarded: "for=1;host=evil.test", "x-real-ip": "1.1.1.1", "true-client-ip": "1.1.1.1", "x-client-ip": "1.1.1.1",
    "x-cluster-client-ip": "1.1.1.1", "fastly-client-ip": "1.1.1.1", "cf-ipcountry": "XX", "cf-ray": "x", "cf-worker": "evil.test", "cf-access-jwt-assertion": "x",
    cookie: "session=1", referer: "https://evil.test", te: "trailers", via: "1.1 evil", range: "bytes=0-1", "if-none-match": "x", "proxy-authorization": "Basic eA==",
    "proxy-connection": "x", "x-original-url": "/admin/keys", "x-rewrite-url": "/admin/keys", "x-http-method-override": "DELETE", "x-method-override": "DELETE",
    "x-custom-host": "evil.test", "x-portkey-custom-host": "https://evil.test", "x-litellm-api-base": "https://evil.test", "helicone-target-url": "https://evil.test",
    "openai-organization": "org", "openai-project": "p", "anthropic-beta": "x", "x-stainless-lang": "js", "sec-websocket-protocol": "sluicegate.ticket.x", "x-sluicegate-about": "{}",
    "accept-encoding": "gzip", baggage: "a=b", traceparent: "00-1-1-01", "x-sluicegate-trusted": "1",
  };

  test("forty hostile ones change nothing of what goes up, neither at first nor on a retry nor at the fallback", async () => {
    const from = upstream.seen.length;
    const answer = await chat({ model: "fails" }, { headers: hostile });
    assert.equal(answer.status, 200, answer.text);
    const requests = upstream.seen.slice(from);
    const keys = requests.map(({ headers }) => headers.authorization);
    assert.ok(keys.filter((key) => key === `Bearer ${ONE_KEY}`).length >= 2, "a retry at the first upstream");
    assert.equal(keys.at(-1), `Bearer ${TWO_KEY}`);
    for (const { headers, raw: lines, url } of requests) {
      assert.equal(url, "/v1/chat/completions");
      // These are the runtime's own.
      const names = Object.keys(headers).filter((name) => !["host", "content-length", "accept-encoding", "connection"].includes(name));
      assert.deepEqual(names.sort(), ["accept", "authorization", "content-type", "user-agent", "x-request-id"]);
      assert.equal(new Set(lines.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase())).size, lines.length / 2, "none comes twice");
      assert.equal(headers.host, new URL(upstream.url).host);
      assert.ok(!JSON.stringify(lines).includes("evil") && !JSON.stringify(lines).includes(ann.key));
    }
  });

  test("a second request that hides behind a length that lies is not another caller's", async () => {
    const count = upstream.seen.length;
    const hidden = `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60\r\n\r\n{"model":"hidden","messages":[{"role":"user","content":"h"}]}`;
    const head = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n";
    for (const lie of [
      `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`, `Content-Length: 2\r\nContent-Length: 200\r\n\r\n{}${hidden}`,
      `Transfer-Encoding: xchunked\r\nContent-Length: 2\r\n\r\n{}${hidden}`, `Content-Length: +2\r\n\r\n{}${hidden}`, `Content-Length: 2,2\r\n\r\n{}${hidden}`,
      `Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\nx-a: b\r\n\r\n${hidden}`,
    ]) {
      const { status } = await raw(gate.port, head + lie);
      assert.ok(Number.isNaN(status) || status >= 400, `${status}: ${lie.slice(0, 60)}`);
    }
    assert.equal(upstream.seen.length, count);
  });

  test("an upstream's page is no answer, and what it says of keys is not handed on", async () => {
    for (const model of ["markup", "tells"]) {
      const answer = await chat({ model });
      assert.ok(answer.status >= 400, model);
      assert.match(answer.headers["content-type"], /^application\/json/);
      assert.equal(answer.headers["x-content-type-options"], "nosniff");
      assert.equal(answer.headers.refresh, undefined);
      assert.ok(!answer.text.includes("<script") && !answer.text.includes(ONE_KEY), answer.text);
    }
  });

  test("gates behind each other end: the fourth is refused, and each says how manieth it is", async () => {
    const agent = async (name) => {
      const { status, json: body } = await chat({}, { headers: { "user-agent": name } });
      return status === 200 ? upstream.seen.at(-1).headers["user-agent"].replace(/^sluicegate\/[\d.]+ ?/, "") : [status, body.error.code];
    };
    assert.equal(await agent("curl/8"), "");
    assert.equal(await agent("sluicegate/0.1.0"), "(hop 2)");
    assert.equal(await agent("sluicegate/9.0.0 (hop 2)"), "(hop 3)");
    for (const name of ["sluicegate/0.1.0 (hop 3)", "sluicegate/0.1.0 (hop 255)", "sluicegate/0.1.0 (hop 999)"]) assert.deepEqual(await agent(name), [503, "misconfigured"], name);
    const list = await send(gate.url, "GET", "/v1/models", { headers: { ...bearer(ann.key), "user-agent": "sluicegate/0.1.0 (hop 3)" } });
    assert.equal(list.status, 503);
  });
});

describe("what a request may not choose", () => {
  const NAMES = ["api_base", "base_url", "baseURL", "BASE-URL", "endpoint", "custom_host", "proxy", "extra_headers", "extra_body", "api_key", "apiKey"];

  test("the upstream's address and key: not at the top, not nested, at no endpoint", async () => {
    const count = upstream.seen.length;
    for (const path of CALLS) {
      for (const name of NAMES) {
        for (const more of [{ [name]: "https://evil.test" }, { metadata: { [name]: "https://evil.test" } }, { options: [{ a: { [name]: "https://evil.test" } }] }]) {
          const answer = await post(path, { ...BODIES[path], ...more });
          assert.equal(answer.status, 400, `${path} ${JSON.stringify(more)}: ${answer.status} ${answer.text}`);
        }
      }
    }
    assert.equal(upstream.seen.length, count);
  });

  test("nor in a form", async () => {
    const count = upstream.seen.length;
    const form = (name) => `--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\nhttps://evil.test\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\nRIFF\r\n--b--\r\n`;
    for (const path of ["/v1/audio/transcriptions", "/v1/audio/translations", "/v1/datasets"]) {
      for (const name of NAMES) {
        const answer = await post(path, form(name), { headers: { "content-type": "multipart/form-data; boundary=b" } });
        assert.equal(answer.status, 400, `${path} ${name}: ${answer.status} ${answer.text}`);
      }
    }
    assert.equal(upstream.seen.length, count);
  });

  test("an address in a message is the model's business: nothing is fetched", async () => {
    const from = upstream.seen.length;
    const port = new URL(upstream.url).port;
    const urls = [`http://127.0.0.1:${port}/image.png`, "http://169.254.169.254/latest/meta-data", "file:///etc/passwd"];
    await chat({ messages: [{ role: "user", content: urls.map((url) => ({ type: "image_url", image_url: { url } })) }] });
    assert.deepEqual(upstream.seen.slice(from).map(({ url }) => url).filter((url) => url !== "/v1/chat/completions"), []);
  });

  test("a redirect of the upstream's leads nowhere", { timeout: 60_000 }, async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      for (const to of ["self", "path", "other", "host"]) {
        const from = upstream.seen.length;
        const answer = await chat({ model: `redirect-${status}-${to}` });
        assert.equal(answer.status, 502, `${status} ${to}: ${answer.text}`);
        assert.equal(answer.headers.location, undefined);
        const requests = upstream.seen.slice(from);
        assert.ok(requests.every(({ url, method }) => url === "/v1/chat/completions" && method === "POST"), `${status} ${to}`);
        assert.equal(requests.length, Number(answer.headers["x-sluicegate-attempts"]), `${status} ${to}`);
      }
    }
  });
});

describe("bodies", () => {
  const fields = (path) => (path === "/admin/session" ? {} : bearer(path.startsWith("/admin") ? ADMIN_KEY : ann.key));
  const sendTo = (path, body, headers = {}) => send(gate.url, "POST", path, { headers: { ...fields(path), ...headers }, body });

  test("compressed ones, and those that are not JSON, are refused everywhere", async () => {
    const count = upstream.seen.length;
    for (const [path, body] of [...Object.entries(BODIES), ["/v1/datasets", {}], ["/v1/audio/transcriptions", {}]]) {
      for (const encoding of ["gzip", "br", "deflate", "zstd", "gzip, identity", "x"]) {
        const answer = await sendTo(path, body, { "content-encoding": encoding, ...(path in BODIES ? {} : { "content-type": "multipart/form-data; boundary=b" }) });
        assert.equal(answer.status, 415, `${path} ${encoding}: ${answer.status} ${answer.text}`);
      }
      for (const type of ["text/plain", "text/plain; application/json", "application/jsonp", "text/json", "multipart/form-data", ""]) {
        if (!(path in BODIES) && type.startsWith("multipart")) continue;
        const answer = await sendTo(path, body, { "content-type": type });
        assert.ok([400, 415].includes(answer.status), `${path} ${type}: ${answer.status} ${answer.text}`);
        if (path in BODIES) assert.equal(answer.status, 415, `${path} ${type}: ${answer.text}`);
      }
    }
    assert.equal(upstream.seen.length, count);
  });

  test("a name that stands twice in an object is refused wherever it stands, escaped or not", async () => {
    const count = upstream.seen.length;
    const twice = '{"model":"cheap","mod\\u0065l":"dear"}';
    for (const [path, body] of Object.entries(BODIES)) {
      const [[name, value]] = Object.entries(body);
      const rest = JSON.stringify(body).slice(1);
      const again = `${JSON.stringify(name)}:${JSON.stringify(value)}`;
      const bodies = [`{${again},${rest}`, `{"metadata":${twice},${rest}`, `{"metadata":{"a":[[${twice}]]},${rest}`, `{"tools":[{"type":"function","function":{"name":"f","parameters":${twice}}}],${rest}`];
      if (body.messages) bodies.push(JSON.stringify(body).replace('"role":"user"', '"role":"user","ro\\u006ce":"system"'));
      for (const text of bodies) {
        const answer = await sendTo(path, text);
        assert.equal(answer.status, 400, `${path} ${text}: ${answer.status} ${answer.text}`);
      }
    }
    assert.equal(upstream.seen.length, count);
  });

  test("deep, broken and odd JSON is refused quickly", async () => {
    const count = upstream.seen.length;
    for (const [path, body] of Object.entries(BODIES)) {
      const rest = JSON.stringify(body).slice(1);
      const odd = [
        `{"metadata":${"[".repeat(33)}${"]".repeat(33)},${rest}`, `{"metadata":${"[".repeat(7_000)}`, `{"metadata":1e400,${rest}`, `\ufeff{${rest}`, `{${rest}{}`, `{"metadata":01,${rest}`,
        `{"metadata":NaN,${rest}`, `{"metadata":"\\ud800",${rest}`, `{"metadata":"\u0000",${rest}`, "null", "[]", '"x"', "{", "",
      ];
      for (const text of odd) {
        const started = performance.now();
        const answer = await sendTo(path, text);
        assert.ok([400, 413].includes(answer.status), `${path} ${text.slice(0, 60)}: ${answer.status} ${answer.text}`);
        assert.ok(performance.now() - started < 1_500, path);
      }
    }
    assert.equal(upstream.seen.length, count);
  });

  /** Sends a head, then a byte now and then; gives what came back, and after how long. */
  async function drip(path, length, headers) {
    const socket = connect(gate.port, "127.0.0.1");
    const started = performance.now();
    let answer = "";
    socket.setEncoding("latin1").on("data", (part) => (answer += part)).on("error", () => {});
    const lines = Object.entries({ host: "x", "content-type": "application/json", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`POST ${path} HTTP/1.1\r\n${lines.join("")}${length ? `content-length: ${length}` : "transfer-encoding: chunked"}\r\n\r\n`);
    while (!answer.includes("\r\n\r\n{") && performance.now() - started < 6_000 && !socket.destroyed) {
      socket.write(length ? " " : "1\r\n \r\n");
      await delay(50);
    }
    socket.destroy();
    return { answer, took: performance.now() - started };
  }

  test("one that drips is cut when its time is over, however it says its length", { timeout: 60_000 }, async () => {
    const count = upstream.seen.length;
    const paths = ["/v1/chat/completions", "/v1/complete", "/v1/batch", "/v1/embeddings", "/auth/token", "/admin/keys"];
    await Promise.all(
      paths.flatMap((path) => [500, 0].map(async (length) => {
        const { answer, took } = await drip(path, length, fields(path));
        assert.match(answer, /^HTTP\/1\.1 400 .*came too slowly/s, `${path} ${length}: ${answer}`);
        assert.ok(took > 500 && took < 4_000, `${path} ${length}: ${took} ms`);
      })),
    );
    assert.equal(upstream.seen.length, count);
  });
});

describe("browsers", () => {
  const EVIL = ["https://evil.test", "null", `${ORIGIN}.evil.test`, ORIGIN.toUpperCase(), ORIGIN.replace("https", "http"), `${ORIGIN}:8443`, "https://evil.test/app.example.com", `${ORIGIN}/`, `${ORIGIN}, https://evil.test`];

  test("no page of another origin gets anything of any route, by any method", { timeout: 60_000 }, async () => {
    for (const row of [...TABLE, { method: "GET", path: "/v1/nothing" }, { method: "GET", path: "/admin/nothing" }]) {
      for (const origin of EVIL) {
        for (const method of ["OPTIONS", row.method]) {
          const asks = method === "OPTIONS" ? { "access-control-request-method": row.method, "access-control-request-headers": "authorization" } : {};
          const ws = row.path === "/v1/stream" ? upgrade() : {};
          const answer = await send(gate.url, method, pathOf(row), { headers: { origin, ...bearer(ADMIN_KEY), ...asks, ...ws }, body: row.method === "POST" && method === "POST" ? {} : undefined });
          const label = `${method} ${row.path} from ${origin}: ${answer.status}`;
          assert.equal(answer.status, 403, label);
          assert.deepEqual(Object.keys(answer.headers).filter((name) => name.startsWith("access-control-")), [], label);
          assert.equal(answer.headers.vary, "Origin", label);
        }
      }
    }
  });

  test("a listed origin is named letter for letter, credentials are never allowed, and an unknown path tells no methods", async () => {
    for (const row of TABLE) {
      const preflight = await send(gate.url, "OPTIONS", pathOf(row), { headers: { origin: ORIGIN, "access-control-request-method": row.method, "access-control-request-headers": "authorization, x-evil, cookie" } });
      assert.deepEqual([preflight.status, preflight.headers["access-control-allow-origin"], preflight.headers["access-control-allow-headers"], preflight.headers.vary], [204, ORIGIN, "authorization", "Origin"], row.path);
      assert.equal(preflight.headers["access-control-allow-credentials"], undefined);
      assert.ok(preflight.headers["access-control-allow-methods"].split(", ").includes(row.method), row.path);
    }
    const nothing = await send(gate.url, "OPTIONS", "/v1/nothing", { headers: { origin: ORIGIN, "access-control-request-method": "POST" } });
    assert.deepEqual([nothing.status, nothing.headers["access-control-allow-methods"], nothing.headers["access-control-allow-origin"]], [404, undefined, ORIGIN]);
  });

  test("a socket is opened for no foreign page, with no cookie, and with no credential in its address", async () => {
    const { ticket } = (await post("/auth/ticket", {})).json;
    for (const origin of EVIL) {
      for (const headers of [bearer(ann.key), { "sec-websocket-protocol": `sluicegate.v1, sluicegate.ticket.${ticket}` }]) {
        assert.equal((await send(gate.url, "GET", "/v1/stream", { headers: upgrade({ origin, ...headers }) })).status, 403, origin);
      }
    }
    for (const name of ["token", "key", "api_key", "ticket", "access_token"]) {
      const { status } = await send(gate.url, "GET", `/v1/stream?${name}=${ann.key}`, { headers: upgrade() });
      assert.ok([400, 401].includes(status), `${name}: ${status}`);
    }
    const signedIn = await send(gate.url, "POST", "/admin/session", { body: { key: ann.key } });
    const [cookie] = signedIn.headers["set-cookie"][0].split(";");
    assert.equal((await send(gate.url, "GET", "/v1/stream", { headers: upgrade({ cookie }) })).status, 401);
    // Of a page that asked for it: good there, once, and nowhere else.
    const theirs = (await post("/auth/ticket", {}, { headers: { origin: ORIGIN } })).json.ticket;
    const open = (headers) => send(gate.url, "GET", "/v1/stream", { headers: upgrade({ "sec-websocket-protocol": `sluicegate.v1, sluicegate.ticket.${theirs}`, ...headers }) });
    assert.equal((await open({})).status, 401);
    const opened = await open({ origin: ORIGIN });
    assert.deepEqual([opened.status, opened.headers["sec-websocket-protocol"]], [101, "sluicegate.v1"]);
    assert.equal((await open({ origin: ORIGIN })).status, 401);
  });

  test("the session's cookie moves nothing for another site, not even by a form", async () => {
    const administrator = await makeKey(gate.url, { role: "administrator" });
    const signedIn = await send(gate.url, "POST", "/admin/session", { body: { key: administrator.key }, headers: { origin: gate.url } });
    assert.equal(signedIn.status, 200, signedIn.text);
    const [cookie] = signedIn.headers["set-cookie"][0].split(";");
    const count = async () => (await gate.sql("SELECT count(*) AS made FROM keys"))[0].made;
    const before = await count();
    const make = (headers, body = { name: "by another site" }) => send(gate.url, "POST", "/admin/keys", { headers: { cookie, ...headers }, body });
    for (const headers of [
      { origin: "https://evil.test", "sec-fetch-site": "cross-site" }, { origin: "null" }, { "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }, { "sec-fetch-site": "none" },
      // A page on a listed origin may use the gate with a key, and not with somebody's session.
      { origin: ORIGIN }, { origin: ORIGIN, "sec-fetch-site": "cross-site" }, { origin: gate.url.replace("127.0.0.1", "localhost"), "sec-fetch-site": "cross-site" },
    ]) {
      const { status } = await make(headers);
      assert.ok([401, 403].includes(status), `${JSON.stringify(headers)}: ${status}`);
    }
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", ""]) {
      assert.equal((await make({ origin: gate.url, "sec-fetch-site": "same-origin", "content-type": type })).status, 415, type);
    }
    assert.equal(await count(), before);
    const planted = await send(gate.url, "POST", "/admin/session", { body: { key: administrator.key }, headers: { origin: ORIGIN } });
    assert.deepEqual([planted.status, planted.headers["set-cookie"]], [403, undefined]);
    assert.equal((await make({ origin: gate.url, "sec-fetch-site": "same-origin" })).status, 201);
    for (const { method, path } of TABLE.filter(({ path }) => path.startsWith("/v1/") || path.startsWith("/auth/"))) {
      const { status } = await send(gate.url, method, pathOf({ path }), { headers: { cookie, "sec-fetch-site": "same-origin", ...(path === "/v1/stream" ? upgrade() : {}) }, body: method === "POST" ? {} : undefined });
      assert.equal(status, 401, `${method} ${path}`);
    }
  });

  test("no answer of any route is stored or sniffed, whoever asks", async () => {
    for (const row of TABLE) {
      for (const headers of [{}, bearer(ADMIN_KEY), bearer(ann.key), bearer("wrong")]) {
        for (const method of [row.method, "OPTIONS", "TRACE"]) {
          const answer = await send(gate.url, method, pathOf(row), { headers, body: method === "POST" ? {} : undefined });
          const label = `${method} ${row.path}: ${answer.status}`;
          assert.deepEqual([answer.headers["cache-control"], answer.headers["x-content-type-options"], answer.headers.vary], ["no-store", "nosniff", "Origin"], label);
          assert.ok(answer.headers["x-request-id"], label);
          assert.ok(answer.status < 500 || answer.status === 501, `${label} ${answer.text}`);
        }
      }
    }
  });
});

describe("pages", () => {
  test("all of them, the administrators' too, keep to themselves, and an unknown path is none", async () => {
    const assets = await mkdtemp(join(tmpdir(), "sluicegate-pages-"));
    await mkdir(join(assets, "admin"));
    for (const file of ["index.html", "admin/index.html", "app.js"]) await writeFile(join(assets, file), "x");
    const config = { upstreams: [{ name: "one", dialect: "openai", base_url: upstream.url, models: ["m"] }], access: { bootstrap: "ADMIN_KEY" }, development: true };
    const gate = await startGate({ config, secrets: SECRETS, assets });
    try {
      for (const path of ["/index.html", "/admin/index.html", "/app.js"]) {
        const { status, headers } = await send(gate.url, "GET", path);
        const served = path.startsWith("/admin/") ? [200, 404] : [200];
        assert.ok(served.includes(status), `${path}: ${status}`);
        if (status !== 200) continue;
        const policy = headers["content-security-policy"];
        for (const rule of ["default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "object-src 'none'", "require-trusted-types-for 'script'"]) {
          assert.ok(policy.includes(rule), `${path}: ${rule}`);
        }
        assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval'(?<!wasm-unsafe-eval')|\*|https?:/);
        assert.deepEqual([headers["x-content-type-options"], headers["referrer-policy"], headers["cross-origin-opener-policy"], headers["cross-origin-resource-policy"]], ["nosniff", "no-referrer", "same-origin", "same-origin"]);
        assert.ok(headers["permissions-policy"]);
        assert.equal(headers["set-cookie"], undefined);
      }
      for (const path of ["/nothing", "/.dev.vars", "/.git/config", "/wrangler.jsonc", "/index.js", "/index_bg.wasm", "/..%2findex.js", "/admin/keys/../index.html", "/admin/..%2fkeys", "/admin//keys", "/ADMIN/keys", "/admin%2fkeys", "/admin/keys%00", "/admin/%6beys", "/admin/keys/", "/admin/keys;x", "/admin/keys.json", "//admin/keys", "/x/%2e%2e/admin/keys", "/admin\\keys", "/__scheduled", "/cdn-cgi/mf/scheduled", "/internal/socket", "/internal/limits", "/internal/health"]) {
        for (const method of ["GET", "POST", "HEAD", "PUT"]) {
          const { status } = await raw(gate.port, `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
          assert.ok(path.endsWith("index.html") || (status >= 400 && status < 500), `${method} ${path}: ${status}`);
        }
      }
    } finally {
      await gate.stop();
      await rm(assets, { recursive: true, force: true });
    }
  });
});

describe("between callers", () => {
  const resume = (method, id, credential, headers = {}) => send(gate.url, method, `/v1/streams/${id}`, { headers: { ...bearer(credential), ...headers } });
  const begin = async (credential) => {
    const response = await gate.chat({ model: "slow", stream: true }, { headers: { ...bearer(credential), "x-sluicegate-resume": "1" } });
    assert.equal(response.status, 200);
    return { id: response.headers.get("x-sluicegate-stream"), reader: response.body.getReader() };
  };

  test("a stream is another key's to nobody else: it cannot be read, ended or told from none", async () => {
    const { id, reader } = await begin(ann.key);
    await reader.read();
    const none = await resume("GET", "0".repeat(64), bob.key);
    for (const method of ["GET", "DELETE"]) {
      for (const [credential, headers] of [[bob.key, {}], [ADMIN_KEY, {}], [bob.key, { "x-sluicegate-caller": ann.id }], [await exchange(gate.url, bob.key), {}]]) {
        const answer = await resume(method, id, credential, headers);
        assert.deepEqual([answer.status, answer.json.error.code, answer.text], [410, "stream_gone", none.text]);
      }
      assert.equal((await send(gate.url, method, `/v1/streams/${id}`)).status, 401);
    }
    // It still goes on for whom it is.
    let text = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += Buffer.from(part.value).toString();
    assert.match(text, /\[DONE\]/);
  });

  test("a stream is its key's by whatever credential: a token that was renewed goes on with it, and ends it", async () => {
    const [first, second] = [await exchange(gate.url, ann.key), await exchange(gate.url, ann.key)];
    const { id, reader } = await begin(first);
    await reader.read();
    await reader.cancel();
    for (const credential of [second, ann.key, first]) {
      const answer = await resume("GET", id, credential, { "last-event-id": "1" });
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(answer.text.match(/^id: \d+$/gm), ["id: 2", "id: 3", "id: 4", "id: 5"]);
      assert.match(answer.text, /\[DONE\]/);
    }
    assert.equal((await resume("DELETE", id, second)).status, 204);
    assert.equal((await resume("GET", id, first)).status, 410);
  });

  test("the same idempotency key of two callers is two at the upstream, and of one caller one", async () => {
    const sent = [];
    for (const key of [ann.key, ann.key, await exchange(gate.url, ann.key), bob.key]) {
      assert.equal((await chat({}, { key, headers: { "idempotency-key": "order-1" } })).status, 200);
      sent.push(upstream.seen.at(-1).headers["idempotency-key"]);
    }
    assert.match(sent[0], /^[0-9a-f]{64}$/);
    assert.deepEqual([sent[1], sent[2]], [sent[0], sent[0]]);
    assert.notEqual(sent[3], sent[0]);
    for (const odd of ["a b", "x".repeat(256), "\u00e9"]) assert.equal((await chat({}, { headers: { "idempotency-key": odd } })).status, 400);
  });

  test("two hundred requests of twenty keys at once: no answer has anything of another's", { timeout: 60_000 }, async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => makeKey(gate.url, { role: "developer" })));
    await Promise.all(
      Array.from({ length: 200 }, async (_, at) => {
        const { key } = keys[at % keys.length];
        const canary = `canary-${at}-${randomBytes(6).toString("hex")}`;
        await delay(Math.random() * 100);
        const answer = await chat({ messages: [{ role: "user", content: canary }], stream: at % 2 === 0 }, { key, headers: { "x-request-id": `id-${at}` } });
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.headers["x-request-id"], `id-${at}`);
        assert.deepEqual([...new Set(answer.text.match(/canary-\d+-[0-9a-f]{12}/g))], [canary]);
        assert.equal((await gate.settled(`id-${at}`)).key, keys[at % keys.length].id);
      }),
    );
  });
});

describe("administrators", () => {
  test("no field is set that is not one of a key's settings, by whoever asks and however it is spelled", async () => {
    const { id } = await makeKey(gate.url, { role: "developer", limits: { requests_per_minute: 5 } });
    const row = async () => JSON.stringify(await gate.sql("SELECT * FROM keys WHERE id = ?", id));
    const before = await row();
    const columns = Object.keys((await gate.sql("SELECT * FROM keys WHERE id = ?", id))[0]).filter((name) => !["name", "owner"].includes(name));
    const fields = [...columns, "key", "secret", "sha256", "spend", "used", "tenant_id", "max_budget", "temp_budget", "Role", "ROLE", "is_admin", "__proto__", "constructor", "limits.requests_per_minute"];
    for (const name of fields) {
      for (const value of ["administrator", 0, [], {}]) {
        const body = `{${JSON.stringify(name)}:${JSON.stringify(value)}}`;
        assert.equal((await send(gate.url, "PATCH", `/admin/keys/${id}`, { headers: bearer(ADMIN_KEY), body })).status, 400, body);
        assert.equal((await send(gate.url, "POST", "/admin/keys", { headers: bearer(ADMIN_KEY), body: `{"name":"x",${body.slice(1)}` })).status, 400, body);
      }
    }
    // What is null is not there; whatever it is called, it takes nothing away.
    for (const name of fields) await send(gate.url, "PATCH", `/admin/keys/${id}`, { headers: bearer(ADMIN_KEY), body: `{${JSON.stringify(name)}:null}` });
    assert.equal(await row(), before);
    for (const body of ['{"role":"administrator"}', '{"limits":{}}', '{"limits":null}', '{"expires_at":null}']) {
      for (const path of [`/admin/keys/${id}`, `/admin/keys/${ann.id}`]) assert.equal((await send(gate.url, "PATCH", path, { headers: bearer(ann.key), body })).status, 403, body);
    }
    for (const limit of [-1, 0.5, "5", 1e19, [], {}, true]) {
      const { status } = await send(gate.url, "PATCH", `/admin/keys/${id}`, { headers: bearer(ADMIN_KEY), body: { limits: { requests_per_minute: limit } } });
      assert.equal(status, 400, JSON.stringify(limit));
    }
    assert.equal(await row(), before);
  });

  test("with a root secret that is none, nothing is signed and nobody comes in", { timeout: 60_000 }, async () => {
    for (const ROOT_SECRET of [undefined, "", "changeme", " ".repeat(40), "x".repeat(31)]) {
      const config = { upstreams: [{ name: "one", dialect: "openai", base_url: upstream.url, models: ["*"] }], access: { root: "ROOT_SECRET", bootstrap: "ADMIN_KEY" }, development: true };
      const gate = await startGate({ config, secrets: { ADMIN_KEY, ...(ROOT_SECRET === undefined ? {} : { ROOT_SECRET }) } });
      try {
        for (const { method, path } of TABLE.filter(({ may }) => !may.includes("public"))) {
          const answer = await send(gate.url, method, pathOf({ path }), { headers: { ...bearer(ADMIN_KEY), ...(path === "/v1/stream" ? upgrade() : {}) }, body: path === "/admin/session" && method === "POST" ? { key: ADMIN_KEY } : method === "POST" ? {} : undefined });
          assert.deepEqual([answer.status, answer.json?.error.code], [503, "misconfigured"], `${method} ${path} ${JSON.stringify(ROOT_SECRET)}: ${answer.text}`);
          assert.equal(answer.headers["set-cookie"], undefined);
        }
      } finally {
        await gate.stop();
      }
    }
  });
});

describe("sockets", () => {
  /** Opens one; gives what it says, and how it is closed. */
  async function open(credential) {
    const socket = new WebSocket(`${gate.url.replace("http", "ws")}/v1/stream`, { headers: bearer(credential) });
    const said = [];
    socket.on("message", (text) => said.push(json(String(text)))).on("error", () => {});
    const closed = new Promise((resolve) => socket.on("close", (code) => resolve(code)));
    await once(socket, "open");
    const within = (promise) => Promise.race([promise, delay(5_000, "still open", { ref: false })]);
    return { socket, said, closed: within(closed) };
  }

  test("what is no message of the protocol's closes one, with its code", async () => {
    const cases = [[Buffer.from("{}"), 1003], ["x".repeat(257 << 10), 1009], ["{", 1007], ["[".repeat(5_000), 1007]];
    for (const [message, code] of cases) {
      const { socket, closed } = await open(ann.key);
      socket.send(message);
      assert.equal(await closed, code, String(message).slice(0, 40));
    }
    const { socket, said, closed } = await open(ann.key);
    socket.send('{"model":"m","prompt":"a","\\u0070rompt":"b"}');
    while (said.length === 0) await delay(20);
    assert.equal(said[0].error.code, "invalid_request");
    for (let at = 0; at < 200; at++) socket.send('{"type":"resume"}');
    assert.equal(await closed, 1008);
  });

  test("one that is open ends with its key: by the next request, and in the middle of an answer", { timeout: 60_000 }, async () => {
    for (const end of ["disable", "revoke-tokens"]) {
      const { id, key } = await makeKey(gate.url, { role: "developer" });
      const { socket, said, closed } = await open(end === "disable" ? key : await exchange(gate.url, key));
      socket.send(JSON.stringify({ model: "m", prompt: "x" }));
      while (!said.some((message) => message.finish_reason)) await delay(20);
      await admin(gate.url, "POST", `/admin/keys/${id}/${end}`);
      socket.send(JSON.stringify({ model: "m", prompt: "x" }));
      assert.equal(await closed, 4401, end);
      assert.equal(said.at(-1).error.code, "unauthorized");
    }
  });

  test("one knows no more than the right it was opened by: neither another's model, nor the administrators' API", async () => {
    const { key } = await makeKey(gate.url, { role: "developer", models: ["m"] });
    const { socket, said, closed } = await open(key);
    const count = upstream.seen.length;
    socket.send(JSON.stringify({ model: "other", prompt: "x", caller: ann.id, via: "keys_write" }));
    while (said.length === 0) await delay(20);
    assert.ok(said[0].error, JSON.stringify(said[0]));
    assert.equal(upstream.seen.length, count);
    socket.close();
    await closed;
  });
});

describe("addresses", () => {
  test("only what Cloudflare says of a caller's address counts: no other header moves it, and what is no address has no share of its own", { timeout: 60_000 }, async () => {
    const config = {
      upstreams: [{ name: "one", dialect: "openai", base_url: upstream.url, secret: "ONE_KEY", models: ["*"] }],
      access: { anonymous: { limits: { requests_per_minute: 1_000 }, per_address: { requests_per_minute: 3 } }, keys: [{ id: "home", name: "home", role: "developer", key: "HOME_KEY", ips: ["10.0.0.0/8"] }] },
      development: true,
    };
    const HOME_KEY = "a-key-that-is-good-at-home-only";
    const gate = await startGate({ config, secrets: { ONE_KEY, HOME_KEY } });
    const ask = async (headers) => (await send(gate.url, "POST", "/v1/chat/completions", { headers, body: BODIES["/v1/chat/completions"] })).status;
    const spoofs = ["x-forwarded-for", "x-real-ip", "true-client-ip", "forwarded", "x-client-ip", "cf-connecting-ipv6", "cf-pseudo-ipv4"];
    try {
      // A window may end in the middle; then one more round is all in one window.
      const round = async (address, more) => {
        const statuses = [];
        for (let at = 0; at < 8; at++) statuses.push(await ask({ "cf-connecting-ip": address, ...more(at) }));
        return statuses.filter((status) => status === 200).length;
      };
      const spoofed = (at) => Object.fromEntries(spoofs.map((name) => [name, `10.1.1.${at}`]));
      assert.ok([3, 6].includes(await round("203.0.113.7", spoofed)));
      assert.ok([3, 6].includes(await round("2001:db8:1:2:3:4:5:6", (at) => ({ "cf-connecting-ip": `2001:db8:1:2::${at}` }))), "a network of IPv6 is one address");
      for (const odd of ["1.2.3.4, 5.6.7.8", "010.0.0.1", "::ffff:1.2.3.4:80", "localhost", ""]) {
        const status = await ask({ "cf-connecting-ip": odd, ...bearer(HOME_KEY) });
        assert.ok([401, 403].includes(status), `${odd}: ${status}`);
      }
      for (const name of spoofs) assert.ok([401, 403].includes(await ask({ "cf-connecting-ip": "203.0.113.7", [name]: "10.0.0.1", ...bearer(HOME_KEY) })), name);
      assert.equal(await ask({ "cf-connecting-ip": "10.0.0.1", ...bearer(HOME_KEY) }), 200);
    } finally {
      await gate.stop();
    }
  });
});

describe("what is left behind", () => {
  test("nothing of a line break in a field is a line of the log", async () => {
    const forged = '\r\n{"forged":"line"}\u2028\u001b[31m';
    const answer = await post("/v1/chat/completions", { ...BODIES["/v1/chat/completions"], model: `x${forged}`, user: forged }, { headers: { "x-request-id": "log-1", "user-agent": "a\tb" } });
    assert.ok(answer.status >= 200);
    await gate.settled("log-1");
    assert.ok(!gate.logs.some((line) => line.forged), "a line of the log was forged");
    assert.ok(!gate.output.includes("\u001b[31m"));
  });

  test("no key, secret, token or prompt of this whole run is in what the gate wrote", async () => {
    const prompt = `prompt-canary-${randomBytes(8).toString("hex")}`;
    const token = await exchange(gate.url, ann.key);
    await chat({ messages: [{ role: "user", content: prompt }] }, { key: token });
    await chat({ model: "tells", messages: [{ role: "user", content: prompt }] });
    await post("/v1/chat/completions", { model: "m", messages: prompt });
    await send(gate.url, "GET", `/v1/models?key=${ann.key}`);
    await delay(200);
    const canaries = { ONE_KEY, TWO_KEY, ADMIN_KEY, root: SECRETS.ROOT_SECRET, key: ann.key, secret: ann.secret, other: bob.key, token, prompt };
    await assertNowhere(canaries, { gates: [gate] });
    const stored = await Promise.all(["keys", "used_tokens", "revoked_tokens"].map((table) => gate.sql(`SELECT * FROM ${table}`)));
    await assertNowhere(canaries, { more: { stored } });
  });
});

describe("what is deployed", () => {
  test("holds no map, no secret and no path of where it was built", async () => {
    const own = [ROOT, homedir(), "/.cargo/", "/rustc/", "/registry/src/", "sourceMappingURL", "sourcesContent", ONE_KEY, ADMIN_KEY, SECRETS.ROOT_SECRET, "an-administrator"];
    const files = ["index.js", "index_bg.wasm"];
    assert.deepEqual((await readdir(join(ROOT, "worker/build"))).filter((name) => !name.startsWith(".")).sort(), [...files, "package.json"]);
    for (const file of files) {
      const text = (await readFile(join(ROOT, "worker/build", file))).toString("latin1");
      for (const trace of own.filter(({ length }) => length > 4)) assert.ok(!text.includes(trace), `${file} holds ${trace}`);
    }
  });

  test("has its secrets as secrets: no variable of the configuration is named or filled like one", async () => {
    const text = await readFile(join(ROOT, "worker/wrangler.jsonc"), "utf8");
    const { vars, compatibility_flags: flags } = JSON.parse(text.replace(/^\s*\/\/.*$/gm, ""));
    for (const name of Object.keys(vars)) assert.doesNotMatch(name, /key|secret|token|password/i);
    assert.doesNotMatch(JSON.stringify(vars), /sk-|sgk_|sgs_|[0-9a-f]{32}/);
    assert.ok(flags.includes("global_fetch_strictly_public"));
  });

  test("is built from pinned packages whose lock files name nothing but packages and hashes", async () => {
    for (const folder of ["", "tests", "tests/packaging", "tests/bench"]) {
      const { packages } = json(await readFile(join(ROOT, folder, "package-lock.json"), "utf8"));
      for (const [name, { resolved, integrity, link, version }] of Object.entries(packages)) {
        if (!name.includes("node_modules/") || link) continue;
        assert.match(integrity ?? "", /^sha512-/, `${folder}: ${name}`);
        assert.ok(version);
        if (resolved) assert.match(resolved, /^https:\/\/registry\.npmjs\.org\//, `${folder}: ${name}`);
      }
      const own = json(await readFile(join(ROOT, folder, "package.json"), "utf8"));
      for (const [name, range] of Object.entries({ ...own.dependencies, ...own.devDependencies })) assert.match(range, /^\d+\.\d+\.\d+|^file:/, `${folder}: ${name}`);
    }
    const { dependencies } = json(await readFile(join(ROOT, "package.json"), "utf8"));
    assert.equal(dependencies, undefined, "the package needs no other at run time");
    const lock = await readFile(join(ROOT, "Cargo.lock"), "utf8");
    for (const [, source] of lock.matchAll(/^source = "(.*)"$/gm)) assert.equal(source, "registry+https://github.com/rust-lang/crates.io-index");
    // Hash signatures need no big crates: one of these would come with code that nobody here calls, and advisories of its own.
    for (const name of ["rsa", "openssl", "openssl-sys", "wee_alloc", "serde_yaml"]) assert.doesNotMatch(lock, new RegExp(`^name = "${name}"$`, "m"));
  });

  test("no statement to the database is put together from what somebody sent", async () => {
    for (const file of await readdir(join(ROOT, "worker/src"))) {
      const text = await readFile(join(ROOT, "worker/src", file), "utf8");
      assert.doesNotMatch(text, /format!\(\s*"(?:SELECT|INSERT|UPDATE|DELETE)\b/, file);
      assert.doesNotMatch(text, /`\s*(?:SELECT|INSERT|UPDATE|DELETE)\b[^`]*\$\{(?![A-Z]+\})/, file);
    }
  });
});
