/** What all keys are using, those nearest to a limit first. */
import { api } from "../api.js";
import type { Context, View } from "../context.js";
import { masked, meterKey, shareOf } from "../format.js";
import { dict, number, t } from "../i18n/index.js";
import { hrefOf, type Place } from "../place.js";
import type { KeyRecord, List, Usage } from "../types.js";
import { button, emptyState, h, link, Loaded } from "../ui.js";
import { bar } from "./bar.js";

const REFRESH_MS = 5_000;
/** Names are looked up for so many keys; the rest are shown by their ids. */
const NAMED = 100;

const fullest = (usage: Usage): number => Math.max(0, ...(usage.meters ?? []).map(shareOf));
const used = (usage: Usage): number => (usage.meters ?? []).reduce((sum, meter) => sum + meter.used, 0);

/** Who has no record: a key that is not among those that were looked up, or whoever sends none. */
const nameOf = (id: string): string => (id === "anonymous" ? dict().roles.anonymous[0] : id);

export function usageView(place: Place, context: Context): View {
  let updates = new Map<string, (usage: Usage) => void>();
  const after = place.query.get("after");
  const query = new URLSearchParams(after ? { after } : {});
  const loaded = new Loaded<[List<Usage>, Map<string, KeyRecord>]>(
    async (signal) => {
      const keys = context.can("keys") ? api.keys(new URLSearchParams({ limit: String(NAMED) }), signal).catch(() => undefined) : undefined;
      const [usage, named] = await Promise.all([api.allUsage(query, signal), keys]);
      return [usage, new Map((named?.data ?? []).map((record) => [record.id, record]))];
    },
    ([usage, keys]) => draw(usage, keys),
    { signal: context.signal, onError: context.ended, binding: "KEY_LIMITS" },
  );

  function draw({ data, next }: List<Usage>, keys: Map<string, KeyRecord>): Node {
    updates = new Map();
    if (data.length === 0) return emptyState(t("usageEmpty"), t("usageEmptyText"));
    const sorted = [...data].sort((left, right) => fullest(right) - fullest(left) || used(right) - used(left));
    const cards = sorted.map((usage) => card(usage, keys.get(usage.key_id)));
    const pages = h("p", "pages");
    if (after) pages.append(link(t("firstPage"), hrefOf(["usage"])));
    if (next) pages.append(link(t("nextPage"), hrefOf(["usage"], { after: next }), "next"));
    return h("div", "usage-list", ...cards, pages);
  }

  function card(usage: Usage, record: KeyRecord | undefined): HTMLElement {
    const streams = h("span", "streams");
    const rows = h("ul", "bars");
    const bars = new Map((usage.meters ?? []).map((meter) => [meterKey(meter), bar(meter)]));
    rows.append(...[...bars.values()].map(({ node }) => node));
    if (bars.size === 0) rows.append(h("li", "none", t("noMeters")));
    const update = (now: Usage): void => {
      streams.textContent = `${t("streams")}: ${number(now.streams ?? 0)}`;
      for (const meter of now.meters ?? []) {
        bars.get(meterKey(meter))?.update(meter);
        bars.get(meterKey(meter))?.tick(Date.now());
      }
    };
    update(usage);
    updates.set(usage.key_id, update);
    const title = h("h3", "", record ? link(record.name, hrefOf(["keys", record.id])) : nameOf(usage.key_id));
    const node = h("section", "card", h("div", "card-head", title, record ? h("code", "masked", masked(record)) : undefined, streams), rows);
    node.dataset.key = usage.key_id;
    node.setAttribute("aria-label", record?.name ?? nameOf(usage.key_id));
    return node;
  }

  // Figures change in place; who comes first changes only when the reader asks.
  const refresh = setInterval(() => {
    if (document.hidden || updates.size === 0) return;
    api.allUsage(query, context.signal).then(
      ({ data }) => {
        for (const usage of data) updates.get(usage.key_id)?.(usage);
      },
      (error: unknown) => void context.ended(error),
    );
  }, REFRESH_MS);
  context.signal.addEventListener("abort", () => clearInterval(refresh));
  const again = button(t("refresh"), () => void loaded.load(), "", "again");
  again.id = "refresh";
  void loaded.load();
  return { title: t("usage"), node: h("div", "", h("p", "lead", t("usageText")), h("div", "tools-row", again), loaded.node) };
}
