/** The drawer: parameters, the reasoning panel, and where on this origin the gate is. */
import { name, say, type TextKey } from "../i18n/index.js";
import { connection, type PanelMode, pathHere, type Prefs } from "../prefs.js";
import { h, iconButton, textButton } from "./dom.js";
import { PrivacySettings } from "./privacy-settings.js";

export interface SettingsActions {
  changed(): void;
  /** Another path or key. */
  reconnect(): void;
  /** The policy of what is hidden changed. */
  redact(): void;
  loadNames(): Promise<number>;
}

const PANELS: readonly [PanelMode, TextKey][] = [["auto", "reasoningAuto"], ["open", "reasoningOpen"], ["closed", "reasoningClosed"]];

let fields = 0;

function labelled(key: TextKey, control: HTMLElement, hint?: TextKey): HTMLElement {
  control.id = `field-${(fields += 1)}`;
  const label = say(h("label"), key);
  label.htmlFor = control.id;
  const row = h("div", "field", label, control);
  if (hint) {
    const text = say(h("p", "hint"), hint);
    text.id = `${control.id}-hint`;
    control.setAttribute("aria-describedby", text.id);
    row.append(text);
  }
  return row;
}

function numberField(value: number | null, low: number, high: number, step: number, set: (value: number | null) => void): HTMLInputElement {
  const field = h("input");
  field.type = "number";
  field.min = String(low);
  field.max = String(high);
  field.step = String(step);
  field.inputMode = step < 1 ? "decimal" : "numeric";
  field.dataset.tPlaceholder = "asPreset";
  field.value = value === null ? "" : String(value);
  field.addEventListener("change", () => {
    const next = field.value.trim() === "" ? null : field.valueAsNumber;
    const valid = next === null || (next >= low && next <= high);
    field.setAttribute("aria-invalid", String(!valid));
    if (valid) set(next);
  });
  return field;
}

/** Fills `dialog`; it is opened with `showModal`, so Esc closes it and the focus returns by itself. */
export function buildSettings(dialog: HTMLDialogElement, prefs: Prefs, actions: SettingsActions): void {
  const temperature = numberField(prefs.temperature, 0, 2, 0.05, (value) => {
    prefs.temperature = value;
    actions.changed();
  });
  const maxTokens = numberField(prefs.maxTokens, 1, 1_000_000, 1, (value) => {
    prefs.maxTokens = value;
    actions.changed();
  });
  const system = h("textarea");
  system.rows = 3;
  system.dir = "auto";
  system.value = prefs.system;
  system.addEventListener("change", () => {
    prefs.system = system.value;
    actions.changed();
  });
  const panel = h("select");
  for (const [value, key] of PANELS) {
    const item = say(h("option"), key);
    item.value = value;
    panel.append(item);
  }
  panel.value = prefs.panel;
  panel.addEventListener("change", () => {
    prefs.panel = panel.value as PanelMode;
    actions.changed();
  });
  const path = h("input");
  path.type = "text";
  path.inputMode = "url";
  path.spellcheck = false;
  path.dir = "ltr";
  path.value = connection.path;
  path.addEventListener("change", () => {
    const next = pathHere(path.value || "/v1");
    path.setAttribute("aria-invalid", String(next === undefined));
    if (next === undefined) return;
    connection.path = path.value = next;
    actions.reconnect();
  });
  const apiKey = h("input");
  apiKey.type = "password";
  apiKey.autocomplete = "off";
  apiKey.dir = "ltr";
  apiKey.addEventListener("change", () => {
    connection.apiKey = apiKey.value.trim();
    actions.reconnect();
  });
  const title = say(h("h2"), "settings");
  title.id = "settings-title";
  dialog.setAttribute("aria-labelledby", title.id);
  const close = (): void => dialog.close();
  const form = h("form", "drawer-form",
    h("div", "drawer-head", title, iconButton("cross", "close", close)),
    h("div", "drawer-body",
      labelled("temperature", temperature),
      labelled("maxTokens", maxTokens),
      labelled("systemPrompt", system, "systemPromptHint"),
      labelled("reasoningPanel", panel),
      h("hr"),
      new PrivacySettings(prefs.redact, { changed: actions.redact, loadNames: actions.loadNames }).node,
      h("hr"),
      labelled("gatePath", path, "gatePathHint"),
      labelled("apiKey", apiKey, "apiKeyHint")),
    h("div", "drawer-foot", textButton("done", close, "primary")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    close();
  });
  dialog.append(form);
  // A click on the backdrop closes, too.
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) close();
  });
  name(dialog, "settings", false);
}
