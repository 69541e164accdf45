/** The line below the question field: what is going to be hidden and why, as a list, with a way to let a value through. Its height never changes. */
import type { Finding } from "sluicegate/redact";
import { dict, name, number, onLanguage, say, t } from "../i18n/index.js";
import { mayKeep } from "../privacy.js";
import { h, icon, show, write } from "./dom.js";
import { hideTip, withTip } from "./tip.js";

const ITEMS_MAX = 8;
/** How long a change waits before it is spoken. */
const SPOKEN_MS = 1_000;

export interface HidingActions {
  keep(finding: Finding, value: string): void;
  hide(value: string): void;
  /** Shows the reader where it is. */
  select(start: number, end: number): void;
  open(): void;
  kept(): readonly { type: string; value: string }[];
  on(): boolean;
}

/** Why something is hidden, in words; never what it is. */
export function reasonOf({ type, rule, score, action }: Finding): string {
  const { nameOf, certainty, happens, because } = dict();
  return because(nameOf(type), rule, certainty[score >= 0.9 ? 2 : score >= 0.7 ? 1 : 0] ?? "", happens[action]);
}

export class Hiding {
  private readonly state = h("span", "hiding-state");
  private readonly list = h("ul", "hiding-list");
  private readonly spoken = h("span", "unseen");
  private readonly chip = h("button", "hiding-chip");
  private readonly sum = h("span");
  private findings: readonly Finding[] = [];
  private text = "";
  /** What the list shows: made anew only when that changes, so that nothing goes from under a pointer while somebody types. */
  private shown = "";
  private broken = false;
  private count = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly root: HTMLElement, private readonly actions: HidingActions) {
    this.spoken.setAttribute("role", "status");
    this.chip.type = "button";
    this.chip.append(icon("shield"), this.sum);
    this.chip.addEventListener("click", () => actions.open());
    name(this.chip, "privacyHere");
    name(this.list, "hidingList", false);
    const scroll = h("div", "hiding-scroll", this.state, this.list);
    // A wheel that turns one way only reaches the end of the line, too.
    scroll.addEventListener("wheel", ({ deltaX, deltaY }) => {
      if (deltaX === 0) scroll.scrollBy(deltaY, 0);
    }, { passive: true });
    root.append(scroll, this.chip, this.spoken);
    onLanguage(() => this.draw());
    this.draw();
  }

  /** What was found in `text`. */
  found(findings: readonly Finding[], text: string): void {
    this.findings = findings;
    this.text = text;
    this.broken = false;
    this.draw();
    if (findings.length === this.count) return;
    this.count = findings.length;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => write(this.spoken, this.summary()), SPOKEN_MS);
  }

  /** What finds did not load. */
  fail(): void {
    this.broken = true;
    this.draw();
  }

  /** How much of the conversation was hidden. */
  total(count: number): void {
    write(this.sum, count === 0 ? "" : number(count));
    this.chip.classList.toggle("none", count === 0);
  }

  draw(): void {
    const { actions, findings } = this;
    const { nameOf } = dict();
    const on = actions.on();
    this.root.classList.toggle("off", !on);
    write(this.state, !on ? t("hidingOff") : this.broken ? t("hidingFailed") : findings.length > 0 ? dict().willHide(findings.length, number(findings.length)) : t("hidingOn"));
    const kept = on ? actions.kept().filter(({ value }) => this.text.includes(value)) : [];
    const looks = JSON.stringify([findings.map(({ type, action, rule, score }) => [type, action, rule, score]), kept.map(({ type }) => type), t("keepAsIs")]);
    if (looks === this.shown) return;
    this.shown = looks;
    const focused = [...this.list.querySelectorAll("button")].indexOf(document.activeElement as HTMLButtonElement);
    const items = findings.slice(0, ITEMS_MAX).map((finding, index) => this.item(finding, index));
    if (findings.length > ITEMS_MAX) items.push(h("li", "hiding-more", dict().more(number(findings.length - ITEMS_MAX))));
    for (const [at, { type }] of kept.entries()) {
      const back = h("button", "hiding-keep", t("hideAgain"));
      back.type = "button";
      back.addEventListener("click", () => {
        // The list is the same for another value of the same kind.
        const now = actions.kept().filter((one) => this.text.includes(one.value))[at];
        if (now) actions.hide(now.value);
      });
      back.setAttribute("aria-label", `${t("hideAgain")}: ${nameOf(type)}`);
      items.push(h("li", "hiding-item kept", h("span", "hiding-what", nameOf(type), h("span", "hiding-how", t("keptAsIs"))), back));
    }
    this.list.replaceChildren(...items);
    show(this.list, items.length > 0);
    if (focused >= 0) [...this.list.querySelectorAll("button")][focused]?.focus({ preventScroll: true });
  }

  private summary(): string {
    const { findings } = this;
    if (findings.length === 0) return t("nothingToHide");
    const types = [...new Set(findings.map(({ type }) => dict().nameOf(type)))];
    return `${dict().willHide(findings.length, number(findings.length))} ${dict().list(types)}`;
  }

  private item(finding: Finding, index: number): HTMLLIElement {
    const { type, action } = finding;
    const { nameOf, becomes, labelOf } = dict();
    const reason = reasonOf(finding);
    const what = withTip(h("button", "hiding-what", nameOf(type), h("span", "hiding-how", becomes[action](labelOf(type)))), () => reason);
    what.type = "button";
    what.addEventListener("click", () => {
      const now = this.findings[index];
      if (now) this.actions.select(now.start, now.end);
    });
    const why = h("span", "unseen", reason);
    why.id = `why-${index}`;
    what.setAttribute("aria-describedby", why.id);
    const item = h("li", "hiding-item", what, why);
    item.dataset.type = type;
    item.dataset.action = action;
    if (mayKeep(finding)) {
      const keep = say(h("button", "hiding-keep"), "keepAsIs");
      keep.type = "button";
      keep.setAttribute("aria-label", `${t("keepAsIs")}: ${nameOf(type)}`);
      keep.addEventListener("click", () => {
        hideTip();
        const now = this.findings[index];
        if (now) this.actions.keep(now, this.text.slice(now.start, now.end));
      });
      item.append(keep);
    }
    return item;
  }
}
