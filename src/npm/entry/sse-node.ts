import { readFile } from "node:fs/promises";
import { setSource } from "../wasm.js";

setSource(() => readFile(new URL("./sluicegate.wasm", import.meta.url)));
export * from "../sse.js";
export { replyStream, type ReplyStreamOptions } from "../reply-stream.js";
export { GateError } from "../error.js";
