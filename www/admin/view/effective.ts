/** Which limits hold for a key, and where each is from. */
import { amount, limitOf } from "../format.js";
import { dict, t } from "../i18n/index.js";
import { type Defaults, type KeyRecord, LIMITS, type LimitName, type LimitRow, type Meter } from "../types.js";
import { h, rowHead, table } from "../ui.js";

type Source = "sourceKey" | "sourceDefault" | "sourceNone" | "sourceUnknown";

const isSet = (value: number | string | null | undefined): value is number | string => value !== null && value !== undefined;

function row(scope: string, name: LimitName, value: number | string | undefined, source: Source): HTMLElement {
  const node = h("tr", source === "sourceNone" || source === "sourceUnknown" ? "unset" : "", rowHead(dict().limits[name]), h("td", "", scope), h("td", "figure", isSet(value) ? amount(name, value) : "–"), h("td", "", t(source)));
  node.dataset.limit = name;
  node.dataset.source = source;
  return node;
}

/**
 * The table. Without the defaults, a meter shows a limit that is not the key's own; where there is no meter either, nothing is
 * claimed.
 */
export function effectiveLimits(record: KeyRecord, defaults: Defaults | undefined, meters: readonly Meter[] | undefined): HTMLElement {
  const own = record.limits ?? {};
  const rows = LIMITS.map((name) => {
    const meter = meters?.find((one) => limitOf(one) === name && !one.model && !one.route);
    const set = own[name];
    const general = defaults?.limits?.[name] ?? (isSet(set) ? undefined : meter?.limit);
    if (isSet(set)) return row(t("wholeKey"), name, meter?.limit ?? set, "sourceKey");
    if (isSet(general)) return row(t("wholeKey"), name, general, "sourceDefault");
    return row(t("wholeKey"), name, undefined, defaults ? "sourceNone" : "sourceUnknown");
  });
  const scoped = (kind: "models" | "routes", told: (name: string) => string): void => {
    const names = new Set([...Object.keys(own[kind] ?? {}), ...Object.keys(defaults?.limits?.[kind] ?? {})]);
    for (const scope of names) {
      const mine: LimitRow = own[kind]?.[scope] ?? {};
      const theirs: LimitRow = defaults?.limits?.[kind]?.[scope] ?? {};
      for (const name of LIMITS) {
        const [set, general] = [mine[name], theirs[name]];
        if (isSet(set)) rows.push(row(told(scope), name, set, "sourceKey"));
        else if (isSet(general)) rows.push(row(told(scope), name, general, "sourceDefault"));
      }
    }
  };
  scoped("models", dict().forModel);
  scoped("routes", dict().forRoute);
  return table(t("effective"), [t("limit"), t("scope"), t("amount"), t("source")], rows);
}
