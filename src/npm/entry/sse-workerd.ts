import wasm from "./sluicegate.wasm";
import { setSource } from "../wasm.js";

setSource(() => wasm);
export * from "../sse.js";
export { replyStream, type ReplyStreamOptions } from "../reply-stream.js";
export { GateError } from "../error.js";
