import { assertion } from "./assertion.js";
import { checkEndpoint, checkHeaders, exchange } from "./endpoint.js";
import { GateError, invalid } from "./error.js";
import { failure } from "./kinds.js";
import type { TokenExchange, TokenFunction, TokenOptions } from "./token-types.js";

const ASKED = { noun: "token", param: "token" };
/** A refused assertion is signed anew if the clocks are further apart than this, in milliseconds. */
const APART = 5_000;

/** The exchange that the options describe. Checks them. */
export function ask(options: TokenOptions, fallback: typeof globalThis.fetch | undefined): (signal: AbortSignal) => Promise<unknown> {
  if (typeof options === "function") return (signal) => askFunction(options, signal);
  if (typeof options !== "object" || options === null) throw invalid("token", "The option is not valid: expected is an endpoint, or a function that gives a token.");
  const given = options as Partial<TokenExchange>;
  const url = checkEndpoint(given.endpoint, "token.endpoint");
  const headers = checkHeaders(given.headers, "token.headers");
  for (const name of ["apiKey", "apiSecret", "audience"] as const) {
    const value = given[name];
    if (value !== undefined && (typeof value !== "string" || value === "")) throw invalid(`token.${name}`, "The option is not valid: expected is a string.");
  }
  if (given.fetch !== undefined && typeof given.fetch !== "function") throw invalid("token.fetch", "The option is not valid: expected is a function.");
  const { apiKey, apiSecret, credentials, audience = url.origin } = given;
  if (apiKey === undefined && apiSecret !== undefined) throw invalid("token.apiKey", "The option is missing: a secret goes with its key's id.");
  if (apiKey !== undefined && isBrowser() && given.dangerouslyAllowBrowser !== true) {
    const param = apiSecret === undefined ? "token.apiKey" : "token.apiSecret";
    throw invalid(param, "A secret in a page is none: give the token.endpoint of a server of yours instead, without apiKey and apiSecret.");
  }

  const post = (authorization: string | undefined, signal: AbortSignal): Promise<Response> => {
    const own = new Headers(headers);
    // Checked here, since the platform's own error would quote it.
    if (authorization !== undefined && !/^[ -~]+$/.test(authorization)) throw invalid("token.apiKey", "The key has characters that a header cannot have.");
    if (authorization !== undefined) own.set("authorization", authorization);
    // A redirect would lead the caller's authority elsewhere, or to a page of the login.
    const init: RequestInit = { method: "POST", headers: own, body: '{"grant_type":"client_credentials"}', redirect: "manual", signal };
    if (credentials !== undefined) init.credentials = credentials;
    return (given.fetch ?? fallback ?? globalThis.fetch)(url.href, init);
  };
  if (apiKey === undefined || apiSecret === undefined) {
    return (signal) => exchange(ASKED, () => post(apiKey && `Bearer ${apiKey}`, signal));
  }

  let ahead = 0;
  const sign = async (signal: AbortSignal) => post(`Bearer ${await assertion({ apiKey, apiSecret, audience, now: Date.now() + ahead })}`, signal);
  return (signal) =>
    exchange(ASKED, async () => {
      const response = await sign(signal);
      const theirs = Date.parse(response.headers.get("date") ?? "");
      // The gate takes half a minute of difference: what it says of its own time decides once.
      if (response.status !== 401 || !(Math.abs(theirs - Date.now() - ahead) > APART)) return response;
      ahead = theirs - Date.now();
      await response.body?.cancel();
      return sign(signal);
    });
}

async function askFunction(source: TokenFunction, signal: AbortSignal): Promise<unknown> {
  try {
    return await source({ signal });
  } catch (cause) {
    if (cause instanceof GateError) throw cause;
    throw failure("unauthorized", "The token function gave no token.", { param: "token", nextStep: "Look at the cause, and make the function give a token.", cause });
  }
}

/** A page or a worker of one, or an app on a phone: whatever is in it, its users have. */
function isBrowser(): boolean {
  const { document, importScripts, navigator } = globalThis as { document?: unknown; importScripts?: unknown; navigator?: { product?: string } };
  return document !== undefined || typeof importScripts === "function" || navigator?.product === "ReactNative";
}
