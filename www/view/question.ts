/** A question: its text as it was typed, and a field to edit it in place, apart from the composer and its draft. */
import type { Question } from "../chat.js";
import { name, say } from "../i18n/index.js";
import { copyFrom } from "./clipboard.js";
import { sendsOnEnter } from "./composer.js";
import { h, iconButton, textButton } from "./dom.js";
import { Pager } from "./pager.js";

export interface QuestionActions {
  edit(question: Question, text: string): void;
  leaf(question: Question, step: number): void;
}

export class QuestionView {
  readonly node = h("article", "turn user");
  private readonly bubble = h("div", "bubble");
  private readonly pager: Pager;

  constructor(readonly turn: Question, private readonly actions: QuestionActions) {
    this.node.dataset.id = String(turn.id);
    name(this.node, "you", false);
    this.bubble.dir = "auto";
    this.pager = new Pager((step) => actions.leaf(turn, step));
    this.read();
  }

  update(index: number, count: number): void {
    this.pager.update(index, count);
  }

  private read(): void {
    this.bubble.textContent = this.turn.text;
    const copy = iconButton("copy", "copyQuestion", () => void copyFrom(copy, this.turn.text, "copyQuestion"), "quiet small");
    const edit = iconButton("edit", "edit", () => this.write(), "quiet small edit");
    this.node.replaceChildren(this.bubble, h("div", "actions", this.pager.node, copy, edit));
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
