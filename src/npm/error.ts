import type { OutcomeName, Reply, TimelineEvent } from "./types.js";

/** What the core says of an error. */
export interface ErrorFields {
  code: string;
  message: string;
  status: number;
  party: string;
  nextStep: string;
  retryable: boolean;
  param?: string;
  retryAfterMs?: number;
  requestId?: string;
  outcome?: OutcomeName;
  budget?: string;
  vendor?: { status?: number; code?: string; message?: string; traceId?: string };
  attempts?: number;
  timeline?: TimelineEvent[];
  cause?: unknown;
}

/**
 * The one error that the package throws. Switch on {@link GateError.code}; the codes are listed in the README and are the same in
 * the Worker's answers.
 */
export class GateError extends Error {
  /** The stable snake_case code: `rate_limited`, `truncated`, `timeout_first_token`, …. */
  readonly code: string;
  /** The HTTP status that fits the error; 499 for a cancelled call. */
  readonly status: number;
  /** Who has to act: `caller`, `operator`, `upstream`, `network` or `gate`. */
  readonly party: string;
  /** What to do next, one sentence. */
  readonly nextStep: string;
  /** Whether the same request may succeed later or elsewhere, unchanged. */
  readonly retryable: boolean;
  /** The field at fault, as a path: `messages[2].content`. */
  readonly param?: string;
  /** When to try again, in milliseconds from the failure, if the upstream said so. */
  readonly retryAfterMs?: number;
  /** The vendor's or the Worker's id of the call. */
  readonly requestId?: string;
  /** How the reply ended, if the request was sent. */
  readonly outcome?: OutcomeName;
  /** For `timed_out`: which budget ran out. */
  readonly budget?: string;
  /** What the vendor said, for support. */
  readonly vendor?: ErrorFields["vendor"];
  /** How many requests were made, if the call got so far. */
  readonly attempts?: number;
  /** What the call went through. */
  readonly timeline?: TimelineEvent[];
  /** What had been received before the error, if anything was. */
  readonly partial?: Reply;

  constructor(fields: ErrorFields, partial?: Reply) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    // What code that handles an aborted fetch looks for.
    this.name = fields.code === "cancelled" ? "AbortError" : "GateError";
    this.code = fields.code;
    this.status = fields.status;
    this.party = fields.party;
    this.nextStep = fields.nextStep;
    this.retryable = fields.retryable;
    this.param = fields.param;
    this.retryAfterMs = fields.retryAfterMs;
    this.requestId = fields.requestId;
    this.outcome = fields.outcome;
    this.budget = fields.budget;
    this.vendor = fields.vendor;
    this.attempts = fields.attempts;
    this.timeline = fields.timeline;
    this.partial = partial;
  }
}

/** Runs `work`, turning what the core throws into a {@link GateError}. */
export function withGateErrors<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toGateError(error);
  }
}

/** A {@link GateError} for whatever was thrown. */
export function toGateError(error: unknown): GateError {
  if (error instanceof GateError) return error;
  if (typeof error === "object" && error !== null && "code" in error && "nextStep" in error) return new GateError(error as ErrorFields);
  return new GateError({
    code: "internal",
    message: "The gate failed in a way that it does not know.",
    status: 500,
    party: "gate",
    nextStep: "Report it with the cause.",
    retryable: false,
    cause: error,
  });
}

/** An error in what the caller gave. */
export function invalid(param: string, message: string, cause?: unknown): GateError {
  const nextStep = "Correct the named field and send again.";
  return new GateError({ code: "invalid_request", message, status: 400, party: "caller", nextStep, retryable: false, param, cause });
}
