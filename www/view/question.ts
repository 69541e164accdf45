/** A question: its text as it was typed, and a field to edit it in place, apart from the composer and its draft. */
import type { Question } from "../chat.js";
import { dict, name, number, say, t } from "../i18n/index.js";
import { tokensIn } from "../privacy.js";
import { copyFrom } from "./clipboard.js";
import { sendsOnEnter } from "./composer.js";
import { h, iconButton, textButton } from "./dom.js";
import { Marks, markText } from "./marks.js";
import { Pager } from "./pager.js";
import { showRaw, Switch } from "./upstream.js";

export interface QuestionActions {
  edit(question: Question, text: string): void;
  leaf(question: Question, step: number): void;
  /** The reader turns it over: what they look at must stay where it is. */
  reading(): void;
}

export class QuestionView {
  readonly node = h("article", "turn user");
  private readonly bubble = h("div", "bubble");
  private readonly pager: Pager;
  private readonly marks = new Marks(this.bubble);
  private readonly turned = new Switch("upstreamGot", () => {
    this.actions.reading();
    this.showText();
  });

  constructor(readonly turn: Question, private readonly actions: QuestionActions) {
    this.node.dataset.id = String(turn.id);
    name(this.node, "you", false);
    this.bubble.dir = "auto";
    this.pager = new Pager((step) => actions.leaf(turn, step));
    this.read();
  }

  update(index: number, count: number): void {
    this.pager.update(index, count);
    this.showText();
  }

  /** The view is not shown any more. */
  dispose(): void {
    this.marks.clear();
  }

  /** The text as it was typed, or as it left the device. */
  private showText(): void {
    const { text, sent, hidden = [] } = this.turn;
    this.marks.clear();
    this.turned.node.hidden = sent === undefined;
    this.turned.say(hidden.length > 0 ? dict().hiddenHere(hidden.length, number(hidden.length)) : t("hiddenNone"));
    const raw = this.turned.on && sent !== undefined;
    this.bubble.classList.toggle("raw-text", raw);
    if (raw) return showRaw(this.bubble, sent, hidden.length > 0 ? hidden : tokensIn(sent));
    if (this.bubble.textContent !== text || this.bubble.childNodes.length !== 1) this.bubble.textContent = text;
    const node = this.bubble.firstChild;
    if (!(node instanceof Text)) return;
    for (const { type, start, end, from, to } of hidden) {
      markText(this.marks, "was-hidden", node, start, end, () => dict().wentOutAs(dict().nameOf(type), sent?.slice(from, to) ?? ""));
    }
  }

  private read(): void {
    this.showText();
    const copy = iconButton("copy", "copyQuestion", () => void copyFrom(copy, this.turn.text, "copyQuestion"), "quiet small");
    const edit = iconButton("edit", "edit", () => this.write(), "quiet small edit");
    this.node.replaceChildren(this.bubble, h("div", "actions", this.pager.node, this.turned.node, copy, edit));
  }

  private write(): void {
    const field = h("textarea", "edit-field");
    field.value = this.turn.text;
    field.rows = Math.min(12, this.turn.text.split("\n").length + 1);
    field.dir = "auto";
    name(field, "editLabel", false);
    const back = (): void => {
      this.read();
      this.node.querySelector<HTMLElement>(".edit")?.focus();
    };
    const send = (): void => {
      const text = field.value.trim();
      if (text === "") return;
      this.read();
      this.actions.edit(this.turn, text);
    };
    field.addEventListener("keydown", (event) => {
      if (event.isComposing || event.keyCode === 229) return;
      if (event.key === "Escape") {
        event.stopPropagation();
        back();
      } else if (sendsOnEnter(event)) {
        event.preventDefault();
        send();
      }
    });
    const buttons = h("div", "edit-actions", textButton("cancel", back), say(textButton("send", send, "primary"), "send"));
    this.node.replaceChildren(h("div", "editor", field, buttons));
    field.focus();
  }
}
