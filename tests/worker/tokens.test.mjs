// Attacks on tokens, over the wire: each is refused with 401, in one and the same form, and the token that it was made of still counts.
import assert from "node:assert/strict";
import { createSign, generateKeyPairSync, randomBytes } from "node:crypto";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { startUpstream } from "../upstream/index.mjs";
import { ASSERTION, ISSUER, SECRETS, admin, assertion, base64url, bearer, exchange, hmac, jwt, makeKey, nowS, send, shape, startAccess } from "./access.mjs";

let upstream;
let gate;
/** Keys of both kinds, with their secrets. */
let strict;
let guide;
let token;

before(async () => {
  upstream = await startUpstream();
  gate = await startAccess(upstream, { isolates: 3 });
  strict = await makeKey(gate.url, { role: "developer" });
  guide = await makeKey(gate.url, { role: "developer", guide_compatible: true });
  token = await exchange(gate.url, strict.key);
});

after(async () => {
  await gate?.stop();
  await upstream?.close();
});

const grant = (credential, base = gate.url, body = { grant_type: "client_credentials" }) => send(base, "POST", "/auth/token", { headers: bearer(credential), body });
const use = (credential, base = gate.url) => send(base, "GET", "/v1/models", { headers: bearer(credential) });

/** The claims that guide B's program makes. */
const guideClaims = (claims = {}) => ({ iss: guide.key, iat: nowS(), exp: nowS() + 86_400, ...claims });
const JWT = { alg: "HS256", typ: "JWT" };

/** That each credential is refused, all in the same form as nonsense is. */
async function refused(attempts, ask) {
  const expected = shape(await ask("wrong"));
  for (const [what, credential] of Object.entries(attempts)) {
    const answer = await ask(credential);
    assert.equal(answer.status, 401, `${what}: ${answer.status} ${answer.text}`);
    assert.equal(shape(answer), expected, what);
  }
}

/** Spoilt copies of a signed token: what an attacker can do without the secret. */
function spoilt(good) {
  const [header, claims, signature] = good.split(".");
  const decoded = JSON.parse(Buffer.from(claims, "base64url"));
  const edited = (changes) => `${header}.${base64url(JSON.stringify({ ...decoded, ...changes }))}.${signature}`;
  const unsigned = (alg) => jwt({ ...JSON.parse(Buffer.from(header, "base64url")), alg }, decoded, () => "");
  const flipped = Buffer.from(signature, "base64url");
  flipped[31] ^= 1;
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  // The last of 43 characters has two bits that mean nothing: another spelling of the same bytes.
  const malleable = signature.slice(0, -1) + alphabet[alphabet.indexOf(signature.at(-1)) ^ 1];
  return {
    ...Object.fromEntries(["none", "None", "NONE", "nOnE", ""].map((alg) => [`alg ${JSON.stringify(alg)}, unsigned`, unsigned(alg)])),
    "alg none with the signature kept": `${base64url(JSON.stringify({ alg: "none", typ: "JWT" }))}.${claims}.${signature}`,
    "a longer life": edited({ exp: decoded.exp + 3_600 }),
    "another subject": edited({ sub: "key_0000000000000000", iss: "key_0000000000000000" }),
    "another version": edited({ ver: 2 }),
    "a claim more": edited({ role: "administrator" }),
    "the payload of another spelling": `${header}.${base64url(JSON.stringify(decoded, null, 1))}.${signature}`,
    "one bit of the signature": `${header}.${claims}.${flipped.toString("base64url")}`,
    "another spelling of the signature": `${header}.${claims}.${malleable}`,
    "a padded signature": `${good}=`,
    "a signature of plain base64": `${header}.${claims}.${signature.slice(0, -1)}+`,
    "no signature": `${header}.${claims}.`,
    "two parts": `${header}.${claims}`,
    "four parts": `${good}.${signature}`,
    "a byte less": good.slice(0, -1),
    "half of it": good.slice(0, good.length / 2),
    "the header alone": header,
    "signed with nothing": jwt(JSON.parse(Buffer.from(header, "base64url")), decoded, hmac("")),
    "signed with the root secret": jwt(JSON.parse(Buffer.from(header, "base64url")), decoded, hmac(SECRETS.ROOT_SECRET)),
    "signed with the issuer": jwt(JSON.parse(Buffer.from(header, "base64url")), decoded, hmac(ISSUER)),
    "larger than any": `${header}.${base64url(JSON.stringify({ ...decoded, pad: "x".repeat(8_000) }))}.${signature}`,
  };
}

