/**
 * The reasoning, folding: open and counting while the model thinks, folded at the first word of the answer, unless the
 * reader has touched it or the setting says otherwise; it stays open when no answer comes.
 */
import type { Answer } from "../chat.js";
import { isLive } from "../chat.js";
import { dict, number } from "../i18n/index.js";
import type { PanelMode } from "../prefs.js";
import { StickToBottom } from "../scroll.js";
import { copyFrom } from "./clipboard.js";
import { h, iconButton, write } from "./dom.js";
import { GivenMarks } from "./marks.js";

export class ReasoningPanel {
  readonly node = h("details", "reasoning");
  private readonly label = h("span", "reasoning-label");
  private readonly body = h("div", "reasoning-body");
  private readonly text = document.createTextNode("");
  private readonly marks: GivenMarks;
  private touched = false;
  private folded = false;

  /** @param onToggle called before the reader's click changes the height. */
  constructor(private readonly answer: Answer, private readonly mode: () => PanelMode, onToggle: () => void, private readonly onFold: (height: number) => void) {
    const summary = h("summary", "", h("span", "chevron"), this.label);
    summary.addEventListener("click", () => {
      this.touched = true;
      onToggle();
    });
    const copy = iconButton("copy", "copyReasoning", () => void copyFrom(copy, answer.reasoning, "copyReasoning"), "quiet small");
    const content = h("p", "", this.text);
    content.dir = "auto";
    this.marks = new GivenMarks(content);
    const scroll = h("div", "reasoning-scroll", content);
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "group");
    this.body.append(scroll, copy);
    this.node.append(summary, this.body);
    new StickToBottom(scroll, content);
    this.node.hidden = true;
  }

  /** Brings the panel up to date. */
  update(now: number): void {
    const { reasoning } = this.answer;
    if (reasoning === "") return;
    if (this.node.hidden) {
      this.node.hidden = false;
      this.node.open = this.mode() === "open" || (this.mode() === "auto" && (isLive(this.answer) || this.answer.text === ""));
      this.folded = this.answer.text !== "";
    }
    if (reasoning.length > this.text.length) {
      this.text.appendData(reasoning.slice(this.text.length));
      this.marks.update(this.answer.given ?? []);
    }
    this.node.classList.toggle("live", this.answer.phase === "thinking");
    this.tick(now);
    if (!this.folded && this.answer.text !== "") {
      this.folded = true;
      if (this.mode() === "auto" && !this.touched && this.node.open) {
        this.onFold(this.node.parentElement?.offsetHeight ?? 0);
        this.node.open = false;
      }
    }
  }

  /** The panel is not shown any more. */
  dispose(): void {
    this.marks.clear();
  }

  /** Brings the time up to date. */
  tick(now: number): void {
    const { reasoningMs, reasoningFrom, reasoning } = this.answer;
    if (reasoning === "") return;
    const millis = reasoningMs ?? now - (reasoningFrom ?? now);
    const text = number(Math.max(1, Math.round(millis / 1000)));
    const label = reasoningMs === undefined ? dict().thinking(text) : dict().thought(text);
    write(this.label, label);
    this.body.firstElementChild?.setAttribute("aria-label", label);
  }

  /** Follows a change of the setting. */
  applyMode(): void {
    if (this.mode() === "auto") this.node.open = this.answer.text === "";
    else this.node.open = this.mode() === "open";
  }
}
