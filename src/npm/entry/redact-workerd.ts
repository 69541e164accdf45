import wasm from "./redact.wasm";
import { setRedactSource } from "../redact-wasm.js";

setRedactSource(() => wasm);
export { createRedactor } from "../redact.js";
export { GateError } from "../error.js";
export type * from "../redact-types.js";
