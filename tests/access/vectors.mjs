// Writes tests/vectors/access/jose.json: `node tests/access/vectors.mjs OUT`, with npm's jose for the tokens and node:crypto for the keys.
// The same claims in the same order are the same bytes, so that what the gate makes is compared with what another implementation makes.
import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { SignJWT } from "jose";

const NOW = 1_800_000_000;
const issuer = "https://gate.example";
const root = "Kk3vT9zQ1mW7xB5nR8cY2dF6gH4jL0pS-root";
const kinds = {
  access: { typ: "at+jwt", audience: "#api", longest: 86_400 },
  session: { typ: "session+jwt", audience: "#admin", longest: 86_400 },
  ticket: { typ: "ws-ticket+jwt", audience: "#socket", longest: 30 },
};
const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function base62(bytes, length) {
  let number = BigInt(`0x${bytes.toString("hex")}`);
  let text = "";
  for (let at = 0; at < length; at++) {
    text = digits[Number(number % 62n)] + text;
    number /= 62n;
  }
  return text;
}

const mac = (...parts) => parts.reduce((hmac, part) => hmac.update(part), createHmac("sha256", root)).digest();
const signed = (claims, header, key) => new SignJWT(claims).setProtectedHeader(header).sign(key);

const tokens = [];
for (const [kind, { typ, audience, longest }] of Object.entries(kinds)) {
  for (const [n, ttl] of [longest, 1, 600, 1e9].entries()) {
    const random = Buffer.alloc(16, 37 * (n + 1));
    const jti = base62(random, 22);
    const [key_id, version] = [`key_${base62(random, 16)}`, n * 1000];
    const origin = ["https://app.example", "http://127.0.0.1:8787", 'https://例子.example/"\\\u0001', ""][n];
    const exp = NOW + Math.min(ttl, longest);
    const claims = { iss: issuer, sub: key_id, aud: issuer + audience, iat: NOW, exp, jti, ver: version, ...(kind === "ticket" && { origin }) };
    const token = await signed(claims, { alg: "HS256", typ }, mac("sluicegate/token/v1\0", typ));
    tokens.push({ kind, key_id, version, ttl, random: random.toString("hex"), origin: origin || null, jti, exp, token });
  }
}

const assertions = [];
for (const version of [0, 1, 41]) {
  const key_id = `key_${base62(Buffer.alloc(16, version + 1), 16)}`;
  const secret = Buffer.from(`sgs_${base62(mac("sluicegate/apisecret/v1\0", key_id, "\0", String(version)), 43)}`);
  const claims = { iss: key_id, sub: key_id, aud: issuer, iat: NOW, exp: NOW + 300, jti: `n-${version}` };
  assertions.push({ key_id, version, guide: false, token: await signed(claims, { alg: "HS256", typ: "client-assertion+jwt" }, secret) });
  const guide = new SignJWT({ api_key: key_id }).setProtectedHeader({ alg: "HS256" }).setIssuer("an-app").setIssuedAt(NOW).setExpirationTime(NOW + 3600);
  assertions.push({ key_id, version, guide: true, token: await guide.sign(secret) });
}

const rows = (list) => list.map((each) => `    ${JSON.stringify(each)}`).join(",\n");
writeFileSync(process.argv[2], `{\n  "issuer": ${JSON.stringify(issuer)},\n  "root": ${JSON.stringify(root)},\n  "tokens": [\n${rows(tokens)}\n  ],\n  "assertions": [\n${rows(assertions)}\n  ]\n}\n`);
