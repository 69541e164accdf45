/** The limits that hold where a key sets none. */
import { api, ApiError } from "../api.js";
import type { Context, View } from "../context.js";
import { amount, setCurrency } from "../format.js";
import { dict, t } from "../i18n/index.js";
import { hrefOf, type Place } from "../place.js";
import { type Defaults, LIMITS, type LimitRow } from "../types.js";
import { emptyState, h, link, Loaded, rowHead, table } from "../ui.js";

function draw(defaults: Defaults | undefined): Node {
  if (!defaults) return emptyState(t("limits"), t("limitsMissing"), link(t("toKeys"), hrefOf(["keys"])));
  setCurrency(defaults.currency);
  const rows: HTMLElement[] = [];
  const add = (scope: string, limits: LimitRow): void => {
    for (const name of LIMITS) {
      const value = limits[name];
      if (value !== undefined && value !== null) rows.push(h("tr", "", rowHead(dict().limits[name]), h("td", "", scope), h("td", "figure", amount(name, value))));
    }
  };
  const { limits } = defaults;
  add(t("wholeKey"), limits);
  for (const [model, row] of Object.entries(limits.models ?? {})) if (row) add(dict().forModel(model), row);
  for (const [route, row] of Object.entries(limits.routes ?? {})) if (row) add(dict().forRoute(route), row);
  return rows.length === 0 ? emptyState(t("limits"), t("limitsNone")) : table(t("limits"), [t("limit"), t("scope"), t("amount")], rows);
}

export function limitsView(_: Place, context: Context): View {
  const loaded = new Loaded<Defaults | undefined>(
    (signal) => api.defaults(signal).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }),
    draw, { signal: context.signal, onError: context.ended });
  void loaded.load();
  return { title: t("limits"), node: h("div", "", h("p", "lead", t("limitsText")), loaded.node) };
}
