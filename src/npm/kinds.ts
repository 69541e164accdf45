import { type ErrorFields, GateError } from "./error.js";

/** Status, party, whether it may help to try again, and next step of the codes that are made without the core, as the core has them. */
const KINDS = {
  invalid_request: [400, "caller", false, "Correct the named field and send again."],
  payload_too_large: [413, "caller", false, "Send less, or raise the limit in the gate's configuration."],
  unsupported_media_type: [415, "caller", false, "Send the content type that the message names, without Content-Encoding."],
  unauthorized: [401, "caller", false, "Send a valid Authorization: Bearer header."],
  forbidden: [403, "caller", false, "Ask the gate's operator for access."],
  not_supported: [501, "operator", false, "Route this request to an upstream that supports it."],
  rate_limit_exceeded: [429, "caller", true, "Wait for the time in retry-after, then send again."],
  rate_limited: [429, "upstream", true, "Wait for the time in retry-after-ms, then send again."],
  concurrency_limited: [429, "upstream", true, "Send fewer requests at a time."],
  overloaded: [503, "upstream", true, "Try again shortly, or use another upstream."],
  upstream_error: [502, "upstream", true, "Try again; if it lasts, give the trace id to the vendor."],
  protocol: [502, "upstream", true, "Check the upstream's base URL and dialect."],
  reply_too_large: [502, "upstream", false, "Lower max_tokens, or raise the limit."],
  truncated: [502, "upstream", true, "Use the partial text as unfinished, or ask again."],
  network: [502, "network", true, "Check the connection and the base URL."],
  timeout_connect: [504, "network", true, "Try again or use another upstream."],
  timeout_idle: [504, "upstream", true, "Use the partial text as unfinished, or ask again."],
  cancelled: [499, "caller", false, "Nothing: the call was cancelled on request."],
} as const;

/** A code of {@link KINDS}. */
export type Kind = keyof typeof KINDS;

/** Whether the code is one of {@link KINDS}. */
export function isKind(code: unknown): code is Kind {
  return typeof code === "string" && Object.hasOwn(KINDS, code);
}

/** What belongs to a code. */
export function fieldsOf(code: Kind, message: string): ErrorFields {
  const [status, party, retryable, nextStep] = KINDS[code];
  return { code, message, status, party, retryable, nextStep };
}

/** An error with one of these codes; `more` goes before what belongs to the code. */
export function failure(code: Kind, message: string, more?: Partial<ErrorFields>): GateError {
  return new GateError({ ...fieldsOf(code, message), ...more });
}

/** The error of a call that its caller has given up. */
export function cancelled(signal: AbortSignal | undefined): GateError {
  return failure("cancelled", "The caller cancelled.", { outcome: "aborted", cause: signal?.reason });
}
