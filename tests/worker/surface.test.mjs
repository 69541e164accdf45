// What the Worker lets in, what it sends up and down, and what it says when it does not.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { startUpstream } from "../upstream/index.mjs";
import { raw, startGate } from "./gate.mjs";

const SECRET = "sk-canary-0123456789abcdef";
const ORIGIN = "https://app.example.com";

/** An upstream that notes what it gets and answers with `reply`. */
async function listener(reply) {
  const seen = [];
  const server = createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      seen.push({ method: request.method, url: request.url, headers: request.headers, raw: request.rawHeaders, body: Buffer.concat(parts).toString() });
      reply(request, response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    seen,
    url: `http://127.0.0.1:${server.address().port}/v1`,
    close: () => (server.closeAllConnections(), server.close()),
  };
}

const WHOLE = JSON.stringify({
  id: "c", object: "chat.completion", created: 1, model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
});

const hostile = {
  "set-cookie": "a=b", "access-control-allow-origin": "*", "access-control-allow-credentials": "true", "clear-site-data": '"*"', refresh: "0;url=https://evil.test",
  link: "<https://evil.test>; rel=preload", server: "evil", "openai-organization": "acme", "content-security-policy": "none", "x-powered-by": "evil",
  location: "https://evil.test", "www-authenticate": "Basic", "cache-control": "public, max-age=1000", "x-ratelimit-remaining-tokens": "41",
  "openai-processing-ms": "7", "x-request-id": "upstream-id-1", "content-type": "application/json",
};

const errorOf = async (response) => (await response.json()).error;

