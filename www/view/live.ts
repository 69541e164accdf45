/** The line above the composer: how to send, or, while an answer comes, its figures. It keeps its height, and nothing moves. */
import type { Answer } from "../chat.js";
import { figuresOf, paceOf } from "../figures.js";
import { dict, number, seconds, t } from "../i18n/index.js";
import { h, show, write } from "./dom.js";
import { Spark, SPARK_POINTS } from "./spark.js";

export class LiveLine {
  private readonly state = h("span", "state");
  private readonly time = h("span", "figure");
  private readonly tokens = h("span", "figure live-tokens");
  private readonly speed = h("span", "figure live-speed");
  private readonly spark = new Spark();
  private readonly figures = h("div", "live-figures", h("span", "pulse"), this.state, this.time, this.tokens, this.speed, this.spark.node);

  constructor(root: HTMLElement, private readonly hint: HTMLElement) {
    root.append(this.figures);
    this.figures.setAttribute("aria-hidden", "true");
    show(this.figures, false);
  }

  /** Shows the figures of `answer` at `now`, or the hint. */
  update(answer: Answer | undefined, now: number): void {
    show(this.figures, answer !== undefined);
    show(this.hint, answer === undefined);
    if (!answer) return;
    const figures = figuresOf(answer, now);
    const thinking = answer.phase === "thinking" && answer.reasoningFrom !== undefined;
    write(this.state, answer.phase === "waiting" ? t("waiting")
      : thinking ? dict().thinking(number(Math.max(1, Math.round((now - (answer.reasoningFrom ?? now)) / 1000))))
      : t("answer"));
    write(this.time, seconds(Math.floor(figures.totalMs / 100) * 100));
    write(this.tokens, figures.tokens > 0 ? `≈ ${dict().tokens(figures.tokens, number(figures.tokens))}` : "");
    write(this.speed, figures.speed === undefined ? "" : dict().perSecond(number(figures.speed)));
    this.spark.draw(paceOf(answer, SPARK_POINTS));
  }
}