test("an access token that was touched is refused, whatever was touched, and the token itself counts on", async () => {
  await refused(spoilt(token), use);
  assert.equal((await use(token)).status, 200);
});

test("an assertion that was touched is refused, of either profile", async () => {
  await refused(spoilt(jwt(ASSERTION, assertion(strict.id), hmac(strict.secret))), grant);
  await refused(spoilt(jwt(JWT, guideClaims(), hmac(guide.secret))), grant);
  await refused(spoilt(jwt(JWT, guideClaims(), hmac(guide.secret))), use);
});

test("the algorithm is no choice of the client's, also under the right secret", async () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = publicKey.export({ type: "spki", format: "pem" });
  const signRs = (signed) => createSign("sha256").update(signed).sign(privateKey, "base64url");
  const algorithms = ["none", "None", "", "hs256", "HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA", "HS256 ", null, 1, ["HS256"], { alg: "HS256" }, true];
  for (const [profile, header, claims, secret] of [["strict", ASSERTION, () => assertion(strict.id), strict.secret], ["guide", JWT, guideClaims, guide.secret]]) {
    const attempts = {};
    for (const alg of algorithms) attempts[`${profile}: alg ${JSON.stringify(alg)}`] = jwt({ ...header, alg }, claims(), hmac(secret));
    Object.assign(attempts, {
      [`${profile}: no alg`]: jwt({ typ: header.typ }, claims(), hmac(secret)),
      [`${profile}: HS384 by its own hash`]: jwt({ ...header, alg: "HS384" }, claims(), hmac(secret, "sha384")),
      [`${profile}: HS512 by its own hash`]: jwt({ ...header, alg: "HS512" }, claims(), hmac(secret, "sha512")),
      [`${profile}: RS256 by a key of its own`]: jwt({ ...header, alg: "RS256", jwk: publicKey.export({ format: "jwk" }) }, claims(), signRs),
      [`${profile}: HS256 with a public key as secret`]: jwt({ ...header, jwk: publicKey.export({ format: "jwk" }), kid: "../../dev/null" }, claims(), hmac(pem)),
      [`${profile}: an extension that must be understood`]: jwt({ ...header, crit: ["exp"] }, claims(), hmac(secret)),
      [`${profile}: an unencoded payload`]: jwt({ ...header, b64: false, crit: ["b64"] }, claims(), hmac(secret)),
      [`${profile}: a header that is no object`]: jwt("[]", claims(), hmac(secret)),
      [`${profile}: two alg`]: jwt(`{"alg":"none","alg":"HS256","typ":"${header.typ}"}`, claims(), hmac(secret)),
    });
    await refused(attempts, grant);
  }
});

test("times are numbers that mean something: expired, future, endless and odd ones are refused", async () => {
  const now = nowS();
  const odd = ["9999999999", 1e10, 9_999_999_999.5, -1, 0, null, [], true, {}];
  const times = {
    expired: { iat: now - 200, exp: now - 60 },
    "a future iat": { iat: now + 120, exp: now + 300 },
    "a future nbf": { nbf: now + 120 },
    "the end before the beginning": { iat: now, exp: now - 1 },
    "no exp": { exp: undefined },
    "no iat": { iat: undefined },
  };
  for (const name of ["exp", "iat", "nbf"]) {
    for (const value of odd) {
      // A moment long ago is no reason against a token that is good now.
      if (name === "nbf" && [0, -1].includes(value)) continue;
      times[`${name} ${JSON.stringify(value)}`] = { [name]: value };
    }
  }
  const attempts = (header, claims, secret) => Object.fromEntries(Object.entries(times).map(([what, changes]) => [what, jwt(header, claims(changes), hmac(secret))]));
  await refused({ ...attempts(ASSERTION, (changes) => assertion(strict.id, changes), strict.secret), "a life of more than five minutes": jwt(ASSERTION, assertion(strict.id, { exp: now + 400 }), hmac(strict.secret)) }, grant);
  const forGuides = { ...attempts(JWT, guideClaims, guide.secret), "a life of two days": jwt(JWT, guideClaims({ exp: now + 172_800 }), hmac(guide.secret)) };
  // Python's time.time() has a fraction.
  delete forGuides["exp 9999999999.5"];
  for (const raw of ["1e400", "1e10", "18446744073709551616", "01"]) forGuides[`exp ${raw}`] = jwt(JWT, `{"iss":"${guide.key}","iat":${now},"exp":${raw}}`, hmac(guide.secret));
  await refused(forGuides, grant);
  await refused(forGuides, use);
});

