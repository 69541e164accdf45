/** The page's building blocks: buttons, fields, dialogs, the status line, states of what is loaded. */
import { copyText } from "../view/copy.js";
import { h, icon, type IconName } from "../view/element.js";
import { ApiError } from "./api.js";
import { dict, span, t } from "./i18n/index.js";

export { h, icon, s, show, write } from "../view/element.js";

const TOLD_MS = 6_000;
let toldTimer: ReturnType<typeof setTimeout> | undefined;

/** Says what was done, to eyes and to screen readers, without moving anything. */
export function tell(text: string): void {
  const status = document.getElementById("status");
  if (!status) return;
  clearTimeout(toldTimer);
  // The same text again is not spoken: an unseen difference makes it new.
  status.textContent = status.textContent === text ? `${text}\u00a0` : text;
  toldTimer = setTimeout(() => (status.textContent = ""), TOLD_MS);
}

export function button(label: string, onClick: () => void, className = "", picture?: IconName): HTMLButtonElement {
  const node = h("button", `button ${className}`.trim(), picture && icon(picture), h("span", "", label));
  node.type = "button";
  node.addEventListener("click", onClick);
  return node;
}

export function iconButton(picture: IconName, label: string, onClick: () => void, className = "quiet"): HTMLButtonElement {
  const node = h("button", className, icon(picture));
  node.type = "button";
  node.title = label;
  node.setAttribute("aria-label", label);
  node.addEventListener("click", onClick);
  return node;
}

export function link(text: string, href: string, className = ""): HTMLAnchorElement {
  const node = h("a", className, text);
  node.href = href;
  return node;
}

let made = 0;
export const freshId = (): string => `a${(made += 1)}`;

export type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** A control with its label, a hint, and room for what is wrong with it. `field` is its name in the API. */
export function labelled(label: string, control: Control, { hint, field }: { hint?: string; field?: string } = {}): HTMLElement {
  control.id ||= freshId();
  const caption = h("label", "", label);
  caption.htmlFor = control.id;
  const fault = h("p", "fault-text");
  fault.id = `${control.id}-fault`;
  fault.hidden = true;
  const note = hint ? h("p", "hint", hint) : undefined;
  if (note) note.id = `${control.id}-hint`;
  control.setAttribute("aria-describedby", [note?.id, fault.id].filter(Boolean).join(" "));
  if (field) control.dataset.field = field;
  return h("div", "field", caption, control, note, fault);
}

/** Marks a control as wrong, or right again. */
export function fault(control: Control, text: string): void {
  control.setAttribute("aria-invalid", String(text !== ""));
  const node = document.getElementById(`${control.id}-fault`);
  if (!node) return;
  node.textContent = text;
  node.hidden = text === "";
}

export function input(value: string, type = "text"): HTMLInputElement {
  const node = h("input");
  node.type = type;
  node.value = value;
  node.autocomplete = "off";
  node.spellcheck = false;
  return node;
}

export function area(value: string, rows = 2): HTMLTextAreaElement {
  const node = h("textarea");
  node.rows = rows;
  node.value = value;
  node.spellcheck = false;
  return node;
}

export function select(options: readonly (readonly [value: string, label: string])[], value: string): HTMLSelectElement {
  const node = h("select");
  for (const [each, label] of options) {
    const option = h("option", "", label);
    option.value = each;
    node.append(option);
  }
  node.value = value;
  return node;
}

/** Copies `text()`; the button says whether that worked. */
export function copyButton(label: string, text: () => string): HTMLButtonElement {
  const caption = h("span", "", t("copy"));
  const node = h("button", "button copy", icon("copy"), caption);
  node.type = "button";
  node.setAttribute("aria-label", `${t("copy")}: ${label}`);
  node.addEventListener("click", () => {
    void copyText(text()).then((worked) => {
      const said = t(worked ? "copied" : "copyFailed");
      node.firstElementChild?.replaceWith(icon(worked ? "check" : "cross"));
      caption.textContent = said;
      node.setAttribute("aria-label", `${said}: ${label}`);
      tell(said);
    });
  });
  return node;
}

type FailureKind = keyof ReturnType<typeof dict>["failures"];

function kindOf(error: ApiError): FailureKind {
  if (error.code === "network") return "network";
  switch (error.status) {
    case 400: case 413: case 415: case 422: return "invalid";
    case 401: return "unauthorized";
    case 403: return "forbidden";
    case 404: case 405: case 410: return "missing";
    case 409: case 412: return "conflict";
    case 429: return "limited";
    case 501: return "off";
    case 502: case 503: case 504: return "busy";
    default: return "internal";
  }
}

/** What is to be added: a setting or a binding that the gate names, else the binding that this part needs. */
function whatIsOff(param: string | undefined, binding: string | undefined, otherwise: string): string {
  if (param?.startsWith("access")) return dict().offSetting(param);
  const named = /^[A-Z][A-Z_]+$/.test(param ?? "") ? param : binding;
  return named ? dict().off(named) : otherwise;
}

