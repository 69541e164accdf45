// Tokens, their end, tickets and sessions, over a D1 with the migrations applied and rows written by hand.
import assert from "node:assert/strict";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { crc32 } from "node:zlib";
import { startGate } from "./gate.mjs";

const ROOT_SECRET = randomBytes(32).toString("base64");
const GUIDE_KEY = "an-api-key-of-the-guide";
const GUIDE_SECRET = randomBytes(32).toString("hex");
const ISSUER = "https://gate.example";
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

let gate;
let url;

function base62(bytes, length) {
  let number = BigInt(`0x${bytes.toString("hex")}`);
  let text = "";
  for (let at = 0; at < length; at++) {
    text = DIGITS[Number(number % 62n)] + text;
    number /= 62n;
  }
  return text;
}

/** A key as the gate would make it, and its API secret. */
function mint() {
  const body = `sgk_live_${base62(randomBytes(32), 30)}`;
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  const id = `key_${base62(randomBytes(16), 16)}`;
  const derived = createHmac("sha256", ROOT_SECRET).update(`sluicegate/apisecret/v1\0${id}\0${1}`).digest();
  return { id, key: body + base62(sum, 6), secret: `sgs_${base62(derived, 43)}` };
}

const keys = { developer: mint(), disabled: mint(), unknown: mint() };

function row({ id, key }, disabled) {
  const digest = createHash("sha256").update(key).digest("hex");
  const settings = JSON.stringify({ name: "a key", owner: "tests", role: "developer" });
  return `INSERT INTO keys (id, digest, prefix, last4, name, owner, settings, created_at, disabled) VALUES ('${id}', '${digest}', '${key.slice(0, 13)}', '${key.slice(-4)}', 'a key', 'tests', '${settings}', 1, ${disabled});`;
}

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function sign(claims, secret, header = {}) {
  const signed = `${encode({ alg: "HS256", typ: "JWT", ...header })}.${encode(claims)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

const now = () => Math.floor(Date.now() / 1000);

function strict({ id, secret }, change = {}) {
  const claims = { iss: id, sub: id, aud: ISSUER, iat: now(), exp: now() + 300, jti: randomBytes(8).toString("hex"), ...change };
  return sign(claims, secret, { typ: "client-assertion+jwt" });
}

function post(path, { bearer, body, ...headers } = {}) {
  const sent = { "content-type": "application/json", ...headers };
  if (bearer) sent.authorization = `Bearer ${bearer}`;
  return fetch(url + path, { method: "POST", headers: sent, body: typeof body === "string" ? body : JSON.stringify(body ?? {}) });
}

const token = (bearer, body = { grant_type: "client_credentials" }) => post("/auth/token", { bearer, body });
const models = (bearer) => fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${bearer}` } });

before(async () => {
  const access = { root: "ROOT_SECRET", issuer: ISSUER, keys: [{ id: "guide", key: "GUIDE_KEY", secret: "GUIDE_SECRET", guide_compatible: true }] };
  const config = { upstreams: [{ name: "none", dialect: "openai", base_url: "http://127.0.0.1:9/v1", models: ["m"] }], development: true, access };
  gate = await startGate({ config, secrets: { ROOT_SECRET, GUIDE_KEY, GUIDE_SECRET }, db: true });
  url = gate.url;
  for (const [key, disabled] of [[keys.developer, 0], [keys.disabled, 1]]) await gate.sql(row(key, disabled));
});

after(() => gate?.stop());

test("guide B's assertion gets a token, as JSON and as a form, and the token opens the API", async () => {
  const assertion = () => sign({ iss: GUIDE_KEY, iat: now(), exp: now() + 86_400 }, GUIDE_SECRET);
  for (const body of [{ grant_type: "client_credentials" }, "grant_type=client_credentials"]) {
    const type = typeof body === "string" ? "application/x-www-form-urlencoded" : "application/json";
    const response = await post("/auth/token", { bearer: assertion(), body, "content-type": type });
    const answer = await response.json();
    assert.equal(response.status, 200, JSON.stringify(answer));
    assert.deepEqual([answer.token_type, answer.expires_in, answer.scope], ["Bearer", 86_400, "developer"]);
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.equal((await models(answer.access_token)).status, 200);
  }
  // Guide A sends the assertion itself.
  assert.equal((await models(sign({ iss: "an-app", iat: now(), exp: now() + 3600, api_key: GUIDE_KEY }, GUIDE_SECRET))).status, 200);
});

test("an assertion of the strict form counts once, also of many at the same time", async () => {
  const once = strict(keys.developer);
  assert.equal((await token(once)).status, 200);
  assert.equal((await token(once)).status, 401);
  const twenty = strict(keys.developer);
  const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await token(twenty)).status));
  assert.equal(statuses.filter((status) => status === 200).length, 1, String(statuses));
  assert.equal((await models(strict(keys.developer))).status, 401);
});

