import { assertion } from "./assertion.js";
import { GateError, invalid } from "./error.js";
import { failure } from "./kinds.js";
import type { TokenExchange, TokenFunction, TokenOptions } from "./token-types.js";

/** The most of an endpoint's answer that is read. */
const MOST = 65_536;
/** A refused assertion is signed anew if the clocks are further apart than this, in milliseconds. */
const APART = 5_000;

/** The exchange that the options describe. Checks them. */
export function ask(options: TokenOptions, fallback: typeof globalThis.fetch | undefined): (signal: AbortSignal) => Promise<unknown> {
  if (typeof options === "function") return (signal) => askFunction(options, signal);
  if (typeof options !== "object" || options === null) throw invalid("token", "The option is not valid: expected is an endpoint, or a function that gives a token.");
  const given = options as Partial<TokenExchange>;
  const url = checkEndpoint(given.endpoint);
  const headers = checkHeaders(given.headers);
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
    return (signal) => exchange(() => post(apiKey && `Bearer ${apiKey}`, signal));
  }

  let ahead = 0;
  const sign = async (signal: AbortSignal) => post(`Bearer ${await assertion({ apiKey, apiSecret, audience, now: Date.now() + ahead })}`, signal);
  return (signal) =>
    exchange(async () => {
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

async function exchange(send: () => Promise<Response>): Promise<unknown> {
  let response: Response;
  let text: string | undefined;
  try {
    response = await send();
    text = await read(response);
  } catch (cause) {
    if (cause instanceof GateError) throw cause;
    throw failure("network", "The token endpoint could not be reached, or broke off.", { param: "token", nextStep: "Check the connection and token.endpoint.", cause });
  }
  const body = text === undefined ? undefined : parse(text);
  if (!response.ok) throw refused(response, body);
  if (typeof body === "object" && body !== null) return body;
  throw failure("protocol", "The token endpoint's answer is not a JSON object.", { param: "token", nextStep: "Make it answer with access_token and expires_in." });
}

/** The body's text; undefined if it is over {@link MOST}. */
async function read(response: Response): Promise<string | undefined> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let size = 0; reader; ) {
    const { value, done } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > MOST) return void (await reader.cancel());
    text += decoder.decode(value, { stream: true });
  }
  return text + decoder.decode();
}

/** The error for a status. What the endpoint says in words stays out: some of them repeat what they were sent. */
function refused(response: Response, body: unknown): GateError {
  const { status, type, headers } = response;
  const requestId = headers.get("x-request-id") ?? undefined;
  const said = (body as { error?: unknown } | undefined)?.error;
  const code = typeof said === "object" && said !== null ? (said as { code?: unknown }).code : said;
  const vendor = { status, ...(typeof code === "string" && /^[\w.-]{1,64}$/.test(code) && { code }) };
  const more = { param: "token", vendor, ...(requestId !== undefined && { requestId }) };
  if (type === "opaqueredirect" || (status >= 300 && status < 400)) {
    return failure("protocol", "The token endpoint redirects.", { ...more, nextStep: "Name the address that answers in token.endpoint." });
  }
  if (status === 429) return failure("rate_limited", "The token endpoint is asked too often.", { ...more, ...waitOf(headers) });
  if (status >= 500) return failure(status === 503 ? "overloaded" : "upstream_error", `The token endpoint failed with status ${status}.`, { ...more, ...waitOf(headers) });
  const message = `The token endpoint refused to give a token, with status ${status}.`;
  return failure("unauthorized", message, { ...more, nextStep: "Check the session, or the key and its secret, with which the token is asked for." });
}

function waitOf(headers: Headers): { retryAfterMs?: number } {
  const after = headers.get("retry-after");
  const millis = after === null ? NaN : /^\d+$/.test(after) ? Number(after) * 1000 : Date.parse(after) - Date.now();
  return millis >= 0 ? { retryAfterMs: millis } : {};
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function checkEndpoint(endpoint: unknown): URL {
  try {
    if (typeof endpoint === "string" || endpoint instanceof URL) {
      const url = new URL(endpoint, globalThis.location?.href);
      if (/^https?:$/.test(url.protocol) && url.username === "" && url.password === "") return url;
    }
  } catch {
    // The error below says it, without the address.
  }
  throw invalid("token.endpoint", 'The option is not valid: expected is an address such as "https://gate.example.com/auth/token", or in a page "/api/token".');
}

function checkHeaders(headers: unknown): Headers {
  try {
    const all = new Headers((headers ?? {}) as Record<string, string>);
    if (!all.has("content-type")) all.set("content-type", "application/json");
    if (!all.has("accept")) all.set("accept", "application/json");
    return all;
  } catch {
    throw invalid("token.headers", "A header has a name or a value that is not valid in HTTP.");
  }
}

/** A page or a worker of one, or an app on a phone: whatever is in it, its users have. */
function isBrowser(): boolean {
  const { document, importScripts, navigator } = globalThis as { document?: unknown; importScripts?: unknown; navigator?: { product?: string } };
  return document !== undefined || typeof importScripts === "function" || navigator?.product === "ReactNative";
}
