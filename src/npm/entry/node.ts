import { readFile } from "node:fs/promises";
import { setRedaction } from "../redaction-loader.js";
import { setSource } from "../wasm.js";

setSource(() => readFile(new URL("./sluicegate.wasm", import.meta.url)));
setRedaction(() => Promise.all([import("../redaction.js"), import("./redact-node.js")]).then(([redaction]) => redaction));
export { createGate } from "../gate.js";
export { GateError } from "../error.js";
export type * from "../types.js";
