import { GateError, invalid } from "./error.js";
import { failure } from "./kinds.js";

/** The most of an endpoint's answer that is read, in bytes. */
const MOST = 65_536;

/** What an endpoint gives, for its errors: a `token` or a `ticket`, and the option that names the endpoint. */
export interface Asked {
  noun: string;
  param: string;
}

/** Sends, and reads the JSON object that comes in answer. @throws GateError for everything else. */
export async function exchange({ noun, param }: Asked, send: () => Promise<Response>): Promise<object> {
  let response: Response;
  let text: string | undefined;
  try {
    response = await send();
    text = await read(response);
  } catch (cause) {
    if (cause instanceof GateError) throw cause;
    throw failure("network", `The ${noun} endpoint could not be reached, or broke off.`, { param, nextStep: "Check the connection and the endpoint.", cause });
  }
  const body = text === undefined ? undefined : parse(text);
  if (!response.ok) throw refused({ noun, param }, response, body);
  if (typeof body === "object" && body !== null) return body;
  throw failure("protocol", `The ${noun} endpoint's answer is not a JSON object.`, { param, nextStep: "Check what the endpoint answers with." });
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
function refused({ noun, param }: Asked, response: Response, body: unknown): GateError {
  const { status, type, headers } = response;
  const requestId = headers.get("x-request-id") ?? undefined;
  const said = (body as { error?: unknown } | undefined)?.error;
  const code = typeof said === "object" && said !== null ? (said as { code?: unknown }).code : said;
  const vendor = { status, ...(typeof code === "string" && /^[\w.-]{1,64}$/.test(code) && { code }) };
  const more = { param, vendor, ...(requestId !== undefined && { requestId }) };
  if (type === "opaqueredirect" || (status >= 300 && status < 400)) {
    return failure("protocol", `The ${noun} endpoint redirects.`, { ...more, nextStep: "Name the address that answers." });
  }
  if (status === 429) return failure("rate_limited", `The ${noun} endpoint is asked too often.`, { ...more, ...waitOf(headers) });
  if (status >= 500) return failure(status === 503 ? "overloaded" : "upstream_error", `The ${noun} endpoint failed with status ${status}.`, { ...more, ...waitOf(headers) });
  const message = `The ${noun} endpoint refused to give a ${noun}, with status ${status}.`;
  return failure("unauthorized", message, { ...more, nextStep: `Check with what the ${noun} is asked for: the session, the key, its secret.` });
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

/** The address of an endpoint. */
export function checkEndpoint(endpoint: unknown, param: string): URL {
  try {
    if (typeof endpoint === "string" || endpoint instanceof URL) {
      const url = new URL(endpoint, globalThis.location?.href);
      if (/^https?:$/.test(url.protocol) && url.username === "" && url.password === "") return url;
    }
  } catch {
    // The error below says it, without the address.
  }
  throw invalid(param, 'The option is not valid: expected is an address such as "https://gate.example.com/auth/token", or in a page "/api/token".');
}

/** The headers of a request for JSON. */
export function checkHeaders(headers: unknown, param: string): Headers {
  try {
    const all = new Headers((headers ?? {}) as Record<string, string>);
    if (!all.has("content-type")) all.set("content-type", "application/json");
    if (!all.has("accept")) all.set("accept", "application/json");
    return all;
  } catch {
    throw invalid(param, "A header has a name or a value that is not valid in HTTP.");
  }
}