describe("the surface", () => {
  let upstream;
  let gate;
  before(async () => {
    upstream = await listener((request, response) => {
      response.writeHead(200, hostile);
      response.end(WHOLE);
    });
    const config = {
      upstreams: [
        {
          name: "one", dialect: "openai", base_url: upstream.url, secret: "ONE_KEY", headers: { "X-Team": "search" },
          models: ["m", { id: "alias", upstream_id: "vendor/real-name" }, "vendor/*"],
        },
        { name: "two", dialect: "deepseek", base_url: upstream.url, secret: "MISSING_KEY", models: ["two"] },
      ],
      cors: { origins: [ORIGIN] },
      limits: { request_body: 20_000, request_headers: 4_096 },
      development: true,
    };
    gate = await startGate({ config, secrets: { ONE_KEY: SECRET } });
  });
  after(async () => {
    await gate?.stop();
    upstream?.close();
  });

  test("GET /healthz tells what is served, without addresses and secrets", async () => {
    const response = await gate.fetch("/healthz");
    assert.equal(response.status, 200);
    const text = await response.text();
    assert.deepEqual(JSON.parse(text), {
      // The secret of the second one is not set here.
      status: "degraded",
      version: JSON.parse(text).version,
      upstreams: [
        { name: "one", dialect: "openai", scripted: false, models: ["m", "alias", "vendor/*"] },
        { name: "two", dialect: "deepseek", scripted: false, models: ["two"], secret: "missing" },
      ],
    });
    assert.ok(!text.includes("127.0.0.1") && !text.includes("KEY") && !text.includes(SECRET));
  });

  test("GET /v1/models lists the configured ids in OpenAI's shape", async () => {
    const list = await (await gate.fetch("/v1/models")).json();
    assert.equal(list.object, "list");
    assert.deepEqual(list.data.map(({ id, object, owned_by }) => [id, object, owned_by]), [
      ["m", "model", "one"], ["alias", "model", "one"], ["two", "model", "two"],
    ]);
    assert.ok(list.data.every(({ created }) => Number.isInteger(created)));
  });

  test("GET /v1/models/{id} knows ids with slashes, escaped or not, and refuses odd ones", async () => {
    for (const [path, id] of [["m", "m"], ["vendor/x", "vendor/x"], ["vendor%2Fx", "vendor/x"]]) {
      const response = await gate.fetch(`/v1/models/${path}`);
      assert.equal(response.status, 200, path);
      assert.equal((await response.json()).id, id);
    }
    assert.equal((await errorOf(await gate.fetch("/v1/models/unknown"))).code, "model_not_found");
    for (const odd of ["", "vendor//x", "vendor/", "vendor%2f%2e%2e", "%zz", "%", "vendor/%00", "vendor%252Fx"]) {
      const { status } = await raw(gate.port, `GET /v1/models/${odd} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      assert.equal(status, 404, odd);
    }
  });

  test("no second spelling of a path is a route", async () => {
    const spellings = [
      "//v1/chat/completions", "/v1//chat/completions", "/v1/chat/completions/", "/v1/chat/%2e/completions", "/v1/x/%2E./chat/completions",
      "/v1/%63hat/completions", "/v1%2fchat/completions", "/v1/chat%2fcompletions", "/v1/chat/completions;a=b", "/V1/chat/completions",
      "/v1/v1/chat/completions", "/v1/chat/completions%20", "/v1/%2e%2e/v1/chat/completions", "/v1", "/v1/", "/chat/completions",
      "/v1/chat", "/v1/embedding", "/cdn-cgi/trace", "/__scheduled", "/internal/x", "/admin", "/v1\\chat\\completions",
    ];
    const count = upstream.seen.length;
    for (const path of spellings) {
      const { status, answer } = await raw(
        gate.port,
        `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 13\r\nConnection: close\r\n\r\n{"model":"m"}`,
      );
      assert.equal(status, 404, `${path}: ${answer.slice(0, 200)}`);
      assert.match(answer, /"code":\s*"not_found"/, path);
    }
    // Plain dot segments never reach the Worker: the runtime resolves them first, and the route decides as always.
    const { status } = await raw(gate.port, "POST /v1/x/../chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}");
    assert.equal(status, 415);
    assert.equal(upstream.seen.length, count);
  });

  test("a wrong method gets 405 and the right ones", async () => {
    const wrong = { "/v1/chat/completions": ["GET", "PUT", "DELETE", "PATCH", "HEAD"], "/v1/models": ["POST"], "/healthz": ["POST", "DELETE"], "/v1/models/m": ["DELETE"] };
    for (const [path, methods] of Object.entries(wrong)) {
      for (const method of methods) {
        const response = await gate.fetch(path, { method });
        assert.equal(response.status, 405, `${method} ${path}`);
        assert.match(response.headers.get("allow"), path.includes("chat") ? /^POST, OPTIONS$/ : /^GET, HEAD, OPTIONS$/);
        if (method !== "HEAD") assert.equal((await errorOf(response)).code, "method_not_allowed");
      }
    }
    const head = await gate.fetch("/healthz", { method: "HEAD" });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), "");
  });

  test("every answer of the API says whom it varies by, is not stored, not sniffed, and has an id", async () => {
    const requests = [
      ["/healthz"], ["/v1/models"], ["/v1/nothing"], ["/v1/chat/completions", { method: "POST", body: "x" }], ["/v1/models", { method: "DELETE" }],
      ["/v1/models", { method: "OPTIONS" }], ["/v1/models", { headers: { origin: "https://evil.test" } }],
    ];
    for (const [path, init] of requests) {
      const { headers } = await gate.fetch(path, init);
      assert.equal(headers.get("vary"), "Origin");
      assert.equal(headers.get("cache-control"), "no-store");
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.match(headers.get("x-request-id"), /^[0-9a-f-]{36}$/);
    }
  });

  test("a plain request id of the caller is kept, any other replaced", async () => {
    const id = async (sent) => (await gate.fetch("/healthz", { headers: { "x-request-id": sent } })).headers.get("x-request-id");
    assert.equal(await id("trace-1.2_3"), "trace-1.2_3");
    for (const odd of ["a b", "x".repeat(129), 'a"b', "a,b", "é", "<script>"]) assert.match(await id(odd), /^[0-9a-f-]{36}$/);
  });

  test("only the listed headers go up, with our key", async () => {
    const sent = {
      "x-forwarded-for": "1.2.3.4", "x-forwarded-host": "evil.test", forwarded: "for=1", "x-real-ip": "1.1.1.1", "cf-connecting-ip": "1.1.1.1",
      "true-client-ip": "1.1.1.1", cookie: "session=1", referer: "https://evil.test", "accept-language": "de", te: "trailers", "x-custom-host": "evil.test",
      "x-portkey-custom-host": "https://evil.test", "openai-organization": "org", "x-stainless-lang": "js", "user-agent": "mine", "x-http-method-override": "GET",
      "idempotency-key": "once-1", "x-request-id": "id-1", "proxy-connection": "x", "sec-fetch-mode": "cors", "last-event-id": "5", priority: "u=1",
      authorization: "Bearer unused",
    };
    const response = await gate.chat({ model: "m" }, { headers: sent });
    assert.equal(response.status, 200);
    const { headers, body, url } = upstream.seen.at(-1);
    // `host`, `content-length` and `accept-encoding` are the runtime's own.
    const names = Object.keys(headers).filter((name) => !["host", "content-length", "accept-encoding", "connection"].includes(name));
    assert.deepEqual(names.sort(), ["accept", "authorization", "content-type", "idempotency-key", "user-agent", "x-request-id", "x-team"]);
    assert.equal(headers.authorization, `Bearer ${SECRET}`);
    assert.equal(headers["content-type"], "application/json");
    assert.match(headers["user-agent"], /^sluicegate\//);
    assert.deepEqual([headers["idempotency-key"], headers["x-request-id"], headers["x-team"]], ["once-1", "id-1", "search"]);
    assert.equal(url, "/v1/chat/completions");
    assert.equal(JSON.parse(body).model, "m");
  });

  test("only the listed headers come down", async () => {
    const response = await gate.chat({ model: "m" });
    const names = [...response.headers.keys()].sort();
    assert.deepEqual(names, [
      "cache-control", "content-length", "content-type", "openai-processing-ms", "server-timing", "vary", "x-content-type-options",
      "x-ratelimit-remaining-tokens", "x-request-id", "x-sluicegate-attempts", "x-sluicegate-upstream", "x-upstream-trace-id",
    ]);
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.equal(response.headers.get("x-upstream-trace-id"), "upstream-id-1");
    assert.match(response.headers.get("server-timing"), /^upstream;dur=\d+, total;dur=\d+, attempts;desc=1$/);
    assert.equal(await response.text(), WHOLE);
  });

  test("a model may have another id upstream", async () => {
    await gate.chat({ model: "alias" });
    assert.equal(JSON.parse(upstream.seen.at(-1).body).model, "vendor/real-name");
  });

  test("a model that nobody serves is 404 model_not_found, and a missing one names the field", async () => {
    const unknown = await gate.chat({ model: "gpt-unknown" });
    assert.equal(unknown.status, 404);
    const error = await errorOf(unknown);
    assert.deepEqual([error.code, error.param], ["model_not_found", "model"]);
    const missing = await errorOf(await gate.chat({}));
    assert.deepEqual([missing.code, missing.param], ["invalid_request", "model"]);
  });

  test("a caller's own key is refused, wherever it is", async () => {
    const count = upstream.seen.length;
    const carriers = [{ authorization: "Bearer sk-mine" }, { authorization: "Basic dTpw" }, { "x-api-key": "sk-mine" }, { "api-key": "sk-mine" }];
    for (const headers of carriers) {
      const response = await gate.chat({ model: "m" }, { headers });
      assert.equal(response.status, 401);
      assert.equal((await errorOf(response)).code, "unauthorized");
      assert.equal((await gate.fetch("/v1/models", { headers })).status, 401);
    }
    for (const query of ["?api_key=1", "?key=1", "?token=1", "?x=1&access_token=1", "?API-Key=1"]) {
      const response = await gate.fetch(`/v1/models${query}`);
      assert.equal(response.status, 400, query);
    }
    const twice = await raw(gate.port, "GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer unused\r\nAuthorization: Bearer sk-mine\r\nConnection: close\r\n\r\n");
    assert.equal(twice.status, 401);
    assert.equal(upstream.seen.length, count);
  });

  test("a request cannot choose the upstream", async () => {
    const count = upstream.seen.length;
    for (const name of ["api_base", "base_url", "baseURL", "endpoint", "custom_host", "proxy", "extra_headers", "extra_body", "api_key"]) {
      for (const body of [{ [name]: "https://evil.test" }, { metadata: { [name]: "https://evil.test" } }]) {
        const response = await gate.chat({ model: "m", ...body });
        assert.equal(response.status, 400, name);
        assert.equal((await errorOf(response)).code, "invalid_request");
      }
    }
    assert.equal(upstream.seen.length, count);
  });

  test("bodies: the type, the encoding, the size and the form are checked", async () => {
    const count = upstream.seen.length;
    const good = JSON.stringify({ model: "m", messages: [{ role: "user", content: "x" }] });
    const post = (body, headers, more) => gate.fetch("/v1/chat/completions", { method: "POST", body, headers, ...more });
    const json = { "content-type": "application/json" };
    const cases = [
      [post(good, { "content-type": "text/plain" }), 415], [post(good, { "content-type": "application/x-www-form-urlencoded" }), 415],
      [post(new Blob([good]), {}), 415], [post(good, { ...json, "content-encoding": "gzip" }), 415], [post(good, { ...json, "content-encoding": "br" }), 415],
      [post("", json), 400], [post("{", json), 400], [post("[]", json), 400], [post("\ufeff" + good, json), 400],
      [post('{"model":"m","model":"n","messages":[]}', json), 400], [post('{"model":"m","messages":' + "[".repeat(5000), json), 400],
      [post('{"model":"m","messages":[{"role":"user","content":"\\ud800"}]}', json), 400], [post(good + "{}", json), 400],
      [post('{"model":"m","messages":[{"role":"user","content":"' + "x".repeat(20_000) + '"}]}', json), 413],
    ];
    for (const [pending, status] of cases) {
      const response = await pending;
      const error = await errorOf(response);
      assert.equal(response.status, status, error.message);
    }
    assert.equal(upstream.seen.length, count);
  });

  test("a body is counted while it is read, not by its header", async () => {
    const chunk = `${(8000).toString(16)}\r\n${"x".repeat(8000)}\r\n`;
    const head = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n";
    const chunked = await raw(gate.port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}${chunk}${chunk}0\r\n\r\n`);
    assert.equal(chunked.status, 413);
    assert.match(chunked.answer, /payload_too_large/);
  });

  test("headers over the limit are 431", async () => {
    const response = await gate.fetch("/v1/models", { headers: { "x-big": "x".repeat(5_000) } });
    assert.equal(response.status, 431);
    assert.equal((await errorOf(response)).code, "headers_too_large");
    assert.equal((await gate.fetch(`/v1/models?x=${"y".repeat(5_000)}`)).status, 431);
  });

  test("listed origins, letter for letter, and the gate's own may use it; others may not", async () => {
    const ask = (origin, more) => gate.fetch("/v1/models", { headers: { origin, ...more } });
    const listed = await ask(ORIGIN);
    assert.equal(listed.headers.get("access-control-allow-origin"), ORIGIN);
    assert.match(listed.headers.get("access-control-expose-headers"), /x-request-id/);
    assert.equal(listed.headers.get("access-control-allow-credentials"), null);
    const own = await ask(gate.url);
    assert.deepEqual([own.status, own.headers.get("access-control-allow-origin")], [200, null]);
    const errors = await gate.fetch("/v1/nothing", { headers: { origin: ORIGIN } });
    assert.equal(errors.headers.get("access-control-allow-origin"), ORIGIN);
    for (const origin of ["https://evil.test", "null", "https://app.example.com.evil.test", "http://app.example.com", "https://APP.example.com", `${ORIGIN}/`]) {
      const response = await ask(origin);
      assert.equal(response.status, 403, origin);
      assert.equal(response.headers.get("access-control-allow-origin"), null);
      assert.equal(response.headers.get("vary"), "Origin");
    }
  });

  test("preflights name methods, headers and how long they hold", async () => {
    const preflight = (origin, path = "/v1/chat/completions") =>
      gate.fetch(path, {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type,x-stainless-lang,cookie,x-evil" },
      });
    const allowed = await preflight(ORIGIN);
    assert.equal(allowed.status, 204);
    assert.equal(allowed.headers.get("access-control-allow-origin"), ORIGIN);
    assert.match(allowed.headers.get("access-control-allow-methods"), /POST/);
    assert.equal(allowed.headers.get("access-control-allow-headers"), "authorization, content-type, x-stainless-lang");
    assert.equal(allowed.headers.get("access-control-max-age"), "7200");
    const foreign = await preflight("https://evil.test");
    assert.equal(foreign.status, 403);
    assert.ok(![...foreign.headers.keys()].some((name) => name.startsWith("access-control-")));
    assert.equal((await preflight(ORIGIN, "/v1/nothing")).status, 404);
  });

  test("a secret that is named and missing is misconfigured, by its name", async () => {
    const response = await gate.chat({ model: "two" });
    assert.equal(response.status, 503);
    const error = await errorOf(response);
    assert.deepEqual([error.code, error.param], ["misconfigured", "upstreams[1].secret"]);
    assert.match(error.message, /MISSING_KEY/);
  });

  test("no answer and no log line shows a key or a prompt", async () => {
    const response = await gate.chat({ model: "m", messages: [{ role: "user", content: "prompt-canary" }] });
    assert.ok(!JSON.stringify([...response.headers]).includes(SECRET));
    const line = await gate.settled(response.headers.get("x-request-id"));
    assert.deepEqual([line.route, line.upstream, line.model, line.status, line.outcome], ["chat_completions", "one", "m", 200, "complete"]);
    assert.ok(!gate.output.includes(SECRET) && !gate.output.includes("canary"));
  });

  test("a text completion goes to its own path", async () => {
    await gate.fetch("/v1/completions", { method: "POST", headers: { "content-type": "application/json" }, body: '{"model":"m","prompt":"Once"}' });
    assert.equal(upstream.seen.at(-1).url, "/v1/completions");
  });
});

describe("callers with keys of their own", () => {
  let upstream;
  before(async () => (upstream = await listener((request, response) => response.end(WHOLE))));
  after(() => upstream?.close());
  const config = (credentials, upstreamMore) => ({
    upstreams: [{ name: "one", dialect: "openai", base_url: upstream.url, models: ["m"], ...upstreamMore }],
    callers: { credentials },
    development: true,
  });

  test("pass_through hands the key on, and asks for one", async () => {
    const gate = await startGate({ config: config("pass_through") });
    try {
      await gate.chat({ model: "m" }, { headers: { authorization: "Bearer sk-mine" } });
      assert.equal(upstream.seen.at(-1).headers.authorization, "Bearer sk-mine");
      assert.equal((await gate.chat({ model: "m" })).status, 401);
      assert.equal((await gate.chat({ model: "m" }, { headers: { authorization: "Basic x" } })).status, 401);
      assert.ok(!gate.output.includes("sk-mine"));
    } finally {
      await gate.stop();
    }
  });

  test("ignore drops the key, and says so", async () => {
    const gate = await startGate({ config: config("ignore", { secret: "ONE_KEY" }), secrets: { ONE_KEY: SECRET } });
    try {
      const response = await gate.chat({ model: "m" }, { headers: { authorization: "Bearer sk-mine" } });
      assert.equal(response.headers.get("x-sluicegate-notice"), "credential_ignored");
      assert.equal(upstream.seen.at(-1).headers.authorization, `Bearer ${SECRET}`);
    } finally {
      await gate.stop();
    }
  });
});

describe("the configuration at request time", () => {
  const cases = [
    ["no variable", undefined, "GATE_CONFIG"],
    ["an empty variable", "", "GATE_CONFIG"],
    ["a wrong field", { upstreams: [{ name: "a", dialect: "openai", base_url: "https://api.example.com", models: ["m"], sekret: "X" }] }, "upstreams[0].sekret"],
    ["plain http in production", { upstreams: [{ name: "a", dialect: "openai", base_url: "http://127.0.0.1:1/v1", models: ["m"] }] }, "upstreams[0].base_url"],
  ];
  for (const [what, config, param] of cases) {
    test(`${what} is 503 misconfigured on every route, with the path`, async () => {
      const gate = await startGate({ config });
      try {
        for (const response of [await gate.chat({ model: "m" }), await gate.fetch("/v1/models"), await gate.fetch("/healthz")]) {
          assert.equal(response.status, 503);
          const error = await errorOf(response);
          assert.deepEqual([error.code, error.param], ["misconfigured", param]);
          assert.equal(response.headers.get("x-should-retry"), "false");
        }
      } finally {
        await gate.stop();
      }
    });
  }

  test("an upstream that is the gate itself is refused", async () => {
    const config = { upstreams: [{ name: "loop", dialect: "openai", base_url: "http://127.0.0.1:8787/v1", models: ["m"] }], development: true };
    const gate = await startGate({ config });
    try {
      const body = '{"model":"m","messages":[{"role":"user","content":"x"}]}';
      const { status, answer } = await raw(gate.port, `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:8787\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
      assert.equal(status, 503);
      assert.match(answer, /misconfigured/);
    } finally {
      await gate.stop();
    }
  });
});

describe("lists of upstreams", () => {
  test("are merged, and one that gives none is left out with a notice", async () => {
    const upstream = await startUpstream({ dialect: "openai", key: SECRET });
    const config = {
      upstreams: [
        { name: "listed", dialect: "openai", base_url: upstream.url, models: ["mine"] },
        { name: "asked", dialect: "openai", base_url: upstream.url, secret: "KEY", models: "upstream" },
        { name: "down", dialect: "openai", base_url: "http://127.0.0.1:9/v1", models: "upstream" },
      ],
      development: true,
    };
    const gate = await startGate({ config, secrets: { KEY: SECRET } });
    try {
      const response = await gate.fetch("/v1/models");
      const { data } = await response.json();
      assert.equal(data[0].id, "mine");
      assert.ok(data.length > 1 && data.slice(1).every(({ owned_by }) => owned_by === "asked"));
      assert.equal(response.headers.get("x-sluicegate-notice"), "models_unavailable:down");
      assert.equal((await gate.fetch(`/v1/models/${encodeURIComponent(data[1].id)}`)).status, 200);
    } finally {
      await gate.stop();
      await upstream.close();
    }
  });
});

describe("waits", () => {
  test("are told so that stock clients do the right thing", async () => {
    const upstream = await startUpstream({ dialect: "openai" });
    const config = { upstreams: [{ name: "s", dialect: "openai", base_url: upstream.url, models: ["*"] }], development: true };
    const gate = await startGate({ config });
    try {
      const ask = async (trait) => {
        const { status, headers } = await gate.chat({ model: `gpt-x+${trait}`, stream: true });
        return [status, headers.get("retry-after"), headers.get("retry-after-ms"), headers.get("x-should-retry")];
      };
      assert.deepEqual(await ask("status-429-retry-7"), [429, "7", "7000", "true"]);
      assert.deepEqual(await ask("status-429-retry-90"), [429, "90", "60000", "false"]);
      assert.deepEqual(await ask("status-503-retryms-1500"), [503, "2", "1500", "true"]);
      assert.equal((await ask("status-400"))[3], "false");
    } finally {
      await gate.stop();
      await upstream.close();
    }
  });
});
