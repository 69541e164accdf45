/** Which model and which preset: native menus, so that keyboards, phones and screen readers need nothing from us. */
import type { Preset } from "sluicegate";
import { name, say, t, type TextKey } from "../i18n/index.js";
import { h, show } from "./dom.js";

const OTHER = "\u0000other";

export interface Model {
  id: string;
  [field: string]: unknown;
}

/** The models by vendor: the part of the id before the slash, else the owner. */
export function groupModels(models: readonly Model[]): { label: string; key: TextKey | undefined; ids: string[] }[] {
  const groups = new Map<string, string[]>();
  for (const model of models) {
    const slash = model.id.lastIndexOf("/");
    const label = slash > 0 ? model.id.slice(0, slash) : typeof model.owned_by === "string" ? model.owned_by : "";
    const ids = groups.get(label);
    if (ids) ids.push(model.id);
    else groups.set(label, [model.id]);
  }
  return [...groups].map(([label, ids]) => ({ label, key: label ? undefined : "groupOther", ids }));
}

/** The model for a visitor who chose none: the page is about reasoning, so the first that reasons, else the first. */
const firstChoice = (models: readonly Model[]): string =>
  (models.find((model) => model.id.includes("/") && /r1|reasoner/i.test(model.id)) ?? models.find((model) => /r1|reasoner/i.test(model.id)) ?? models[0])?.id ?? "";

/** The model menu, with a field for a name that it does not list. */
export class ModelMenu {
  private models: readonly Model[] = [];
  private failed: string | undefined;

  constructor(
    private readonly select: HTMLSelectElement,
    private readonly field: HTMLInputElement,
    private current: string,
    private readonly onChange: (model: string) => void,
  ) {
    select.addEventListener("change", () => {
      const other = select.value === OTHER;
      show(field, other);
      if (other) field.focus();
      else this.choose(select.value);
    });
    field.addEventListener("change", () => {
      const named = field.value.trim();
      if (named) this.choose(named);
    });
    // A window that loses the focus keeps it in the field: the reader may have gone to look up the name.
    field.addEventListener("blur", () => {
      if (document.activeElement !== field) this.settle();
    });
    this.draw();
  }

  /** Takes back a choice of another model that was not named: the menu shows what will be asked. */
  settle(): void {
    if (this.select.value === OTHER && this.field.value.trim() === "") this.draw();
  }

  /** The model to ask; empty where there is no list to choose from. */
  get value(): string {
    return this.current || firstChoice(this.models);
  }

  /** Takes the list that the gate gave, or the code of the error that came instead. */
  offer(models: readonly Model[], failed?: string): void {
    this.models = models;
    this.failed = failed;
    this.draw();
  }

  /** Makes the menu anew, for another list or language. */
  draw(): void {
    const { select, field } = this;
    select.replaceChildren();
    if (this.models.length === 0) {
      const none = option("", this.failed ? "modelsFailed" : "modelDefault");
      if (this.failed) none.append(` (${this.failed})`);
      select.append(none);
    }
    for (const group of groupModels(this.models)) {
      const node = h("optgroup");
      node.label = group.key ? t(group.key) : group.label;
      for (const id of group.ids) {
        const item = h("option", "", group.label && id.startsWith(`${group.label}/`) ? id.slice(group.label.length + 1) : id);
        item.value = id;
        node.append(item);
      }
      select.append(node);
    }
    select.append(option(OTHER, "modelOther"));
    const listed = this.current === "" || this.models.some((model) => model.id === this.current);
    select.value = listed ? this.value : OTHER;
    show(field, !listed);
    field.value = listed ? "" : this.current;
    field.placeholder = t("modelOtherLabel");
    name(field, "modelOtherLabel", false);
  }

  private choose(model: string): void {
    this.current = model;
    this.onChange(model);
  }
}

const PRESETS: readonly [Preset | "", TextKey][] = [
  ["", "presetNone"], ["creative", "presetCreative"], ["reasoning", "presetReasoning"], ["realtime", "presetRealtime"],
];

/** Fills the preset menu. */
export function presetMenu(select: HTMLSelectElement, current: Preset | "", onChange: (preset: Preset | "") => void): void {
  for (const [value, key] of PRESETS) select.append(option(value, key));
  select.value = current;
  select.addEventListener("change", () => onChange(select.value as Preset | ""));
}

function option(value: string, key: TextKey): HTMLOptionElement {
  const node = say(h("option"), key);
  node.value = value;
  return node;
}
