/** What every view is given. */
import type { Part } from "./access.js";
import { ApiError } from "./api.js";
import type { Place } from "./place.js";
import type { Session } from "./types.js";

export interface Context {
  session: Session;
  can(part: Part): boolean;
  /** Ended when the view is left. */
  signal: AbortSignal;
  /** Handles an ended session; whether it was that. */
  ended(error: unknown): boolean;
  /** Names the view, once that is known. */
  title(text: string): void;
  go(href: string, how?: "push" | "replace"): void;
}

export interface View {
  title: string;
  node: HTMLElement;
  /** Takes another place of the same view without being made anew; whether it could. */
  update?(place: Place): boolean;
}

export const isEnded = (error: unknown): boolean => error instanceof ApiError && error.status === 401;
