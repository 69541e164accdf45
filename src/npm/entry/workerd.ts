import wasm from "./sluicegate.wasm";
import { setSource } from "../wasm.js";

setSource(() => wasm);
export { createGate } from "../gate.js";
export { GateError } from "../error.js";
export type * from "../types.js";
