import { openRedactor } from "./core-redactor.js";
import type { RedactOptions, Redactor } from "./redact-types.js";

/** Makes a redactor. @throws GateError `misconfigured`, with the path of the fault as `param`. */
export async function createRedactor(options: RedactOptions = {}): Promise<Redactor> {
  return openRedactor(options);
}
