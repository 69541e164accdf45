/** The meters of one key, refreshed while somebody looks. */
import { api } from "../api.js";
import type { Context } from "../context.js";
import { meterKey } from "../format.js";
import { number, t } from "../i18n/index.js";
import type { Meter, Usage } from "../types.js";
import { button, failure, h, write } from "../ui.js";
import { type Bar, bar } from "./bar.js";
import { Chart } from "./chart.js";

const REFRESH_MS = 5_000;
const TICK_MS = 1_000;

/** `seen` is told the meters once they are there. */
export function liveUsage(id: string, context: Context, seen: (meters: readonly Meter[]) => void): HTMLElement {
  const rows = h("ul", "bars");
  const streams = h("strong", "", "–");
  const state = h("span", "live-state", t("everyFive"));
  const problem = h("div", "live-problem");
  const chart = new Chart();
  const bars = new Map<string, Bar>();
  let isPaused = false;
  let isAsking = false;
  let isShown = false;

  const pause = button(t("pause"), () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    write(state, t(isPaused ? "paused" : "everyFive"));
    if (!isPaused) void ask();
  }, "small");
  pause.setAttribute("aria-pressed", "false");
  pause.id = "pause";

  function draw(usage: Usage | undefined): void {
    const meters = usage?.meters ?? [];
    const now = Date.now();
    write(streams, number(usage?.streams ?? 0));
    const keys = new Set(meters.map(meterKey));
    for (const [key, { node }] of bars) {
      if (keys.has(key)) continue;
      node.remove();
      bars.delete(key);
    }
    rows.querySelector(".none")?.remove();
    for (const meter of meters) {
      const key = meterKey(meter);
      const row = bars.get(key) ?? bar(meter);
      if (!bars.has(key)) rows.append(row.node);
      bars.set(key, row);
      row.update(meter);
      row.tick(now);
    }
    if (meters.length === 0) rows.append(h("li", "none", t("noMeters")));
    chart.feed(meters, now);
    if (!isShown) seen(meters);
    isShown = true;
  }

  async function ask(): Promise<void> {
    if (isAsking) return;
    isAsking = true;
    try {
      draw(await api.usage(id, context.signal));
      problem.replaceChildren();
    } catch (error) {
      if (context.signal.aborted || context.ended(error)) return;
      problem.replaceChildren(failure(error, { binding: "KEY_LIMITS", retry: () => void ask() }));
    } finally {
      isAsking = false;
    }
  }

  const isIdle = (): boolean => isPaused || document.hidden || problem.hasChildNodes();
  const refresh = setInterval(() => !isIdle() && void ask(), REFRESH_MS);
  const tick = setInterval(() => {
    const now = Date.now();
    if (!document.hidden) for (const one of bars.values()) one.tick(now);
  }, TICK_MS);
  const look = (): void => {
    if (!isIdle()) void ask();
  };
  document.addEventListener("visibilitychange", look);
  context.signal.addEventListener("abort", () => {
    clearInterval(refresh);
    clearInterval(tick);
    document.removeEventListener("visibilitychange", look);
  });
  void ask();
  return h("section", "card live-usage", h("div", "card-head", h("h3", "", t("live")), h("span", "live-tools", state, pause)),
    problem, rows, h("p", "streams", `${t("streams")}: `, streams), chart.node);
}
