import { setRedactSource } from "../redact-wasm.js";

setRedactSource(() => fetch(new URL("./redact.wasm", import.meta.url)));
export { createRedactor } from "../redact.js";
export { GateError } from "../error.js";
export type * from "../redact-types.js";
