import wasm from "./sluicegate.wasm";
import { setSource } from "../wasm.js";

setSource(() => wasm);
export * from "../sse.js";
