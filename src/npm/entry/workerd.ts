import wasm from "./sluicegate.wasm";
import { setRedaction } from "../redaction-loader.js";
import { setSource } from "../wasm.js";

setSource(() => wasm);
setRedaction(() => Promise.all([import("../redaction.js"), import("./redact-workerd.js")]).then(([redaction]) => redaction));
export { createGate } from "../gate.js";
export { GateError } from "../error.js";
export type * from "../types.js";
