import { setRedaction } from "../redaction-loader.js";
import { setSource } from "../wasm.js";

setSource(() => fetch(new URL("./sluicegate.wasm", import.meta.url)));
setRedaction(() => Promise.all([import("../redaction.js"), import("./redact-web.js")]).then(([redaction]) => redaction));
export { createGate } from "../gate.js";
export { GateError } from "../error.js";
export type * from "../types.js";
