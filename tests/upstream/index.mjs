// The scripted upstream: one HTTP server that speaks for the vendors and misbehaves on request. See README.md.

export { startUpstream } from "./server.mjs";
export { isReasoningModel, MISBEHAVIOURS, PRIVATE_FAULTS, RECOVERY_FAULTS, traitsOf } from "./misbehave.mjs";
export { FAULT_HEADER, FAULTS, SCHEDULES } from "./faults.mjs";
export { fingerprint } from "./journal.mjs";
export { expectedAnswer } from "./answer.mjs";
export { BENCH_TEXT } from "./bench.mjs";
export { inStreamError, overflowBody, statusBody } from "./errors.mjs";
