/**
 * What the reader chose. Looks and parameters are kept in this browser; the conversation in this tab; the gate's path and the
 * API key nowhere but in memory.
 */
import type { Preset } from "sluicegate";
import type { RedactAction } from "sluicegate/redact";
import { Chat } from "./chat.js";
import { ENTITIES } from "./privacy.js";

export type Theme = "auto" | "light" | "dark";
export type PanelMode = "auto" | "open" | "closed";

export interface Prefs {
  theme: Theme;
  language: "en" | "zh" | "";
  model: string;
  preset: Preset | "";
  panel: PanelMode;
  temperature: number | null;
  maxTokens: number | null;
  system: string;
  redact: RedactPrefs;
}

/** What is to be hidden. Actions by type: no value is among it. */
export interface RedactPrefs {
  on: boolean;
  mode: "reversible" | "irreversible";
  entities: Record<string, RedactAction>;
  /** Whether names are searched for, whose weights are a file of their own. */
  names: boolean;
  /** Where values are given back beside prose. */
  code: boolean;
  urls: boolean;
}

/** What the reader may choose for a type. */
export const ACTIONS: readonly RedactAction[] = ["token", "label", "mask", "hash", "drop", "block", "local_only", "keep"];

/** Where on this origin the gate is, and with which key to ask it: memory only. */
export const connection = { path: "/v1", apiKey: "" };

/** The address that the connection leads to. */
export const gateUrl = (): string => new URL(connection.path, location.origin).href;

/** The path that was typed, or undefined for what is none on this origin: the page's policy lets it connect to no other. */
export function pathHere(typed: string): string | undefined {
  const text = typed.trim();
  if (!text.startsWith("/") && !/^https?:/i.test(text)) return undefined;
  try {
    const url = new URL(text, location.origin);
    return url.origin === location.origin ? url.pathname : undefined;
  } catch {
    return undefined;
  }
}

const PREFS_KEY = "sluicegate.prefs";
const CHAT_KEY = "sluicegate.chat";
/** A longer conversation is not kept over a reload: the tab's storage holds about five million characters. */
const CHAT_CHARS = 2_000_000;

const DEFAULTS: Prefs = {
  theme: "auto", language: "", model: "", preset: "", panel: "auto", temperature: null, maxTokens: null, system: "",
  redact: { on: true, mode: "reversible", entities: {}, names: false, code: false, urls: false },
};

const oneOf = <T>(value: unknown, allowed: readonly T[], fallback: T): T => (allowed.includes(value as T) ? (value as T) : fallback);
const numberIn = (value: unknown, low: number, high: number): number | null =>
  typeof value === "number" && value >= low && value <= high ? value : null;

function redactIn(value: unknown): RedactPrefs {
  const saved = (value ?? {}) as Partial<Record<keyof RedactPrefs, unknown>>;
  const entities = Object.entries(typeof saved.entities === "object" ? (saved.entities ?? {}) : {})
    .filter(([type, action]) => Object.hasOwn(ENTITIES, type) && ACTIONS.includes(action as RedactAction)) as [string, RedactAction][];
  const isOn = (one: unknown): boolean => one === true;
  return {
    on: saved.on !== false,
    mode: oneOf(saved.mode, ["reversible", "irreversible"], DEFAULTS.redact.mode),
    entities: Object.fromEntries(entities),
    names: isOn(saved.names), code: isOn(saved.code), urls: isOn(saved.urls),
  };
}

function read(storage: () => Storage, key: string): unknown {
  try {
    return JSON.parse(storage().getItem(key) ?? "null");
  } catch {
    return null; // Storage that is off or damaged is the same as none.
  }
}

function write(storage: () => Storage, key: string, text: string | null): void {
  try {
    if (text === null) storage().removeItem(key);
    else storage().setItem(key, text);
  } catch {
    // Full or off: the page works without.
  }
}

/** The stored choices, each checked. */
export function loadPrefs(): Prefs {
  const saved = (read(() => localStorage, PREFS_KEY) ?? {}) as Partial<Record<keyof Prefs, unknown>>;
  return {
    theme: oneOf(saved.theme, ["auto", "light", "dark"], DEFAULTS.theme),
    language: oneOf(saved.language, ["en", "zh", ""], DEFAULTS.language),
    model: typeof saved.model === "string" ? saved.model : "",
    preset: oneOf(saved.preset, ["creative", "reasoning", "realtime", ""], DEFAULTS.preset),
    panel: oneOf(saved.panel, ["auto", "open", "closed"], DEFAULTS.panel),
    temperature: numberIn(saved.temperature, 0, 2),
    maxTokens: numberIn(saved.maxTokens, 1, 1_000_000),
    system: typeof saved.system === "string" ? saved.system : "",
    redact: redactIn(saved.redact),
  };
}

export const savePrefs = (prefs: Prefs): void => write(() => localStorage, PREFS_KEY, JSON.stringify(prefs));

export const loadChat = (): Chat => Chat.load(read(() => sessionStorage, CHAT_KEY));

export function saveChat(chat: Chat, now: number): void {
  const text = JSON.stringify(chat.save(now));
  write(() => sessionStorage, CHAT_KEY, text.length <= CHAT_CHARS ? text : null);
}
