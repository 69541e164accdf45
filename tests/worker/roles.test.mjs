// The role matrix: every route of the checked-in table, every role, every state of a credential, every place where one may be sent.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startUpstream } from "../upstream/index.mjs";
import { ADMIN_KEY, ASSERTION, SECRETS, admin, assertion, bearer, exchange, hmac, jwt, makeKey, nowS, send, shape, startAccess } from "./access.mjs";
import { ROOT } from "./gate.mjs";

const TABLE = JSON.parse(await readFile(join(ROOT, "tests/vectors/access/roles.json"), "utf8"));
const ROLES = ["administrator", "developer", "auditor"];
/** Ids that nothing has: what is let in finds nothing, and changes nothing. */
const IDS = { "/admin/keys": "key_0000000000000000", "/v1/datasets": "ds_0000000000000000", "/v1/streams": "str-00000000000000000000000000000000" };

let upstream;
/** Two gates, that differ in whether callers without a key may come in. */
let gate;
let open;
/** By role, a key and a token of it. */
const keys = {};
/** Credentials that count for nothing, by what is wrong with them. */
const bad = {};

before(async () => {
  upstream = await startUpstream();
  [gate, open] = await Promise.all([startAccess(upstream, { isolates: 2, datasets: true }), startAccess(upstream, { access: { anonymous: {} }, datasets: true })]);
  for (const role of ROLES) {
    const { id, key, secret } = await makeKey(gate.url, { role });
    keys[role] = { id, key, secret, token: await exchange(gate.url, key) };
  }
  const gone = await makeKey(gate.url, { role: "administrator" });
  await gate.sql("DELETE FROM keys WHERE id = ?", gone.id);
  const last = gone.key.at(-1);
  const expired = await makeKey(gate.url, { role: "administrator", expires_at: nowS() - 10 });
  const disabled = await makeKey(gate.url, { role: "administrator" });
  const ofDisabled = await exchange(gate.url, disabled.key);
  await admin(gate.url, "POST", `/admin/keys/${disabled.id}/disable`);
  const withdrawing = await makeKey(gate.url, { role: "administrator" });
  const withdrawn = await exchange(gate.url, withdrawing.key);
  await admin(gate.url, "POST", `/admin/keys/${withdrawing.id}/revoke-tokens`);
  const revoking = await makeKey(gate.url, { role: "administrator" });
  const revoked = await exchange(gate.url, revoking.key);
  assert.equal((await send(gate.url, "POST", "/auth/revoke", { headers: bearer(revoking.key), body: { token: revoked } })).status, 200);
  const rotating = await makeKey(gate.url, { role: "administrator" });
  await admin(gate.url, "POST", `/admin/keys/${rotating.id}/rotate`, { overlap_s: 0 });
  const strict = keys.administrator;
  Object.assign(bad, {
    "no key of ours": "wrong",
    "a prefix alone": "sgk_live_",
    "an unknown key": gone.key,
    "a key with a wrong checksum": gone.key.slice(0, -1) + (last === "0" ? "1" : "0"),
    "an expired key": expired.key,
    "a disabled key": disabled.key,
    "a token of a disabled key": ofDisabled,
    "a token of a key whose tokens were withdrawn": withdrawn,
    "a token that was withdrawn": revoked,
    "a key that was replaced": rotating.key,
    "a key's id": strict.id,
    "a key's secret": strict.secret,
    "a token with an edited signature": `${strict.token.slice(0, -6)}AAAAAA`,
    "an assertion in a token's place": jwt(ASSERTION, assertion(strict.id), hmac(strict.secret)),
    "three parts that are no token": "ey.ey.ey",
    "the root secret": SECRETS.ROOT_SECRET,
  });
});

after(async () => {
  await Promise.all([gate?.stop(), open?.stop()]);
  await upstream?.close();
});

function pathOf({ path }) {
  const id = Object.entries(IDS).find(([prefix]) => path.startsWith(prefix))?.[1];
  return path.replace("{model}", "scripted-chat").replace("{id}", id);
}

