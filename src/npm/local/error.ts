// Errors of local calls, in the form of the core's, which reads them back by their code.

const SERVER = "server_error";
const REQUEST = "invalid_request_error";

/** Status, type, party and next step of each code that a local call can end with, as the core has them. */
const KINDS = {
  invalid_request: [400, REQUEST, "caller", "Correct the named field and send again."],
  context_overflow: [400, REQUEST, "caller", "Shorten the messages or lower max_tokens."],
  method_not_allowed: [405, REQUEST, "caller", "Use a method that the Allow header lists."],
  concurrency_limited: [429, "rate_limit_error", "upstream", "Send fewer requests at a time."],
  not_supported: [501, REQUEST, "operator", "Route this request to an upstream that supports it."],
  truncated: [502, SERVER, "upstream", "Use the partial text as unfinished, or ask again."],
  upstream_error: [502, SERVER, "upstream", "Try again; if it lasts, give the trace id to the vendor."],
  // No `overloaded`, which would be tried again: the model stays away until the app prepares it.
  misconfigured: [503, SERVER, "operator", "Correct the named path of the configuration."],
} as const;

/** Characters of what a library said that are kept. */
const MAX_WORDS = 512;

const OVERFLOW = /QuotaExceeded|context.?(window|size|length)|exceed.*context/i;

/** Why a local call fails. The message holds no prompt and no answer. */
export class LocalError extends Error {
  readonly code: keyof typeof KINDS;
  readonly param: string | undefined;
  readonly words: string | undefined;

  constructor(code: keyof typeof KINDS, message: string, param?: string, words?: string) {
    super(message);
    this.code = code;
    this.param = param;
    this.words = words;
  }
}

/** A {@link LocalError} for whatever a backend threw. */
export function toLocalError(error: unknown): LocalError {
  if (error instanceof LocalError) return error;
  const { name, message } = (typeof error === "object" && error !== null ? error : { message: String(error) }) as Error;
  const words = [name, message].filter(Boolean).join(": ").slice(0, MAX_WORDS);
  if (OVERFLOW.test(words)) return new LocalError("context_overflow", "The request does not fit the local model's context.", undefined, words);
  return new LocalError("upstream_error", "The local model failed.", undefined, words);
}

/** The error as an answer's body or as a stream's last event. */
export function errorBody({ code, message, param, words }: LocalError): object {
  const [, type, party, next_step] = KINDS[code];
  const retryable = party === "upstream";
  return { error: { message, type, param: param ?? null, code, party, next_step, retryable, ...(words && { vendor: { message: words } }) } };
}

/** The error as a whole answer. */
export function errorResponse(error: LocalError): Response {
  const [status, , party] = KINDS[error.code];
  const headers: Record<string, string> = { "x-should-retry": String(party === "upstream") };
  if (status === 405) headers.allow = "POST";
  return Response.json(errorBody(error), { status, headers });
}
