export { openSocket } from "../socket.js";
export { GateError } from "../error.js";
export type * from "../socket-types.js";
export type { TokenOptions, TokenSource } from "../token-types.js";
export type { Choice, Delta, EndDelta, OutcomeName, Reply, Usage } from "../types.js";
