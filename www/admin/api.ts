/** The administration API of this origin: one `fetch`, and every failure as one kind of error. */
import type { Defaults, KeyFields, KeyRecord, List, NewKey, Roles, Session, Usage } from "./types.js";

/** A call that failed. Messages of the gate hold no keys. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    /** The answer's status; 0 where there was no answer. */
    readonly status: number,
    readonly code: string,
    message: string,
    /** The field at fault, or what is missing. */
    readonly param: string | undefined = undefined,
    readonly requestId: string | undefined = undefined,
    /** When it is worth trying again, in seconds. */
    readonly retryAfter: number | undefined = undefined,
  ) {
    super(message);
  }
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

async function failureOf(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => undefined)) as { error?: Record<string, unknown> } | undefined;
  const { error = {} } = body ?? {};
  const wait = Number(response.headers.get("retry-after") ?? NaN);
  return new ApiError(
    response.status, text(error.code) ?? `http_${response.status}`, text(error.message) ?? "", text(error.param),
    response.headers.get("x-request-id") ?? undefined, Number.isFinite(wait) ? wait : undefined,
  );
}

async function call<T>(method: string, path: string, { body, signal }: { body?: unknown; signal?: AbortSignal | undefined } = {}): Promise<T> {
  const init: RequestInit = { method, cache: "no-store", redirect: "error", headers: { accept: "application/json" } };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { accept: "application/json", "content-type": "application/json" };
  }
  if (signal) init.signal = signal;
  let response: Response;
  try {
    response = await fetch(`/admin/${path}`, init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "network", "");
  }
  if (!response.ok) throw await failureOf(response);
  const empty = response.status === 204 || response.headers.get("content-length") === "0";
  if (empty) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(response.status, "protocol", "");
  }
}

const of = (id: string): string => `keys/${encodeURIComponent(id)}`;

export const api = {
  session: () => call<Session>("GET", "session"),
  signIn: (key: string) => call<unknown>("POST", "session", { body: { key } }),
  signOut: () => call<unknown>("DELETE", "session"),
  keys: (query: URLSearchParams, signal?: AbortSignal) => call<List<KeyRecord>>("GET", `keys?${query}`, { signal }),
  key: (id: string, signal?: AbortSignal) => call<KeyRecord>("GET", of(id), { signal }),
  create: (fields: KeyFields) => call<NewKey>("POST", "keys", { body: fields }),
  change: (id: string, fields: KeyFields) => call<KeyRecord>("PATCH", of(id), { body: fields }),
  rotate: (id: string, overlap_s: number) => call<NewKey>("POST", `${of(id)}/rotate`, { body: { overlap_s } }),
  disable: (id: string) => call<unknown>("POST", `${of(id)}/disable`),
  enable: (id: string) => call<unknown>("POST", `${of(id)}/enable`),
  revokeTokens: (id: string) => call<unknown>("POST", `${of(id)}/revoke-tokens`),
  usage: async (id: string, signal?: AbortSignal) => (await call<List<Usage>>("GET", `${of(id)}/usage`, { signal })).data[0],
  allUsage: (query: URLSearchParams, signal?: AbortSignal) => call<List<Usage>>("GET", `usage?${query}`, { signal }),
  roles: (signal?: AbortSignal) => call<Roles>("GET", "roles", { signal }),
  defaults: (signal?: AbortSignal) => call<Defaults>("GET", "limits", { signal }),
};