/** What failed: what it means, what to do next, then the gate's own words and the code. `binding` is what the part needs. */
export function failure(error: unknown, { binding, retry }: { binding?: string; retry?: () => void } = {}): HTMLElement {
  const known = error instanceof ApiError ? error : new ApiError(0, "internal", error instanceof Error ? error.message : "");
  const kind = kindOf(known);
  const [what, next] = dict().failures[kind];
  const hints = [kind === "off" ? whatIsOff(known.param, binding, next) : next];
  if (kind === "invalid" && known.param) hints.push(dict().inField(known.param));
  if (known.retryAfter !== undefined) hints.push(dict().waitFor(span(known.retryAfter)));
  const facts = h("p", "facts", h("span", "", `${t("code")}: `, h("code", "", known.code)));
  if (known.requestId) facts.append(h("span", "", `${t("requestId")}: `, h("code", "", known.requestId)));
  const words = known.message ? h("p", "detail", known.message) : undefined;
  const body = h("div", "failure-body", h("p", "", h("strong", "", what), " ", hints.join(" ")), words, facts);
  if (retry) body.append(h("p", "", button(t("retry"), retry, "again", "again")));
  const node = h("div", "failure", icon("warn"), body);
  node.dataset.code = known.code;
  node.tabIndex = -1;
  node.setAttribute("role", "group");
  node.setAttribute("aria-label", what);
  return node;
}

export const loading = (): HTMLElement => h("p", "loading", t("loading"));

export function emptyState(title: string, text: string, ...actions: HTMLElement[]): HTMLElement {
  return h("div", "nothing", h("h3", "", title), h("p", "", text), ...actions);
}

/** A place whose content is fetched: loading, then what `draw` makes of it, or what went wrong. */
export class Loaded<T> {
  readonly node = h("div", "loaded");
  private turn = 0;

  constructor(
    private readonly fetchIt: (signal: AbortSignal) => Promise<T>,
    private readonly draw: (value: T) => Node,
    private readonly options: { signal: AbortSignal; onError: (error: unknown) => boolean; binding?: string },
  ) {}

  /** Fetches anew. What is shown stays until the answer is there, so that nothing jumps. */
  async load(): Promise<void> {
    const turn = (this.turn += 1);
    const { signal, onError, binding } = this.options;
    this.node.setAttribute("aria-busy", "true");
    if (!this.node.hasChildNodes()) this.node.append(loading());
    try {
      const value = await this.fetchIt(signal);
      if (turn === this.turn && !signal.aborted) this.replace(this.draw(value));
    } catch (error) {
      if (signal.aborted || turn !== this.turn || onError(error)) return;
      this.replace(failure(error, { ...(binding ? { binding } : {}), retry: () => void this.load() }));
    }
    this.node.setAttribute("aria-busy", "false");
  }

  /** What had the focus has it again, if it is marked (`data-focus`) and there is such a thing still. */
  private replace(drawn: Node): void {
    const active = document.activeElement;
    const mark = active instanceof HTMLElement && this.node.contains(active) ? active.dataset.focus : undefined;
    this.node.replaceChildren(drawn);
    if (mark) this.node.querySelector<HTMLElement>(`[data-focus="${CSS.escape(mark)}"]`)?.focus();
  }
}

/** A table in a scroll area that can be reached by keyboard. */
export function table(label: string, heads: readonly (string | Node)[], rows: readonly HTMLElement[]): HTMLElement {
  const head = h("tr");
  for (const one of heads) {
    const cell = h("th", "", one);
    cell.scope = "col";
    head.append(cell);
  }
  const body = h("tbody");
  body.append(...rows);
  const scroll = h("div", "scroll", h("table", "", h("thead", "", head), body));
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", label);
  return scroll;
}

export function rowHead(...children: (Node | string)[]): HTMLTableCellElement {
  const cell = h("th", "row-head", ...children);
  cell.scope = "row";
  return cell;
}

export interface Dialog {
  node: HTMLDialogElement;
  body: HTMLElement;
  foot: HTMLElement;
  close(): void;
  /** Shows why it did not work, and moves the focus there, so that it is read. */
  fail(error: unknown): void;
}

/**
 * Opens a modal dialog. Esc and the backdrop close it if `mayClose` agrees; then it is gone, and the focus is where it was, or on
 * what now stands there (`data-focus`).
 */
export function openDialog(title: string, { wide = false, mayClose = () => true, closed }: { wide?: boolean; mayClose?: () => boolean; closed?: () => void } = {}): Dialog {
  const opener = document.activeElement instanceof HTMLElement ? document.activeElement : undefined;
  const heading = h("h2", "", title);
  heading.id = freshId();
  const body = h("div", "dialog-body");
  const foot = h("div", "dialog-foot");
  const node = h("dialog", wide ? "dialog wide" : "dialog");
  node.setAttribute("aria-labelledby", heading.id);
  const close = (): void => node.close();
  const ask = (): void => {
    if (mayClose()) close();
  };
  node.append(h("div", "dialog-head", heading, iconButton("cross", t("close"), ask)), body, foot);
  // A second Esc closes a dialog whatever its `cancel` event is told; the key itself can be held.
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    ask();
  });
  node.addEventListener("cancel", (event) => {
    event.preventDefault();
    ask();
  });
  node.addEventListener("pointerdown", (event) => {
    if (event.target === node) ask();
  });
  node.addEventListener("close", () => {
    node.remove();
    closed?.();
    const mark = opener?.dataset.focus;
    const again = opener?.isConnected ? opener : mark ? document.querySelector<HTMLElement>(`[data-focus="${CSS.escape(mark)}"]`) : undefined;
    (again ?? document.getElementById("content"))?.focus();
  });
  document.body.append(node);
  node.showModal();
  return {
    node, body, foot, close,
    fail(error) {
      body.querySelector(":scope > .failure")?.remove();
      const shown = failure(error);
      body.prepend(shown);
      shown.focus();
    },
  };
}

