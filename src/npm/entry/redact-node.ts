import { readFile } from "node:fs/promises";
import { setRedactSource } from "../redact-wasm.js";
import { setOpen } from "../source.js";

// Node's fetch does not read files.
setOpen(async (url) => (/^file:/i.test(String(url)) ? new Response(await readFile(new URL(url))) : fetch(url)));
setRedactSource(() => readFile(new URL("./redact.wasm", import.meta.url)));
export { createRedactor } from "../redact.js";
export { GateError } from "../error.js";
export type * from "../redact-types.js";
