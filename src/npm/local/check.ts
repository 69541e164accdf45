import type { LocalBackend } from "./types.js";

/** Whether a value is a local backend: an `id`, a `model`, and the functions that every one has. */
export function isLocalBackend(value: unknown): value is LocalBackend {
  if (typeof value !== "object" || value === null) return false;
  const { id, model, availability, prepare, stream } = value as Partial<Record<keyof LocalBackend, unknown>>;
  const named = [id, model].every((name) => typeof name === "string" && name !== "");
  return named && [availability, prepare, stream].every((member) => typeof member === "function");
}
