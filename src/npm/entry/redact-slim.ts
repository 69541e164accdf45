import { createRedactor as createRedactorFromSource } from "../redact.js";
import type { RedactOptions, Redactor } from "../redact-types.js";
import type { WasmSource } from "../source.js";

/** As `createRedactor` of `sluicegate/redact`, for apps that bring the wasm themselves. */
export function createRedactor(options: RedactOptions & { wasm: WasmSource | PromiseLike<WasmSource> }): Promise<Redactor> {
  return createRedactorFromSource(options);
}

export { GateError } from "../error.js";
export type * from "../redact-types.js";
export type { WasmSource } from "../source.js";
