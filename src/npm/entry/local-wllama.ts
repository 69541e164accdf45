export * from "../local/wllama.js";
export type * from "../local/types.js";
