import { createGate as createGateFromSource } from "../gate.js";
import type { WasmSource } from "../source.js";
import { setRedaction } from "../redaction-loader.js";
import type { Gate, GateOptions } from "../types.js";
import { setSource } from "../wasm.js";

/**
 * As `createGate` of the main entry, for apps that bring the wasm themselves: `sluicegate/sluicegate.wasm` in whatever form their bundler gives;
 * with `redact`, its `wasm` is `sluicegate/redact.wasm`.
 */
export function createGate({ wasm, ...options }: GateOptions & { wasm: WasmSource | PromiseLike<WasmSource> }): Promise<Gate> {
  setSource(() => wasm);
  setRedaction(() => import("../redaction.js"));
  return createGateFromSource(options);
}

export { GateError } from "../error.js";
export type * from "../types.js";
export type { WasmSource } from "../source.js";
