export * from "../local/prompt-api.js";
export type * from "../local/types.js";
