import { setSource } from "../wasm.js";

setSource(() => fetch(new URL("./sluicegate.wasm", import.meta.url)));
export * from "../sse.js";
export { replyStream, type ReplyStreamOptions } from "../reply-stream.js";
export { GateError } from "../error.js";