test("an assertion names its key and this gate, and is of its kind", async () => {
  const strictly = (changes, header = ASSERTION) => jwt(header, assertion(strict.id, changes), hmac(strict.secret));
  await refused({
    "another key's name": strictly({ iss: guide.id, sub: guide.id }),
    "a key that is none": strictly({ iss: "key_0000000000000000", sub: "key_0000000000000000" }),
    "another subject than issuer": strictly({ sub: guide.id }),
    "no subject": strictly({ sub: undefined }),
    "an issuer that is a person": strictly({ iss: "alice", sub: "alice" }),
    "an issuer that is a statement": strictly({ iss: "' OR 1=1--", sub: "' OR 1=1--" }),
    "an issuer that is an object": strictly({ iss: { $ne: null } }),
    "no audience": strictly({ aud: undefined }),
    "another origin": strictly({ aud: "https://staging.example" }),
    "an origin with a slash": strictly({ aud: `${ISSUER}/` }),
    "several audiences": strictly({ aud: [ISSUER, "https://staging.example"] }),
    "no id": strictly({ jti: undefined }),
    "an access token's type": strictly({}, { ...ASSERTION, typ: "at+jwt" }),
    "no type": strictly({}, { alg: "HS256" }),
    "the guides' form, of a key that is not marked for it": jwt(JWT, { iss: strict.key, iat: nowS(), exp: nowS() + 300 }, hmac(strict.secret)),
    "another key's secret": jwt(JWT, guideClaims(), hmac(strict.secret)),
    "a secret for a key": strict.secret,
  }, grant);
  assert.equal((await grant(strictly())).status, 200);
});

test("each kind of token is good for one thing", async () => {
  const answer = await send(gate.url, "POST", "/auth/ticket", { headers: bearer(token), body: {} });
  assert.equal(answer.status, 200, answer.text);
  const { ticket, expires_in } = answer.json;
  assert.ok(expires_in <= 30);
  const made = () => jwt(ASSERTION, assertion(strict.id), hmac(strict.secret));
  await refused({ "a ticket": ticket, "an assertion of the strict kind": made() }, use);
  await refused({ "a ticket": ticket }, grant);
  const socket = (protocols, headers = {}) =>
    send(gate.url, "GET", "/v1/stream", {
      headers: { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": randomBytes(16).toString("base64"), "sec-websocket-protocol": protocols, ...headers },
    });
  for (const credential of [token, made(), strict.key, "wrong"]) {
    assert.equal((await socket(`sluicegate.v1, sluicegate.ticket.${credential}`)).status, 401);
  }
  const elsewhere = await socket(`sluicegate.v1, sluicegate.ticket.${ticket}`, { origin: "https://elsewhere.example" });
  assert.ok([401, 403].includes(elsewhere.status), "from a page it was not made for");
  const opened = await Promise.all(Array.from({ length: 4 }, () => socket(`sluicegate.v1, sluicegate.ticket.${ticket}`)));
  assert.deepEqual(opened.map(({ status }) => status).sort(), [101, 401, 401, 401]);
});

test("an assertion is good once: of twenty copies at three places, one", async () => {
  const made = jwt(ASSERTION, assertion(strict.id), hmac(strict.secret));
  const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => grant(made, gate.urls[at % 3])));
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  const refusals = answers.filter(({ status }) => status !== 200);
  assert.deepEqual([...new Set(refusals.map(shape))], [shape(await grant("wrong"))]);
  // Of another key, the same id is another assertion.
  const other = await makeKey(gate.url, { role: "developer" });
  const claims = assertion(strict.id);
  assert.equal((await grant(jwt(ASSERTION, claims, hmac(strict.secret)))).status, 200);
  assert.equal((await grant(jwt(ASSERTION, { ...claims, iss: other.id, sub: other.id }, hmac(other.secret)))).status, 200);
});

