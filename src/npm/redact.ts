import { openRedactor } from "./core-redactor.js";
import { GateError } from "./error.js";
import type { RedactOptions, Redactor } from "./redact-types.js";

/** Makes a redactor. @throws GateError `misconfigured`, with the path of the fault as `param`. */
export async function createRedactor(options: RedactOptions = {}): Promise<Redactor> {
  try {
    return await openRedactor(options);
  } catch (error) {
    // Here the policy is all there is; of a gate's options it is one.
    if (error instanceof GateError && error.param?.startsWith("redact.")) throw new GateError({ ...error, message: error.message, param: error.param.slice(7) });
    throw error;
  }
}
