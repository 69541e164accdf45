import { failure } from "./kinds.js";

/** How long an assertion is good, in seconds: one exchange. The gate takes 300 at most. */
const LIFE = 120;

/** What an assertion says. */
export interface Assertion {
  apiKey: string;
  apiSecret: string;
  audience: string;
  /** Milliseconds since 1970. */
  now: number;
}

/** Signs that whoever asks has the key's secret: a JWT by RFC 7523, HS256, good for one exchange. */
export async function assertion({ apiKey, apiSecret, audience, now }: Assertion): Promise<string> {
  const { subtle } = globalThis.crypto ?? {};
  if (!subtle) throw failure("not_supported", "There is no WebCrypto here to sign with.", { param: "token", nextStep: "Use https, or a newer runtime." });
  const text = new TextEncoder();
  const iat = Math.floor(now / 1000);
  const jti = base64url(crypto.getRandomValues(new Uint8Array(16)));
  const claims = { iss: apiKey, sub: apiKey, aud: audience, iat, exp: iat + LIFE, jti };
  const signed = [{ alg: "HS256", typ: "client-assertion+jwt" }, claims].map((part) => base64url(text.encode(JSON.stringify(part)))).join(".");
  const key = await subtle.importKey("raw", text.encode(apiSecret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return `${signed}.${base64url(new Uint8Array(await subtle.sign("HMAC", key, text.encode(signed))))}`;
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}
