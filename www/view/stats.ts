/** The figures below a finished answer. */
import type { Answer } from "../chat.js";
import { figuresOf, paceOf } from "../figures.js";
import { dict, name, number, seconds, t, type TextKey } from "../i18n/index.js";
import { h } from "./dom.js";
import { Spark, SPARK_POINTS } from "./spark.js";

/** Makes the row anew; it is small, and made only at the end and on a change of language. */
export function statsRow(answer: Answer, now: number): HTMLElement {
  const figures = figuresOf(answer, now);
  const list = h("dl", "stats");
  name(list, "statsLabel", false);
  const add = (key: TextKey, value: string, hint = ""): void => {
    // A value that carries its unit needs its name only where it is read aloud.
    const term = h("dt", key === "speed" || key === "duration" || key === "ended" ? "unseen" : "", t(key));
    const entry = h("div", "", term, h("dd", "", value));
    entry.dataset.figure = key;
    if (hint) entry.title = hint;
    list.append(entry);
  };
  if (figures.firstTokenMs !== undefined) add("ttft", seconds(figures.firstTokenMs));
  if (figures.speed !== undefined) add("speed", dict().perSecond(number(figures.speed, figures.speed < 10 ? 1 : 0)));
  add("duration", seconds(figures.totalMs));
  const usage = answer.usage;
  if (usage) {
    const reasoning = usage.completion_tokens_details?.reasoning_tokens;
    const cached = usage.prompt_tokens_details?.cached_tokens;
    add("tokensIn", number(usage.prompt_tokens));
    add("tokensOut", number(usage.completion_tokens));
    if (reasoning) add("tokensReasoning", number(reasoning));
    if (cached) add("tokensCached", number(cached));
  } else if (figures.tokens > 0) {
    add("tokensOut", `≈ ${number(figures.tokens)}`);
  }
  const outcome = answer.failure ? answer.failure.code : dict().outcomes[answer.outcome ?? ""] ?? answer.outcome ?? "";
  if (outcome) add("ended", outcome, answer.finish ? `finish_reason: ${answer.finish}` : "");
  const pace = paceOf(answer, SPARK_POINTS);
  if (pace.length > 3) {
    const spark = new Spark();
    spark.draw(pace);
    list.append(h("div", "spark-cell", spark.node));
  }
  return list;
}
