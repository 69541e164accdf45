/** The settings of what is hidden: on or off, for good or to be given back, and what happens to which kind. */
import type { RedactAction } from "sluicegate/redact";
import { dict, name, number, onLanguage, say, t, type TextKey } from "../i18n/index.js";
import { ACTIONS, type RedactPrefs } from "../prefs.js";
import { ENTITIES, type Entity } from "../privacy.js";
import { h, show, write } from "./dom.js";

export interface PrivacySettingsActions {
  /** Something changed; the policy is another from now on. */
  changed(): void;
  /** Fetches the weights of the search for names; gives their size in bytes. */
  loadNames(): Promise<number>;
}

/** A secret is as good as given away where a token could be restored. */
const allowed = (type: Entity): readonly RedactAction[] => (type === "SECRET" ? ACTIONS.filter((action) => action !== "token") : ACTIONS);

export class PrivacySettings {
  readonly node = h("fieldset", "privacy-settings");
  private readonly rest = h("div", "privacy-rest");
  private readonly namesState = h("span", "hint names-state");
  private readonly names: HTMLInputElement;
  private readonly rows: { type: Entity; label: HTMLElement; select: HTMLSelectElement }[] = [];
  private size = 0;
  private state: "none" | "loading" | "failed" = "none";

  constructor(private readonly prefs: RedactPrefs, private readonly actions: PrivacySettingsActions) {
    const on = this.toggle("redactOn", "redactOnHint", prefs.on, (value) => {
      prefs.on = value;
      show(this.rest, value);
      actions.changed();
    });
    on.querySelector("input")?.setAttribute("id", "redact-on");
    show(this.rest, prefs.on);
    const names = this.toggle("redactNames", "redactNamesHint", prefs.names, (value) => void this.switchNames(value));
    this.names = names.querySelector("input") as HTMLInputElement;
    this.namesState.setAttribute("role", "status");
    names.append(this.namesState);
    this.rest.append(
      this.modes(), names,
      this.toggle("restoreCode", undefined, prefs.code, (value) => {
        prefs.code = value;
        actions.changed();
      }),
      this.toggle("restoreUrls", "restoreHint", prefs.urls, (value) => {
        prefs.urls = value;
        actions.changed();
      }),
      this.table(),
    );
    this.node.append(say(h("legend"), "privacy"), on, this.rest);
    onLanguage(() => this.draw());
    this.draw();
  }

  private toggle(key: TextKey, hint: TextKey | undefined, value: boolean, set: (value: boolean) => void): HTMLElement {
    const box = h("input");
    box.type = "checkbox";
    box.setAttribute("role", "switch");
    box.checked = value;
    box.addEventListener("change", () => set(box.checked));
    const field = h("div", "field switch", h("label", "", box, say(h("span"), key)));
    if (hint) field.append(say(h("p", "hint"), hint));
    return field;
  }

  private modes(): HTMLElement {
    const select = h("select", "privacy-mode");
    for (const [value, key] of [["reversible", "modeReversible"], ["irreversible", "modeIrreversible"]] as const) {
      const option = say(h("option"), key);
      option.value = value;
      select.append(option);
    }
    select.value = this.prefs.mode;
    select.addEventListener("change", () => {
      this.prefs.mode = select.value as RedactPrefs["mode"];
      this.actions.changed();
    });
    return h("div", "field", h("label", "", say(h("span"), "redactMode"), select));
  }

  private table(): HTMLElement {
    const body = h("tbody");
    for (const type of Object.keys(ENTITIES) as Entity[]) {
      const select = h("select");
      select.dataset.type = type;
      for (const action of allowed(type)) {
        const option = h("option");
        option.value = action;
        select.append(option);
      }
      select.value = this.prefs.entities[type] ?? ENTITIES[type];
      select.addEventListener("change", () => {
        const action = select.value as RedactAction;
        if (action === ENTITIES[type]) delete this.prefs.entities[type];
        else this.prefs.entities[type] = action;
        this.actions.changed();
      });
      const label = h("th");
      label.scope = "row";
      this.rows.push({ type, label, select });
      body.append(h("tr", "", label, h("td", "", select)));
    }
    const head = h("thead", "", h("tr", "", say(h("th"), "columnKind"), say(h("th"), "columnAction")));
    return h("details", "privacy-kinds", say(h("summary"), "redactKinds"), h("table", "", head, body));
  }

  private async switchNames(on: boolean): Promise<void> {
    this.prefs.names = on;
    this.state = on && this.size === 0 ? "loading" : "none";
    this.draw();
    if (on) {
      await this.actions.loadNames().then((size) => {
        this.size = size;
        this.state = "none";
      }, () => {
        // Without it nothing could be sent: the search is off until somebody tries again.
        this.state = "failed";
        this.prefs.names = this.names.checked = false;
      });
    }
    this.draw();
    this.actions.changed();
  }

  private draw(): void {
    const { nameOf, actions } = dict();
    for (const { type, label, select } of this.rows) {
      write(label, nameOf(type));
      for (const option of select.options) write(option, actions[option.value as RedactAction]);
      select.setAttribute("aria-label", nameOf(type));
    }
    const megabytes = number(this.size / 1_000_000, 1);
    write(this.namesState, this.state === "loading" ? t("namesLoading") : this.state === "failed" ? t("namesFailed")
      : this.prefs.names && this.size > 0 ? dict().namesReady(megabytes) : "");
    name(this.node, "privacy", false);
  }
}