/** A request of a row that changes nothing: its body lacks what is required. */
function ask(base, row, headers = {}) {
  const upgrade = row.path === "/v1/stream" ? { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": randomBytes(16).toString("base64") } : {};
  const path = row.operation === "session" && row.method === "DELETE" ? row.path : pathOf(row);
  return send(base, row.method, path, { headers: { ...upgrade, ...headers }, body: row.method === "GET" || row.method === "DELETE" ? undefined : {} });
}

const isOpen = ({ may }) => may.includes("public");
const isOwn = ({ may }) => may.includes("own");

/** Whether an answer fits what a row says of a role. */
function judge(row, role, answer, what) {
  const label = `${row.method} ${row.path} as ${what}: ${answer.status} ${answer.text.slice(0, 200)}`;
  if (isOpen(row)) assert.equal(answer.status, 200, label);
  else if (row.may.includes(role)) assert.ok(![401, 403].includes(answer.status), label);
  // Who sends nothing is asked for a key.
  else assert.equal(answer.status, role === "anonymous" ? 401 : 403, label);
}

test("the role table that the gate shows is the one that is checked in", async () => {
  const { data } = await admin(gate.url, "GET", "/admin/roles");
  const shown = Object.fromEntries(data.map(({ role, operations }) => [role, [...operations].sort()]));
  const named = TABLE.filter(({ operation }) => operation);
  const expected = (role) => [...new Set(named.filter(({ may }) => may.includes(role)).map(({ operation }) => operation))].sort();
  assert.deepEqual(Object.keys(shown).sort(), [...ROLES, "anonymous"].sort());
  for (const role of Object.keys(shown)) assert.deepEqual(shown[role], expected(role), role);
});

for (const role of ROLES) {
  test(`the ${role} gets as far as the table says, by a key or its token, in every header that takes them`, { timeout: 120_000 }, async () => {
    const { key, token } = keys[role];
    const carriers = [
      ["a key", bearer(key)], ["a token", bearer(token)], ["a key in x-api-key", { "x-api-key": key }], ["a key in api-key", { "api-key": key }],
      ["a scheme in capitals", { authorization: `BEARER ${key}` }],
    ];
    for (const row of TABLE.filter((row) => !isOwn(row))) {
      for (const [carrier, headers] of carriers) judge(row, role, await ask(gate.url, row, headers), `${role} with ${carrier}`);
    }
  });
}

test("whoever sends no credential gets as far as the table says where they may come in, and nowhere where not", async () => {
  for (const row of TABLE.filter((row) => !isOwn(row))) {
    judge(row, "anonymous", await ask(open.url, row), "nobody");
    const closed = await ask(gate.url, row);
    if (!isOpen(row)) assert.equal(closed.status, 401, `${row.method} ${row.path}: ${closed.status}`);
  }
});

test("a credential that does not count opens nothing, also where nobody needs one", { timeout: 240_000 }, async () => {
  for (const [what, credential] of Object.entries(bad)) {
    for (const row of TABLE.filter((row) => !isOpen(row))) {
      const label = `${row.method} ${row.path} with ${what}`;
      if (row.path === "/admin/session" && row.method === "POST") {
        const answer = await send(gate.url, "POST", row.path, { body: { key: credential } });
        assert.equal(answer.status, 401, label);
        assert.equal(answer.headers["set-cookie"], undefined, label);
        continue;
      }
      const isAssertion = row.path === "/auth/token" && what === "an assertion in a token's place";
      if (isAssertion) continue;
      const headers = bearer(credential);
      const answer = await (row.path === "/auth/token" ? send(gate.url, "POST", row.path, { headers, body: { grant_type: "client_credentials" } }) : ask(gate.url, row, headers));
      assert.equal(answer.status, 401, `${label}: ${answer.text}`);
      assert.equal(answer.headers["www-authenticate"], 'Bearer realm="sluicegate"', label);
    }
    // The other gate knows none of them, and lets people in who send nothing: a wrong key is not nothing.
    assert.equal((await send(open.url, "GET", "/v1/models", { headers: bearer(credential) })).status, 401, what);
    assert.equal((await send(gate.url, "GET", "/v1/models", { headers: { "x-api-key": credential } })).status, 401, what);
  }
});

test("refusals do not tell why: the same bytes for unknown, wrong, expired, disabled and withdrawn", async () => {
  for (const [method, path] of [["GET", "/v1/models"], ["POST", "/v1/chat/completions"], ["GET", "/admin/keys"], ["GET", "/v1/nothing"]]) {
    const shapes = new Map();
    for (const base of gate.urls) {
      for (const [what, credential] of Object.entries(bad)) {
        const answer = await send(base, method, path, { headers: bearer(credential), body: method === "POST" ? {} : undefined });
        shapes.set(shape(answer), [...(shapes.get(shape(answer)) ?? []), what]);
      }
    }
    assert.equal(shapes.size, 1, `${method} ${path}: ${JSON.stringify([...shapes], null, 1)}`);
  }
});

test("a query, a cookie outside of the admin API and a cookie of another site are no credentials", async () => {
  const { key, token } = keys.administrator;
  const signedIn = await send(gate.url, "POST", "/admin/session", { body: { key } });
  assert.ok(signedIn.status < 300, signedIn.text);
  const [cookie] = signedIn.headers["set-cookie"];
  for (const rule of [/; *HttpOnly/i, /; *SameSite=Strict/i, /; *Path=\/(?:;|$)/i]) assert.match(cookie, rule);
  const session = { cookie: cookie.split(";")[0] };
  const own = await send(gate.url, "GET", "/admin/session", { headers: { ...session, "sec-fetch-site": "same-origin" } });
  assert.deepEqual([own.status, own.json.role, own.json.key_id], [200, "administrator", keys.administrator.id]);
  for (const row of TABLE.filter((row) => !isOpen(row) && !isOwn(row))) {
    for (const name of ["api_key", "key", "access_token", "token", "authorization"]) {
      const answer = await send(gate.url, row.method, `${pathOf(row)}?${name}=${key}`, { body: row.method === "GET" ? undefined : {} });
      assert.ok([400, 401].includes(answer.status), `${row.method} ${row.path}?${name}: ${answer.status}`);
    }
    const foreign = [{ "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }, { origin: "https://elsewhere.example" }, { origin: "null" }];
    const cases = row.path.startsWith("/admin/") ? foreign : [{}, ...foreign];
    for (const headers of cases) {
      const answer = await ask(gate.url, row, { ...session, ...headers });
      assert.ok([401, 403].includes(answer.status), `${row.method} ${row.path} with ${JSON.stringify(headers)}: ${answer.status}`);
    }
    for (const cookies of [`sluicegate=${key}`, `sluicegate=${token}`, `__Host-sluicegate=${token}`]) {
      const answer = await ask(gate.url, row, { cookie: cookies });
      assert.equal(answer.status, 401, `${row.method} ${row.path} with a key as a cookie`);
    }
  }
  const value = session.cookie.slice(session.cookie.indexOf("=") + 1);
  assert.equal((await send(gate.url, "GET", "/v1/models", { headers: bearer(value) })).status, 401, "a session is no token");
  const out = await send(gate.url, "DELETE", "/admin/session", { headers: { ...session, "sec-fetch-site": "same-origin" } });
  assert.ok(out.status < 300, out.text);
  assert.match(out.headers["set-cookie"][0], /Max-Age=0/i);
});

test("two credentials that differ are refused, and so is one that is sent twice", async () => {
  const [one, other] = [keys.developer.key, keys.administrator.key];
  const pairs = [
    { ...bearer(one), "x-api-key": other }, { ...bearer(other), "x-api-key": one }, { "x-api-key": one, "api-key": other }, { ...bearer(one), "api-key": "wrong" },
    { authorization: [`Bearer ${one}`, `Bearer ${other}`] }, { authorization: `Bearer ${one}, Bearer ${other}` }, { authorization: `Bearer\t${one}` },
    { authorization: `Basic ${Buffer.from(`:${one}`).toString("base64")}` }, { authorization: one },
  ];
  for (const headers of pairs) {
    const answer = await send(gate.url, "GET", "/v1/models", { headers });
    assert.ok([400, 401].includes(answer.status), `${Object.keys(headers)}: ${answer.status}`);
  }
  assert.equal((await send(gate.url, "GET", "/v1/models", { headers: { ...bearer(one), "x-api-key": one } })).status, 200);
});

test("no other spelling of a path leads past the table", { timeout: 60_000 }, async () => {
  for (const row of TABLE.filter((row) => !isOpen(row))) {
    const path = pathOf(row);
    const spellings = [
      `/${path}`, `${path}/`, path.replace("/", "/./"), path.replace("/", "/x/../"), path.replace("/", "/%2e/"), path.replace(/\/([^/]*)$/, "%2f$1"), `${path};a=b`,
      path.toUpperCase(), `/v1${path}`, `${path}%00`, path.replace(/.\/([^/]*)$/, "\\$1"), `${path}?`, `${path}#`, `/admin/..${path}`, `/index.html/..${path}`,
    ];
    for (const spelling of spellings) {
      const answer = await send(gate.url, row.method, spelling, { body: row.method === "GET" ? undefined : {} });
      assert.ok(answer.status >= 400 && answer.status < 500, `${row.method} ${spelling}: ${answer.status}`);
    }
  }
});

test("other methods than a path's own are refused, whoever sends them", async () => {
  for (const path of new Set(TABLE.filter((row) => !isOpen(row)).map(pathOf))) {
    for (const method of ["PUT", "TRACE", "PROPFIND", "PATCH", "DELETE"]) {
      if (TABLE.some((row) => pathOf(row) === path && row.method === method)) continue;
      for (const headers of [{}, bearer(ADMIN_KEY)]) {
        const { status } = await send(gate.url, method, path, { headers });
        assert.ok([401, 404, 405, 501].includes(status), `${method} ${path}: ${status}`);
      }
    }
  }
});

test("a key is told once, and stands nowhere afterwards: in no list, table, log or answer", async () => {
  const all = [...ROLES.map((role) => keys[role]), await makeKey(gate.url, { role: "developer" })];
  const texts = [gate.output, JSON.stringify(await gate.sql("SELECT * FROM keys"))];
  for (const path of ["/admin/keys", `/admin/keys/${all[0].id}`, "/admin/usage", "/admin/roles", "/healthz"]) texts.push((await send(gate.url, "GET", path, { headers: bearer(ADMIN_KEY) })).text);
  for (const { key, secret, token } of all) {
    for (const [at, text] of texts.entries()) assert.ok(![key, secret, token].some((value) => value && text.includes(value)), `text ${at}`);
  }
});

test("a role that is lowered, and a key that is disabled, hold at once where it is done", async () => {
  const { id, key } = await makeKey(gate.url, { role: "administrator" });
  const token = await exchange(gate.url, key);
  const list = (credential) => send(gate.url, "GET", "/admin/keys", { headers: bearer(credential) });
  for (const credential of [key, token]) assert.equal((await list(credential)).status, 200);
  await admin(gate.url, "PATCH", `/admin/keys/${id}`, { role: "developer" });
  for (const credential of [key, token]) assert.equal((await list(credential)).status, 403);
  await admin(gate.url, "POST", `/admin/keys/${id}/disable`);
  for (const credential of [key, token]) assert.equal((await list(credential)).status, 401);
  await admin(gate.url, "POST", `/admin/keys/${id}/enable`);
  for (const credential of [key, token]) assert.equal((await send(gate.url, "GET", "/v1/models", { headers: bearer(credential) })).status, 200);
});