test("a token that was withdrawn is refused from then on, and only it", async () => {
  // No other test's: what an isolate knows of a key counts there for half a minute.
  const key = await makeKey(gate.url, { role: "developer" });
  const [one, other] = [await exchange(gate.url, key.key), await exchange(gate.url, key.key)];
  assert.notEqual(one, other);
  const revoke = (credential, token) => send(gate.url, "POST", "/auth/revoke", { headers: bearer(credential), body: { token } });
  assert.equal((await revoke(guide.key, one)).status, 200, "what is not one's own is passed over, as RFC 7009 has it");
  assert.equal((await use(one)).status, 200);
  assert.equal((await revoke(key.key, one)).status, 200);
  await refused({ "withdrawn": one }, use);
  await refused({ "withdrawn, elsewhere": one }, (credential) => use(credential, gate.urls[1]));
  assert.equal((await use(other)).status, 200);
  assert.equal((await revoke(key.key, "nonsense")).status, 200);
});

test("a withdrawn token, and a rotated secret, are refused by isolates that never saw them", async () => {
  const key = await makeKey(gate.url, { role: "developer" });
  const before = await exchange(gate.url, key.key);
  const rotated = await admin(gate.url, "POST", `/admin/keys/${key.id}/rotate`, { overlap_s: 60 });
  assert.notEqual(rotated.key, key.key);
  assert.notEqual(rotated.secret, key.secret);
  for (const at of [0, 1]) {
    for (const { secret } of [key, rotated]) assert.equal((await grant(jwt(ASSERTION, assertion(key.id), hmac(secret)), gate.urls[at])).status, 200, "both secrets count while they overlap");
    for (const text of [key.key, rotated.key]) assert.equal((await use(text, gate.urls[at])).status, 200, "and both keys");
  }
  await admin(gate.url, "POST", `/admin/keys/${key.id}/revoke-tokens`);
  await refused({ "made before": before }, (credential) => use(credential, gate.urls[2]));
  await refused({ "made before": before }, use);
});

test("who shows the old key or the old secret gets nothing that outlives them", async () => {
  const key = await makeKey(gate.url, { role: "developer" });
  assert.equal((await use(key.key)).status, 200);
  const overlap = 4;
  const rotated = await admin(gate.url, "POST", `/admin/keys/${key.id}/rotate`, { overlap_s: overlap });
  const credentials = { "the key": key.key, "an assertion": jwt(ASSERTION, assertion(key.id), hmac(key.secret)) };
  const kept = { "the old key": key.key };
  for (const [what, credential] of Object.entries(credentials)) {
    const { status, json } = await grant(credential);
    assert.equal(status, 200, what);
    assert.ok(json.expires_in <= overlap, `${what}: ${json.expires_in} s`);
    assert.equal((await use(json.access_token)).status, 200, what);
    kept[`a token for ${what}`] = json.access_token;
  }
  const lasting = (await grant(rotated.key)).json;
  assert.ok(lasting.expires_in > overlap);
  await delay((overlap + 1) * 1_000);
  await refused(kept, use);
  for (const credential of [rotated.key, lasting.access_token]) assert.equal((await use(credential)).status, 200);
});

test("a database without tables is the operator's fault, and the answer says what to do", async () => {
  const bare = await startAccess(upstream);
  try {
    for (const table of ["revoked_tokens", "used_tokens", "keys"]) await bare.sql(`DROP TABLE ${table}`);
    const { status, json } = await use(strict.key, bare.url);
    assert.equal(status, 503);
    assert.deepEqual([json.error.code, json.error.param], ["misconfigured", "DB"]);
    assert.match(json.error.message, /migrations apply/);
  } finally {
    await bare.stop();
  }
});

test("a key for some models is not told which others there are", async () => {
  const key = await makeKey(gate.url, { models: ["scripted-r1"] });
  const ask = (model) => send(gate.url, "POST", "/v1/chat/completions", { headers: bearer(key.key), body: { model, messages: [{ role: "user", content: "Hello" }] } });
  const [there, absent] = [await ask("scripted-chat"), await ask("no such model")];
  assert.deepEqual([there.status, absent.status], [403, 403]);
  const said = ({ json: { error } }, model) => [error.code, error.param, error.message.replaceAll(model, "")];
  assert.deepEqual(said(there, "scripted-chat"), said(absent, "no such model"));
});

