import { readFile } from "node:fs/promises";
import { setSource } from "../wasm.js";

setSource(() => readFile(new URL("./sluicegate.wasm", import.meta.url)));
export { createGate } from "../gate.js";
export { GateError } from "../error.js";
export type * from "../types.js";
