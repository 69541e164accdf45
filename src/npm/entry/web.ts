import { setSource } from "../wasm.js";

setSource(() => fetch(new URL("./sluicegate.wasm", import.meta.url)));
export { createGate } from "../gate.js";
export { GateError } from "../error.js";
export type * from "../types.js";
