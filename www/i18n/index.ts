/** The page's language: a dictionary, numbers in its form, and texts in the DOM that follow a switch. */
import { type Dictionary, en } from "./en.js";

export type Language = "en" | "zh";
export type TextKey = keyof Dictionary["text"];

/** The dictionaries at hand. English comes with the page; the others are fetched when they are asked for. */
const dictionaries: Partial<Record<Language, Dictionary>> = { en };
const TAGS: Record<Language, string> = { en: "en", zh: "zh-CN" };

let language: Language = "en";
const listeners = new Set<() => void>();

/** The dictionary in use. */
export const dict = (): Dictionary => dictionaries[language] ?? en;

/** A text that stands as it is. */
export const t = (key: TextKey): string => dict().text[key];

/** A number in the language's form. */
export const number = (value: number, digits = 0): string =>
  new Intl.NumberFormat(TAGS[language], { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);

/** Seconds from milliseconds: one decimal below ten, none above. */
export const seconds = (millis: number): string => {
  const value = millis / 1000;
  return dict().seconds(number(value, value < 10 ? (value < 1 ? 2 : 1) : 0));
};

export const currentLanguage = (): Language => language;

/** The first of the reader's languages that the page has. */
export function preferredLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    if (/^zh\b/i.test(tag)) return "zh";
    if (/^en\b/i.test(tag)) return "en";
  }
  return "en";
}

/** Puts a text into `node` that follows the language. */
export function say<T extends HTMLElement>(node: T, key: TextKey): T {
  node.dataset.t = key;
  node.textContent = t(key);
  return node;
}

/** Names `node` by a text that follows the language; `tip` shows it on hover, too. */
export function name<T extends Element>(node: T, key: TextKey, tip = true): T {
  node.setAttribute("data-t-name", key);
  if (tip) node.setAttribute("data-t-tip", "");
  applyName(node);
  return node;
}

function applyName(node: Element): void {
  const label = t(node.getAttribute("data-t-name") as TextKey);
  node.setAttribute("aria-label", label);
  if (node.hasAttribute("data-t-tip")) node.setAttribute("title", label);
}

/** Switches the language of the document: `lang`, every marked text, then the listeners. Without its dictionary nothing changes. */
export async function useLanguage(next: Language): Promise<void> {
  if (next === "zh" && !dictionaries.zh) {
    const loaded = await import("./zh.js").catch(() => undefined);
    if (!loaded) return;
    dictionaries.zh = loaded.zh;
  }
  language = next;
  document.documentElement.lang = TAGS[next];
  for (const node of document.querySelectorAll<HTMLElement>("[data-t]")) node.textContent = t(node.dataset.t as TextKey);
  for (const node of document.querySelectorAll("[data-t-name]")) applyName(node);
  for (const node of document.querySelectorAll<HTMLInputElement>("[data-t-placeholder]")) node.placeholder = t(node.dataset.tPlaceholder as TextKey);
  for (const listener of listeners) listener();
}

/** Calls `listener` after each switch. */
export function onLanguage(listener: () => void): void {
  listeners.add(listener);
}
