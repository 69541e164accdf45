/** Theme and language, as chosen on the demo page or here: one choice for both pages. Nothing else is stored. */

const KEY = "sluicegate.prefs";
export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export interface Looks {
  theme: Theme;
  language: "en" | "zh" | "";
}

function saved(): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {}; // Storage that is off or damaged is the same as none.
  }
}

export function loadLooks(): Looks {
  const { theme, language } = saved();
  return {
    theme: THEMES.find((one) => one === theme) ?? "auto",
    language: language === "en" || language === "zh" ? language : "",
  };
}

/** Keeps the two choices, and what the demo page keeps beside them. */
export function saveLooks(looks: Looks): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...saved(), ...looks }));
  } catch {
    // Full or off: the page works without.
  }
}
