import { GateError } from "./error.js";
import type { RedactOptions } from "./redact-types.js";
import type { Redaction } from "./redaction.js";

/** What an entry knows: where redaction is loaded from. Never at once, so that bundlers can leave it in a file of its own. */
export type LoadRedaction = () => Promise<typeof import("./redaction.js")>;

let load: LoadRedaction | undefined;

/** Says where redaction comes from. An entry calls it. */
export function setRedaction(from: LoadRedaction): void {
  load = from;
}

/** Redaction as `createGate({ redact })` asks for it; undefined if it does not. */
export async function redactionFor(options: boolean | RedactOptions | undefined): Promise<Redaction | undefined> {
  if (options === undefined || options === false) return undefined;
  if (options !== true && (typeof options !== "object" || options === null)) throw off("The option is not valid: expected is true, or a policy.");
  const { openRedaction } = await load!();
  return openRedaction(options);
}

/** The error of a gate that is asked to redact, and was not made for it. */
export function off(message = "The gate does not redact: give createGate the option `redact`."): GateError {
  const nextStep = "Correct the named path of the configuration.";
  return new GateError({ code: "misconfigured", message, status: 503, party: "operator", nextStep, retryable: false, param: "redact" });
}
