/** The stable error codes, and what the page makes of an error of a call. */
import { GateError } from "sluicegate";

/** Who has to act. */
export type Party = "caller" | "operator" | "upstream" | "network" | "gate";

/** Every code of the gate, with who is at fault: the same table as in the core. */
export const PARTY = {
  invalid_request: "caller",
  payload_too_large: "caller",
  headers_too_large: "caller",
  unsupported_media_type: "caller",
  not_found: "caller",
  method_not_allowed: "caller",
  model_not_found: "caller",
  context_overflow: "caller",
  reasoning_replay: "caller",
  unauthorized: "caller",
  forbidden: "caller",
  rate_limit_exceeded: "caller",
  concurrency_limit_exceeded: "caller",
  insufficient_quota: "caller",
  request_exceeds_limit: "caller",
  limits_unavailable: "gate",
  authentication: "operator",
  quota_exceeded: "operator",
  misconfigured: "operator",
  not_supported: "operator",
  rate_limited: "upstream",
  concurrency_limited: "upstream",
  overloaded: "upstream",
  private_data: "caller",
  local_only: "caller",
  redaction_failed: "gate",
  stream_gone: "caller",
  socket_busy: "caller",
  circuit_open: "upstream",
  upstream_error: "upstream",
  protocol: "upstream",
  event_too_large: "upstream",
  reply_too_large: "upstream",
  truncated: "upstream",
  empty: "upstream",
  network: "network",
  timeout_connect: "network",
  timeout_first_token: "upstream",
  timeout_idle: "upstream",
  timeout_content_idle: "upstream",
  timeout_rate: "upstream",
  timeout_total: "upstream",
  cancelled: "caller",
  internal: "gate",
} as const satisfies Record<string, Party>;

/** A code that this page has a text for. */
export type ErrorCode = keyof typeof PARTY;

const isParty = (party: string): party is Party => (Object.values(PARTY) as string[]).includes(party);

/** Whether the page has a text for `code`. */
export const isKnown = (code: string): code is ErrorCode => Object.hasOwn(PARTY, code);

/** A failure as the page keeps it: plain data, so that it survives a reload. */
export interface Failure {
  code: string;
  /** The gate's own sentence. */
  detail: string;
  /** When it happened, in epoch milliseconds. */
  at: number;
  /** Who has to act, as the gate says; for codes that this page does not know. */
  party?: Party;
  status?: number;
  requestId?: string;
  /** The vendor's own words, scrubbed by the core, where they say more than the gate's. */
  vendor?: string;
  /** When it is worth trying again, in epoch milliseconds. */
  retryAt?: number;
}

/** What a thrown value says, at `now` (epoch milliseconds). Anything that is not a gate's error counts as `internal`. */
export function failureOf(error: unknown, now: number): Failure {
  if (!(error instanceof GateError)) return { code: "internal", detail: error instanceof Error ? error.message : String(error), at: now };
  const { code, message, party, retryAfterMs, requestId } = error;
  // Where the upstream gave no status, a 5xx is the gate's own translation: a cut stream had status 200.
  const status = error.vendor?.status ?? (error.status < 500 ? error.status : 0);
  // An error of the gate's own has its one sentence in both places.
  const words = error.vendor?.message?.trim();
  return {
    code,
    detail: message,
    at: now,
    ...(isParty(party) ? { party } : {}),
    ...(status > 0 ? { status } : {}),
    ...(requestId ? { requestId } : {}),
    ...(words && words !== message.trim() ? { vendor: words } : {}),
    ...(retryAfterMs === undefined ? {} : { retryAt: now + retryAfterMs }),
  };
}
