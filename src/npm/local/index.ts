import { localFetch } from "./fetch.js";
import type { LocalBackend } from "./types.js";

export { isLocalBackend } from "./check.js";
export { localFetch };
export type * from "./types.js";

/** A backend of the app's own, with what a gate needs to use it: `fetch`. */
export function localBackend<T extends LocalBackend>(backend: T): T & { fetch: typeof globalThis.fetch } {
  return Object.assign(backend, { fetch: localFetch(backend) });
}
