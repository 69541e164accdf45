// What the tests of keys, roles, tokens and limits share: a gate with a store, keys of every state, JSON Web Tokens made by hand.
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { Agent, request } from "node:http";
import { startGate } from "./gate.mjs";

export const ADMIN_KEY = "an-administrator-for-tests-only";
export const SECRETS = { ADMIN_KEY, ROOT_SECRET: "0123456789abcdef".repeat(4) };
export const ISSUER = "https://gate.example";

/** A gate with a store, before an upstream. `access` and `settings` add to the configuration, the rest to `startGate`'s options. */
export function startAccess(upstream, { access = {}, models = ["scripted-chat", "*"], price, settings = {}, ...options } = {}) {
  const listed = models.map((id) => (price ? { id, price } : id));
  return startGate({
    config: {
      upstreams: [{ name: "scripted", dialect: "openai", base_url: upstream.url, models: listed, scripted: true }],
      access: { root: "ROOT_SECRET", bootstrap: "ADMIN_KEY", issuer: ISSUER, ...access },
      development: true,
      ...settings,
    },
    secrets: SECRETS,
    db: true,
    ...options,
  });
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/**
 * Sends a request as it is: no header of its own but `host` and what a body needs, the path letter for letter.
 *
 * @returns `{ status, headers, raw, text, json }`; `raw` are the headers' lines as they came
 */
export function send(base, method, path, { headers = {}, body, timeout = 15_000 } = {}) {
  const { hostname, port } = new URL(base);
  const data = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const own = data === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(data) };
  return new Promise((resolve, reject) => {
    const sent = request({ agent, hostname, port, method, path, headers: { ...own, ...headers }, timeout }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part)).on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(parts).toString("utf8");
        const lines = response.rawHeaders.flatMap((name, at) => (at % 2 ? [] : [`${name.toLowerCase()}: ${response.rawHeaders[at + 1]}`]));
        let json;
        try {
          json = JSON.parse(text);
        } catch {
          json = undefined;
        }
        resolve({ status: response.statusCode, headers: response.headers, raw: lines, text, json });
      });
    });
    // A socket, where one is let in, ends the test's patience and not the test.
    sent.on("upgrade", (response, socket) => (socket.destroy(), resolve({ status: response.statusCode, headers: response.headers, raw: [], text: "" })));
    sent.on("timeout", () => sent.destroy(new Error(`no answer to ${method} ${path}`))).on("error", reject);
    sent.end(data);
  });
}

export const bearer = (credential) => ({ authorization: `Bearer ${credential}` });

/** A call of the admin API that has to succeed. */
export async function admin(base, method, path, body) {
  const answer = await send(base, method, path, { headers: bearer(ADMIN_KEY), body });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.json;
}

/** A new key: its record, with `key` and `secret`. */
export function makeKey(base, settings = {}) {
  return admin(base, "POST", "/admin/keys", { name: "of a test", ...settings });
}

/** The access token that a credential is exchanged for. */
export async function exchange(base, credential) {
  const answer = await send(base, "POST", "/auth/token", { headers: bearer(credential), body: { grant_type: "client_credentials" } });
  assert.equal(answer.status, 200, answer.text);
  return answer.json.access_token;
}

/** What of an answer may not depend on why it is a refusal: all but what names this one request. */
export function shape({ status, raw, text }) {
  const headers = raw.filter((line) => !/^(?:date|x-request-id|x-sluicegate-id|server-timing|cf-ray): /.test(line));
  return JSON.stringify([status, headers, text.replace(/\b(?:req|gate)_[\w-]+/g, "ID")]);
}

export const base64url = (value) => Buffer.from(value).toString("base64url");
export const nowS = () => Math.floor(Date.now() / 1_000);

/** A JWT of any header and claims, objects or texts; `sign` makes the signature of what is signed. */
export function jwt(header, claims, sign) {
  const part = (value) => base64url(typeof value === "string" || Buffer.isBuffer(value) ? value : JSON.stringify(value));
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${sign(signed)}`;
}

/** The signature by a secret; HS256 unless said otherwise. */
export const hmac = (secret, algorithm = "sha256") => (signed) => createHmac(algorithm, secret).update(signed).digest("base64url");

/** The claims of an assertion that the strict profile takes. */
export function assertion(id, claims = {}) {
  const now = nowS();
  return { iss: id, sub: id, aud: ISSUER, iat: now, exp: now + 300, jti: randomBytes(12).toString("hex"), ...claims };
}

export const ASSERTION = { alg: "HS256", typ: "client-assertion+jwt" };
