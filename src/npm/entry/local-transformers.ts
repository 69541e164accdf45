export * from "../local/transformers.js";
export type * from "../local/types.js";
