export * from "../local/web-llm.js";
export type * from "../local/types.js";
