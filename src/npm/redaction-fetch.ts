import { GateError, toGateError } from "./error.js";
import { checked, failed } from "./core-redactor.js";
import type { Redaction } from "./redaction.js";

/** The fetch beneath. `localOnly`: the request may go to a model on the device only. */
export type Send = (input: RequestInfo | URL, init: RequestInit | undefined, localOnly?: string[]) => Promise<Response>;

/** What a body is: text to mask, or not. */
type Format = "json" | "jsonl" | "text";

/**
 * A `fetch` for SDKs whose request bodies are masked and whose answers get their values back: of every route and address, since private data
 * does not ask which. Bodies are read whole first. What is declared to be text and cannot be read stops the request; what is not text (images,
 * audio, archives) passes. A refusal is an answer, since that is where SDKs look.
 */
export function redactedFetch(redaction: Redaction, send: Send, refused: (error: GateError) => void): typeof globalThis.fetch {
  return async (input, init) => {
    const from = typeof Request !== "undefined" && input instanceof Request ? input : undefined;
    const signal = init?.signal ?? from?.signal;
    signal?.throwIfAborted();
    const outgoing = new Outgoing(redaction);
    let masked: RequestInit | undefined;
    try {
      masked = await outgoing.masked(from, init);
    } catch (error) {
      signal?.throwIfAborted();
      const refusal = toGateError(error);
      refused(refusal);
      return refusalOf(refusal);
    }
    signal?.throwIfAborted();
    const { local, json } = outgoing;
    try {
      const response = local.size > 0 ? await send(input, outgoing.given ?? init, [...local]) : await send(input, masked);
      return await incoming(redaction, response, json, from?.url ?? String(input), signal);
    } catch (error) {
      if (!(error instanceof GateError)) throw error;
      if (error.code === "local_only") refused(error);
      return refusalOf(error);
    }
  };
}

/** One request on its way out. */
class Outgoing {
  readonly #redaction: Redaction;
  /** The types of what is in it for models on the device only. */
  readonly local = new Set<string>();
  /** It asks for JSON. */
  json = false;
  /** The request as it came, with a body that can be read again. */
  given: RequestInit | undefined;

  constructor(redaction: Redaction) {
    this.#redaction = redaction;
  }

  async masked(from: Request | undefined, init: RequestInit | undefined): Promise<RequestInit | undefined> {
    const method = (init?.method ?? from?.method ?? "GET").toUpperCase();
    // Not `from.body`, which Firefox does not have.
    const hasBody = init?.body != null || (from !== undefined && method !== "GET" && method !== "HEAD");
    if (!hasBody) return init;
    const headers = new Headers(init?.headers ?? from?.headers);
    const coding = headers.get("content-encoding");
    if (coding !== null && coding !== "identity") throw failed("The request's body is compressed: what is private in it cannot be found.");
    const given = init?.body ?? (await from!.arrayBuffer());
    const body = given instanceof ReadableStream ? await new Response(given).arrayBuffer() : given;
    if (body instanceof ArrayBuffer && body.byteLength === 0 && !from?.bodyUsed) return init;
    const own = await this.#body(body, headers);
    if (own === given) return init;
    const { duplex, ...rest } = (init ?? {}) as RequestInit & { duplex?: string };
    this.given = { ...rest, body };
    headers.delete("content-length");
    return { ...rest, body: own, headers };
  }

  async #body(body: BodyInit, headers: Headers): Promise<BodyInit> {
    const type = headers.get("content-type") ?? "";
    if (typeof body === "string") return isForm(type) ? this.#pairs(new URLSearchParams(body)).toString() : this.#text(body, type, "");
    if (body instanceof URLSearchParams) return this.#pairs(body);
    if (body instanceof FormData) return this.#form(body);
    if (body instanceof Blob) return this.#file(body, type || body.type, "");
    const bytes = new Uint8Array(await new Response(body).arrayBuffer());
    if (isForm(type)) return this.#pairs(new URLSearchParams(decode(bytes, "text/plain", "")!)).toString();
    if (/^multipart\/form-data\b/i.test(type)) {
      const form = await new Response(bytes, { headers: { "content-type": type } }).formData().catch(() => {
        throw failed("The request's multipart body cannot be read.");
      });
      // The platform writes it anew, with a boundary of its own.
      headers.delete("content-type");
      return this.#form(form);
    }
    const text = decode(bytes, type, "");
    return text === undefined ? bytes : encoder.encode(this.#text(text, type, ""));
  }

