/** Which operations the page's parts need: what the session's list lacks is not offered. The server decides by itself. */
import type { Session } from "./types.js";

/** As the core's role table names them. */
export const NEEDS = {
  keys: "keys_read",
  edit: "keys_write",
  usage: "usage",
  roles: "roles",
  limits: "roles",
} as const;

export type Part = keyof typeof NEEDS;

export const can = (session: Session, part: Part): boolean => session.operations.includes(NEEDS[part]);