test("what is withdrawn in one place ends within half a minute in places that have just used it", { timeout: 60_000 }, async (context) => {
  const far = gate.urls[2];
  const list = (credential) => send(far, "GET", "/admin/keys", { headers: bearer(credential) });
  const change = async (what, end) => {
    const key = await makeKey(gate.url, { role: "administrator" });
    return { what, key, credential: await exchange(gate.url, key.key), end: () => end(key) };
  };
  const act = (action, body) => (key) => admin(gate.url, "POST", `/admin/keys/${key.id}/${action}`, body);
  const changes = await Promise.all([
    change("disabled", act("disable")),
    change("its tokens withdrawn", act("revoke-tokens")),
    change("lowered", (key) => admin(gate.url, "PATCH", `/admin/keys/${key.id}`, { role: "developer" })),
  ]);
  const rotated = await change("replaced", act("rotate", { overlap_s: 0 }));
  rotated.credential = rotated.key.key;
  changes.push(rotated);
  for (const { what, credential } of changes) assert.equal((await list(credential)).status, 200, what);
  for (const { end } of changes) await end();
  const ended = Date.now();
  let rest = changes;
  while (rest.length > 0 && Date.now() - ended < 40_000) {
    const statuses = await Promise.all(rest.map(async ({ credential }) => (await list(credential)).status));
    rest = rest.filter((_, at) => statuses[at] === 200);
    await delay(250);
  }
  context.diagnostic(`all ended after ${((Date.now() - ended) / 1_000).toFixed(1)} s`);
  assert.deepEqual(rest.map(({ what }) => what), []);
  assert.ok(Date.now() - ended < 32_000, `${Date.now() - ended} ms`);
});

test("the grant's own faults are named, once the credential is right", async () => {
  const grants = [{}, { grant_type: "password" }, { grant_type: 1 }, []];
  for (const body of grants) {
    const { status, json } = await grant(strict.key, gate.url, body);
    assert.equal(status, 400, JSON.stringify(body));
    assert.ok(json.error.code);
  }
  const form = await send(gate.url, "POST", "/auth/token", { headers: { ...bearer(strict.key), "content-type": "application/x-www-form-urlencoded" }, body: "grant_type=client_credentials" });
  assert.equal(form.status, 200, form.text);
  assert.match(form.headers["cache-control"], /no-store/);
  assert.deepEqual([form.json.token_type, form.json.expires_in], ["Bearer", 86_400]);
});

test("credentials that try to be something else are refused before any store is asked", async () => {
  const rows = await gate.sql("SELECT count(*) AS keys FROM keys");
  await refused({
    "a statement": "sgk_live_'||(SELECT/**/1)||'",
    "a path": "../../etc/passwd",
    "a property": "__proto__",
    "escapes": "%27%20OR%201=1",
    "very long": "a".repeat(4_097),
    "longer than a key": `${strict.key}0`,
    "a key in other letters": strict.key.toUpperCase(),
  }, use);
  assert.deepEqual(await gate.sql("SELECT count(*) AS keys FROM keys"), rows);
});

test("a header of ten megabytes ends its connection and nothing else", { timeout: 60_000 }, async () => {
  for (const size of [60_000, 10_000_000]) {
    const socket = connect(new URL(gate.url).port, "127.0.0.1");
    let answer = "";
    socket.setEncoding("latin1").on("data", (part) => (answer += part)).on("error", () => {});
    // Not `once`, for which a reset is an error.
    const closed = new Promise((resolve) => socket.once("close", resolve));
    const timer = setTimeout(() => socket.destroy(), 20_000);
    socket.write("GET /v1/models HTTP/1.1\r\nHost: gate\r\nConnection: close\r\nAuthorization: Bearer ");
    for (let sent = 0; sent < size && !socket.destroyed; sent += 100_000) {
      if (!socket.write("a".repeat(Math.min(100_000, size - sent)))) await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), closed]);
    }
    if (!socket.destroyed) socket.write("\r\n\r\n");
    await closed;
    clearTimeout(timer);
    const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);
    // The platform takes headers up to a size, and refuses larger ones before we see them.
    assert.ok([0, 400, 401, 413, 431].includes(status), `${size}: ${status}`);
  }
  assert.equal((await use(token)).status, 200);
});
