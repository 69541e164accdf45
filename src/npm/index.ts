export { createGate } from "./gate.js";
export { GateError } from "./error.js";
export type * from "./types.js";
