import { setSource } from "../wasm.js";

setSource(() => fetch(new URL("./sluicegate.wasm", import.meta.url)));
export * from "../index.js";