test("every credential that does not count gets the same answer", async () => {
  const good = strict(keys.developer);
  const access = (await (await token(keys.developer.key)).json()).access_token;
  const bodies = new Set();
  for (const bearer of [
    `${good.slice(0, -2)}AA`, strict(keys.disabled), strict(keys.unknown), strict(keys.developer, { aud: `${ISSUER}/` }), strict(keys.developer, { exp: now() - 60, iat: now() - 90 }),
    strict(keys.developer, { exp: now() + 301 }), strict(keys.developer, { iat: now() + 60 }), sign({ iss: keys.developer.id, iat: now(), exp: now() + 60 }, keys.developer.secret),
    sign({ iss: GUIDE_KEY, iat: now(), exp: now() + 60 }, GUIDE_SECRET, { alg: "none" }), sign({ iss: GUIDE_KEY, iat: now(), exp: now() + 60 }, ""),
    keys.disabled.key, keys.unknown.key, `${keys.developer.key.slice(0, -1)}!`.replace("!", keys.developer.key.endsWith("a") ? "b" : "a"), access, "x",
  ]) {
    const response = await token(bearer);
    bodies.add(`${response.status} ${await response.text()}`);
  }
  assert.equal(bodies.size, 1, [...bodies].join("\n"));
  assert.match([...bodies][0], /^401 .*"unauthorized"/);
});

test("a token that was given back opens nothing; the key's others do", async () => {
  const [first, second] = await Promise.all([0, 1].map(async () => (await (await token(keys.developer.key)).json()).access_token));
  assert.equal((await models(first)).status, 200);
  assert.equal((await post("/auth/revoke", { bearer: second, body: { token: first } })).status, 200);
  assert.deepEqual([(await models(first)).status, (await models(second)).status], [401, 200]);
  // What is no token is over already; a key is not ended by whoever has it.
  assert.equal((await post("/auth/revoke", { bearer: second, body: { token: "nothing" } })).status, 200);
  assert.equal((await post("/auth/revoke", { bearer: second, body: { token: keys.developer.key } })).status, 400);
  assert.equal((await post("/auth/revoke", { bearer: second, body: {} })).status, 400);
});

test("a ticket lives for half a minute and opens nothing but a socket", async () => {
  const response = await post("/auth/ticket", { bearer: keys.developer.key });
  const { ticket, expires_in } = await response.json();
  assert.deepEqual([response.status, expires_in], [200, 30]);
  assert.equal((await models(ticket)).status, 401);
});

test("a session is a cookie that counts under /admin/ alone, and ends when one signs out", async () => {
  const signed = await post("/admin/session", { body: { key: keys.developer.key }, origin: url });
  assert.equal(signed.status, 200, await signed.clone().text());
  const set = signed.headers.get("set-cookie");
  assert.match(set, /^sluicegate=[\w.-]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/);
  const who = await signed.json();
  assert.deepEqual([who.key_id, who.role, who.operations.includes("chat_completions"), who.operations.includes("keys_write")], [keys.developer.id, "developer", true, false]);
  const cookie = set.split(";")[0];
  const at = (path, init = {}) => fetch(url + path, { ...init, headers: { cookie, ...init.headers } });
  assert.deepEqual(await (await at("/admin/session")).json(), who);
  assert.deepEqual([(await at("/v1/models")).status, (await at("/auth/ticket", { method: "POST" })).status], [401, 401]);
  assert.equal((await at("/admin/session", { headers: { "sec-fetch-site": "cross-site" } })).status, 401);
  const out = await at("/admin/session", { method: "DELETE" });
  assert.deepEqual([out.status, out.headers.get("set-cookie").includes("Max-Age=0")], [204, true]);
  assert.equal((await at("/admin/session")).status, 401);
  assert.equal((await post("/admin/session", { body: { key: keys.disabled.key } })).status, 401);
});

test("a body that is none is refused with its field, after the credential", async () => {
  for (const [body, param] of [[{}, "grant_type"], [{ grant_type: "password" }, "grant_type"], ['{"grant_type":"a","grant_type":"client_credentials"}', "grant_type"]]) {
    const response = await token(keys.developer.key, body);
    assert.deepEqual([response.status, (await response.json()).error.param], [400, param]);
  }
  assert.equal((await token(keys.developer.key, "x".repeat(10_000))).status, 413);
  assert.equal((await token(undefined, "x".repeat(10_000))).status, 401);
  const logged = gate.output + JSON.stringify(gate.logs);
  assert.ok(gate.logs.length > 20);
  for (const key of Object.values(keys)) assert.ok(!logged.includes(key.key) && !logged.includes(key.secret), "a credential in the log");
});
