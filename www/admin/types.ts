/** What the administration API gives and takes, as JSON. Times are unix seconds. */

/** The limits that are one number each; spends are decimals in the configured currency. */
export const LIMITS = [
  "requests_per_minute", "requests_per_day", "tokens_per_minute", "tokens_per_day", "concurrent_streams", "spend_per_day", "spend_per_month",
] as const;
export type LimitName = (typeof LIMITS)[number];

export const isLimit = (name: unknown): name is LimitName => LIMITS.includes(name as LimitName);
export const isSpend = (name: LimitName): boolean => name.startsWith("spend_");

/** The limits of one scope: absent or null is none of its own. */
export type LimitRow = Partial<Record<LimitName, number | string | null>>;

export interface Limits extends LimitRow {
  models?: Record<string, LimitRow | null>;
  routes?: Record<string, LimitRow | null>;
}

export const ROLES = ["administrator", "developer", "auditor"] as const;
export type Role = (typeof ROLES)[number];

/** What is known of a key: never the key. */
export interface KeyRecord {
  id: string;
  name: string;
  owner: string | null;
  role: Role;
  prefix: string;
  last4: string;
  models: string[] | null;
  endpoints: string[] | null;
  ips: string[] | null;
  guide_compatible: boolean;
  token_ttl_s: number | null;
  limits: Limits | null;
  metadata: Record<string, string> | null;
  created_at: number;
  expires_at: number | null;
  disabled: boolean;
  version: number;
  /** Whether it is one of the configuration's, which is changed there. */
  fixed?: boolean;
}

/** What may be set on a key. In a change, null clears, also inside of `limits` and `metadata`. */
export type KeyFields = Partial<Omit<KeyRecord, "id" | "prefix" | "last4" | "created_at" | "disabled" | "version" | "fixed" | "metadata">> & {
  metadata?: Record<string, string | null>;
};

/** A key that was just made: the only time that it is seen. Without a root secret there is none for it to sign with. */
export type NewKey = KeyRecord & { key: string; secret: string | null };

export interface Session {
  key_id: string;
  name: string;
  role: Role;
  operations: string[];
  expires_at: number;
}

/** One limit at work. `scope` is empty for all of the key, else the name of the field that says for what it is. */
export interface Meter {
  scope: "" | "model" | "route";
  unit: "requests" | "tokens" | "spend" | "streams";
  window: "minute" | "day" | "month" | "now";
  model?: string;
  route?: string;
  limit: number | null;
  used: number;
  remaining?: number | null;
  resets_at?: number | null;
}

/** What a key has used; of one that was never used, the id alone. */
export interface Usage {
  key_id: string;
  meters?: Meter[];
  streams?: number;
}

export interface List<T> {
  data: T[];
  next?: string | null;
}

export interface RoleRow {
  role: string;
  operations: string[];
}

/** The role table, and which operations keys can be limited to. */
export interface Roles extends List<RoleRow> {
  inference?: string[];
}

/** What holds where a key says nothing itself. */
export interface Defaults {
  limits: Limits;
  currency?: string | null;
}