  async #form(form: FormData): Promise<FormData> {
    const own = new FormData();
    for (const [name, value] of form) {
      if (typeof value === "string") own.append(name, this.#text(value, "", ""));
      else own.append(name, await this.#file(value, value.type, value.name), this.#mask(value.name, "text"));
    }
    return own;
  }

  async #file(file: Blob, type: string, name: string): Promise<Blob> {
    const text = decode(new Uint8Array(await file.arrayBuffer()), type, name);
    return text === undefined ? file : new Blob([this.#text(text, type, name)], { type: file.type });
  }

  #pairs(pairs: URLSearchParams): URLSearchParams {
    return new URLSearchParams([...pairs].map(([name, value]): [string, string] => [name, this.#mask(value, "text")]));
  }

  #text(text: string, type: string, name: string): string {
    return this.#mask(text, formatOf(text, type, name));
  }

  #mask(text: string, format: Format): string {
    if (text === "") return text;
    const { text: masked, local, json } = this.#redaction.redactor.request(text, { format });
    for (const type of local) this.local.add(type);
    this.json ||= json;
    return masked;
  }
}

const encoder = new TextEncoder();
/** Media types and names of files that say that it is text. */
const TEXT_TYPE = /^text\/|[/+](?:json|xml|yaml|javascript)\b|json-?l|ndjson/i;
const TEXT_NAME = /\.(?:jsonl?|ndjson|txt|md|csv|tsv|xml|ya?ml|html?|log)$/i;

/** The text of these bytes; undefined if they are none, nor are declared to be. A byte order mark goes. */
function decode(bytes: Uint8Array, type: string, name: string): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    // Text of two bytes a character would have them too, and is not read here.
    if (!text.includes("\0")) return text;
  } catch {
    // Not UTF-8.
  }
  const isWide = bytes.length > 1 && ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff));
  if (isWide || TEXT_TYPE.test(type) || TEXT_NAME.test(name)) throw failed("A text in the request is not UTF-8: what is private in it cannot be found.");
  return undefined;
}

function isForm(type: string): boolean {
  return /^application\/x-www-form-urlencoded\b/i.test(type);
}

/** What a text is, by what it is declared as, else by itself. */
function formatOf(text: string, type: string, name: string): Format {
  if (/json-?l|ndjson/i.test(type) || /\.(?:jsonl|ndjson)$/i.test(name)) return "jsonl";
  if (/[/+]json\b/i.test(type) || isJson(text)) return "json";
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.length > 1 && lines.every(isJson) ? "jsonl" : "text";
}

/** Whether it is a JSON object or array; a bare value is masked as text just as well. */
function isJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const BINARY = /^(?:application\/octet-stream\b|application\/binary\b|$)/i;
const CONTENT = /\/files\/[^/?#]+\/content(?:[?#]|$)/;

/** An answer with its values given back. */
async function incoming(redaction: Redaction, response: Response, json: boolean, url: string, signal: AbortSignal | null | undefined): Promise<Response> {
  if (!response.body) return response;
  const type = response.headers.get("content-type") ?? "";
  const { status, statusText } = response;
  const headers = new Headers(response.headers);
  // They no longer hold; the platform has decoded the body.
  for (const name of ["content-length", "content-encoding", "etag", "content-md5", "digest"]) headers.delete(name);
  const whole = (body: string) => new Response(body, { status, statusText, headers });
  if (status >= 400) return TEXT_TYPE.test(type) || type === "" ? whole(scrubbed(redaction, await response.text())) : response;
  if (!redaction.redactor.needsAnswers) return response;
  if (/^text\/event-stream\b/i.test(type)) return new Response(restoredStream(redaction, response.body, json, signal), { status, statusText, headers });
  // The results of a batch come without a media type that says so.
  if (/json-?l|ndjson/i.test(type) || (BINARY.test(type) && CONTENT.test(url))) {
    const bytes = new Uint8Array(await response.arrayBuffer());
    const lines = decode(bytes, "", "")?.split("\n");
    return new Response(lines?.map((line) => (isJson(line) ? redaction.redactor.answer(line, json) : line)).join("\n") ?? bytes, { status, statusText, headers });
  }
  return /[/+]json\b/i.test(type) ? whole(redaction.redactor.answer(await response.text(), json)) : response;
}

/** An error's body: its words are hidden for good, since errors are logged. */
function scrubbed({ redactor }: Redaction, text: string): string {
  if (!isJson(text)) return redactor.scrub(text);
  return JSON.stringify(JSON.parse(text), (_, value: unknown) => (typeof value === "string" ? redactor.scrub(value) : value));
}

function restoredStream(redaction: Redaction, body: ReadableStream<Uint8Array>, json: boolean, signal: AbortSignal | null | undefined): ReadableStream<Uint8Array> {
  const answer = redaction.redactor.bytes(json);
  const reader = body.getReader();
  let failure: { reason: unknown } | undefined;
  const source: UnderlyingDefaultSource<Uint8Array> = {
    async pull(controller) {
      try {
        for (;;) {
          if (failure) throw failure.reason;
          const read = await reader.read().catch((reason: unknown) => {
            // What is held goes out before the error, which the next read gets: a stream that fails forgets what is queued.
            failure = { reason };
            if (signal?.aborted) throw reason;
            return { done: true, value: undefined };
          });
          const out = checked(() => (read.done ? answer.finish() : answer.push(read.value!)));
          if (out.length > 0) controller.enqueue(out);
          if (read.done && !failure) {
            answer.free();
            return controller.close();
          }
          if (out.length > 0) return;
        }
      } catch (error) {
        answer.free();
        if (!failure) void reader.cancel(error).catch(() => {});
        throw error;
      }
    },
    cancel(reason) {
      answer.free();
      return reader.cancel(reason);
    },
  };
  // Nothing is read ahead of the caller: it would look to the upstream as if it were wanted.
  return new ReadableStream(source, { highWaterMark: 0 });
}

const TYPES: Record<number, string> = { 401: "authentication_error", 403: "permission_error", 429: "rate_limit_error" };

/** The answer in which a refusal is told to an SDK: the form of `error_body` in `src/reply/failure.rs`. */
function refusalOf({ status, message, param, code, party, nextStep }: GateError): Response {
  const type = TYPES[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
  const error = { message, type, param: param ?? null, code, party, next_step: nextStep };
  return Response.json({ error }, { status, headers: { "x-should-retry": "false" } });
}
