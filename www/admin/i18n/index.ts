/** The language of the admin page, with dictionaries of its own. Views are drawn anew after a switch, so texts need no marks. */
import { type Dictionary, en } from "./en.js";

export type Language = "en" | "zh";
export type TextKey = keyof Dictionary["text"];

const dictionaries: Partial<Record<Language, Dictionary>> = { en };
const TAGS: Record<Language, string> = { en: "en", zh: "zh-CN" };
let language: Language = "en";

export const dict = (): Dictionary => dictionaries[language] ?? en;
export const t = (key: TextKey): string => dict().text[key];
export const currentLanguage = (): Language => language;

export function preferredLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    if (/^zh\b/i.test(tag)) return "zh";
    if (/^en\b/i.test(tag)) return "en";
  }
  return "en";
}

/** Switches the language; without its dictionary nothing changes. */
export async function useLanguage(next: Language): Promise<void> {
  if (next === "zh" && !dictionaries.zh) {
    const loaded = await import("./zh.js").catch(() => undefined);
    if (!loaded) return;
    dictionaries.zh = loaded.zh;
  }
  language = next;
  document.documentElement.lang = TAGS[next];
}

export const number = (value: number, most = 0): string => new Intl.NumberFormat(TAGS[language], { maximumFractionDigits: most }).format(value);

/** A sum: with its sign where the currency is one that Intl knows the form of. */
export const money = (value: number, currency: string | undefined): string =>
  currency && /^[A-Z]{3}$/.test(currency)
    ? new Intl.NumberFormat(TAGS[language], { style: "currency", currency, minimumFractionDigits: 2, maximumFractionDigits: 4 }).format(value)
    : number(value, 4);

/** Date and time where the reader is. */
export const moment = (seconds: number): string =>
  new Intl.DateTimeFormat(TAGS[language], { dateStyle: "medium", timeStyle: "short" }).format(seconds * 1000);

const STEPS = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]] as const;

/** A length of time in its two largest units, e.g. `5h 12m`. */
export function span(seconds: number): string {
  let rest = Math.max(0, Math.floor(seconds));
  const first = STEPS.findIndex(([, size]) => rest >= size);
  const parts = STEPS.slice(first < 0 ? 3 : first, first < 0 ? 4 : first + 2).map(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest %= size;
    return count === 0 && size !== 1 ? "" : new Intl.NumberFormat(TAGS[language], { style: "unit", unit, unitDisplay: "narrow" }).format(count);
  });
  return parts.filter(Boolean).join(" ");
}

/** Names beside each other. Not by Intl: its short Chinese form puts nothing between them. */
export const list = (items: readonly string[]): string => items.join(dict().between);
