/** Fields for limits: of a whole key, and rows for single models and routes. */
import { dict, t, type TextKey } from "../i18n/index.js";
import { isSpend, LIMITS, type LimitName, type LimitRow, type Limits } from "../types.js";
import { type Control, fault, freshId, h, iconButton, input, labelled, button } from "../ui.js";

/** What was entered, or the first control that is wrong. */
export type Entered<T> = { value: T } | { wrong: Control };

const shown = (value: number | string | null | undefined): string => (value === null || value === undefined ? "" : String(value));

/** A number as it was entered: undefined if it is none. Spends are decimals, the rest whole numbers. */
export function numberIn(text: string, name: LimitName): number | null | undefined {
  const given = text.trim();
  if (given === "") return null;
  if (!(isSpend(name) ? /^\d{1,12}(\.\d{1,6})?$/ : /^\d{1,15}$/).test(given)) return undefined;
  return Number(given);
}

class Row {
  readonly node = h("div", "limit-grid");
  private readonly fields = new Map<LimitName, HTMLInputElement>();

  constructor(limits: LimitRow, defaults: LimitRow | undefined, field: string) {
    for (const name of LIMITS) {
      const control = input(shown(limits[name]));
      control.inputMode = isSpend(name) ? "decimal" : "numeric";
      control.placeholder = defaults && defaults[name] !== null && defaults[name] !== undefined ? `${t("setDefault")}: ${defaults[name]}` : "";
      this.fields.set(name, control);
      this.node.append(labelled(dict().limits[name], control, { field: `${field}.${name}` }));
    }
  }

  read(): Entered<LimitRow> {
    const value: LimitRow = {};
    for (const [name, control] of this.fields) {
      const entered = numberIn(control.value, name);
      fault(control, entered === undefined ? t(isSpend(name) ? "badDecimal" : "badNumber") : "");
      if (entered === undefined) return { wrong: control };
      if (entered !== null) value[name] = entered;
    }
    return { value };
  }
}

/** Rows that are named: by a model or a route. */
class Named {
  readonly node: HTMLElement;
  private readonly rows: { name: HTMLInputElement; row: Row; node: HTMLElement }[] = [];
  private readonly list = h("div", "limit-rows");

  constructor(kind: "models" | "routes", limits: Record<string, LimitRow | null>, suggestions: readonly string[]) {
    const texts: Record<"title" | "add" | "name", TextKey> =
      kind === "models" ? { title: "perModel", add: "addModel", name: "modelName" } : { title: "perRoute", add: "addRoute", name: "routeName" };
    const known = h("datalist");
    known.id = freshId();
    for (const one of suggestions) {
      const option = h("option");
      option.value = one;
      known.append(option);
    }
    const add = (name: string, row: LimitRow): HTMLInputElement => {
      const control = input(name);
      control.setAttribute("list", known.id);
      const fields = new Row(row, undefined, `limits.${kind}`);
      const entry = { name: control, row: fields, node: h("div", "limit-row") };
      const remove = iconButton("cross", t("remove"), () => {
        this.rows.splice(this.rows.indexOf(entry), 1);
        entry.node.remove();
        more.focus();
      }, "quiet small");
      entry.node.append(h("div", "limit-row-head", labelled(t(texts.name), control, { field: `limits.${kind}` }), remove), fields.node);
      this.rows.push(entry);
      this.list.append(entry.node);
      return control;
    };
    const more = button(t(texts.add), () => add("", {}).focus(), "small", "plus");
    this.node = h("fieldset", "limit-named", h("legend", "", t(texts.title)), this.list, more, known);
    for (const [name, row] of Object.entries(limits)) if (row) add(name, row);
  }

  read(): Entered<Record<string, LimitRow>> {
    const value: Record<string, LimitRow> = {};
    for (const { name, row } of this.rows) {
      const named = name.value.trim();
      const wrong = named === "" || Object.hasOwn(value, named);
      fault(name, wrong ? t("badRow") : "");
      if (wrong) return { wrong: name };
      const entered = row.read();
      if ("wrong" in entered) return entered;
      value[named] = entered.value;
    }
    return { value };
  }
}

export class LimitsForm {
  readonly node: HTMLElement;
  private readonly whole: Row;
  private readonly models: Named;
  private readonly routes: Named;

  constructor(limits: Limits, defaults: Limits | undefined, routes: readonly string[]) {
    this.whole = new Row(limits, defaults, "limits");
    this.models = new Named("models", limits.models ?? {}, []);
    this.routes = new Named("routes", limits.routes ?? {}, routes);
    this.node = h("fieldset", "section", h("legend", "", t("limitsOf")), h("p", "hint", t("limitsHint")), this.whole.node, this.models.node, this.routes.node);
  }

  read(): Entered<Limits> {
    const whole = this.whole.read();
    if ("wrong" in whole) return whole;
    const models = this.models.read();
    if ("wrong" in models) return models;
    const routes = this.routes.read();
    if ("wrong" in routes) return routes;
    const value: Limits = { ...whole.value };
    if (Object.keys(models.value).length > 0) value.models = models.value;
    if (Object.keys(routes.value).length > 0) value.routes = routes.value;
    return { value };
  }
}

/**
 * The new limits as a change: whole, with null for what is no longer set. It means the same to a server that merges and to one that
 * replaces.
 */
export function limitsChange(before: Limits, after: Limits): Limits {
  const cleared = (old: LimitRow, now: LimitRow): LimitRow => {
    const row: LimitRow = {};
    for (const name of LIMITS) {
      if (now[name] !== undefined && now[name] !== null) row[name] = now[name];
      else if (old[name] !== undefined && old[name] !== null) row[name] = null;
    }
    return row;
  };
  const change: Limits = cleared(before, after);
  for (const kind of ["models", "routes"] as const) {
    const old = before[kind] ?? {};
    const now = after[kind] ?? {};
    const names = new Set([...Object.keys(old), ...Object.keys(now)]);
    if (names.size === 0) continue;
    change[kind] = Object.fromEntries([...names].map((name) => {
      const row = now[name];
      return [name, row ? cleared(old[name] ?? {}, row) : null];
    }));
  }
  return change;
}
