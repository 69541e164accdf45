/** How records and meters are put into words and figures. */
import { dict, list, money, number, t } from "./i18n/index.js";
import { isLimit, isSpend, type KeyRecord, type LimitName, type Meter } from "./types.js";

/** The currency of all spends, once the gate has said it. */
let currency: string | undefined;
export const setCurrency = (code: string | null | undefined): void => {
  currency = code ?? currency;
};

/** Whether it is one of the configuration's: those were not made here at any time. */
export const isFixed = (record: KeyRecord): boolean => record.fixed === true || record.created_at === 0;

/** A key as it may be shown: `sgk_live_…ab12`. Of the configuration's keys nothing is known. */
export const masked = (record: KeyRecord): string => (record.prefix || record.last4 ? `${record.prefix}…${record.last4}` : t("fixed"));

export type KeyState = "active" | "disabled" | "expired";

export function stateOf(record: KeyRecord, now: number): KeyState {
  if (record.disabled) return "disabled";
  return record.expires_at !== null && record.expires_at !== undefined && record.expires_at * 1000 <= now ? "expired" : "active";
}

const STATE_TEXTS = { active: "stateActive", disabled: "stateDisabled", expired: "stateExpired" } as const;
export const stateText = (state: KeyState): string => t(STATE_TEXTS[state]);

export const roleText = (role: string): string => (dict().roles as Record<string, readonly [string, string]>)[role]?.[0] ?? role;

/** Names, or what none of them means. */
export const namesOr = (names: readonly string[] | null | undefined, none: string): string => (names && names.length > 0 ? list(names) : none);

/** Which limit a meter is of. */
export function limitOf(meter: Meter): LimitName | undefined {
  const name = meter.unit === "streams" ? "concurrent_streams" : `${meter.unit}_per_${meter.window}`;
  return isLimit(name) ? name : undefined;
}

/** For what the meter counts; empty for all of the key. */
export const scopeOf = (meter: Meter): string => {
  if (meter.model) return dict().forModel(meter.model);
  return meter.route ? dict().forRoute(meter.route) : "";
};

/** Keeps rows and figures together while meters come and go. */
export const meterKey = (meter: Meter): string => `${meter.unit} ${meter.window}|${meter.model ?? ""}|${meter.route ?? ""}`;

export const amount = (name: LimitName | undefined, value: number | string | null | undefined): string => {
  const figure = Number(value ?? 0);
  return name && isSpend(name) ? money(figure, currency) : number(figure, 2);
};

/** Between 0 and 1; a meter without a limit is never near it. */
export const shareOf = (meter: Meter): number => {
  const limit = Number(meter.limit ?? 0);
  const used = Number(meter.used ?? 0);
  if (meter.limit === null || meter.limit === undefined) return 0;
  return limit > 0 ? Math.min(1, used / limit) : 1;
};

/** What a meter says in words. */
export function meterText(meter: Meter): string {
  const name = limitOf(meter);
  const used = amount(name, meter.used);
  return meter.limit === null || meter.limit === undefined ? used : dict().ofLimit(used, amount(name, meter.limit));
}

export const meterName = (meter: Meter): string => {
  const name = limitOf(meter);
  return name ? dict().limits[name] : meter.unit;
};
