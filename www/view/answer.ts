/** An answer: reasoning, Markdown, what went wrong, figures and actions. It reads its turn and keeps nothing else. */
import { type Answer, isLive } from "../chat.js";
import type { Failure } from "../errors.js";
import { dict, name, number, say, t } from "../i18n/index.js";
import type { Hooks } from "../markdown/dom.js";
import { highlightIn, typeset } from "../markdown/enhance.js";
import { markdownEngine } from "../markdown/load.js";
import type { MarkdownStream } from "../markdown/stream.js";
import type { PanelMode } from "../prefs.js";
import { tokensIn } from "../privacy.js";
import { copyFrom } from "./clipboard.js";
import { h, icon, iconButton, show, textButton, write } from "./dom.js";
import { failureRow } from "./failure.js";
import { GivenMarks } from "./marks.js";
import { Pager } from "./pager.js";
import { ReasoningPanel } from "./reasoning.js";
import { SeamMarks } from "./seams.js";
import { statsRow } from "./stats.js";
import { shortModel, StatusLine } from "./status.js";
import { quietLine, traceView } from "./timeline.js";
import { showRaw, Switch } from "./upstream.js";

export interface AnswerActions {
  regenerate(answer: Answer): void;
  /** Asks for the rest of an answer that lacks its end. */
  goOn(answer: Answer): void;
  canGoOn(answer: Answer): boolean;
  leaf(answer: Answer, step: number): void;
  openSettings(): void;
  /** The reader opens or closes something: what they look at must stay where it is. */
  reading(): void;
  panelMode(): PanelMode;
}

const hooks: Hooks = {
  codeBar(language) {
    const label = h("span", "language", language || "text");
    label.dataset.language = language;
    const copy = iconButton("copy", "copyCode", () => {
      void copyFrom(copy, copy.closest("figure")?.querySelector("code")?.textContent ?? "", "copyCode");
    }, "quiet small");
    return h("figcaption", "", label, copy);
  },
  blockedImage(host, alt) {
    const chip = h("span", "blocked-image", icon("cross"), dict().blockedImage(host));
    if (alt) chip.title = alt;
    return chip;
  },
  onMath: typeset,
  onSealed: highlightIn,
};

/** An answer of usual figures: its row, unseen, keeps the room that the real one takes at the end. */
const PLACEHOLDER: Answer = {
  id: 0, parent: 0, children: [], shown: -1, role: "assistant", text: "", model: "", reasoning: "", phase: "done", askedAt: 0,
  firstTokenAt: 100, endedAt: 3_000, pieces: 150, pace: [1, 1, 1, 1, 1], outcome: "complete",
  usage: { prompt_tokens: 100, completion_tokens: 150, total_tokens: 250, completion_tokens_details: { reasoning_tokens: 50 } },
};

export class AnswerView {
  readonly node = h("article", "turn assistant");
  private readonly model = h("span", "model-name");
  private readonly status = new StatusLine();
  private readonly head = h("p", "model", this.model, this.status.node);
  private readonly waiting = h("p", "waiting");
  private readonly prose = h("div", "prose answer");
  private readonly note = h("p", "note");
  private readonly trouble = h("div", "trouble");
  private readonly footer = h("footer", "answer-foot");
  private readonly figures = h("div", "figures");
  private readonly trace = h("div", "trace-room");
  private readonly seams = new SeamMarks(this.prose);
  private readonly given = new GivenMarks(this.prose);
  private readonly raw = h("div", "raw-text upstream-text");
  private readonly text = h("div", "answer-text", this.prose, this.seams.node);
  private readonly turned = new Switch("upstreamWrote", (on) => {
    this.actions.reading();
    show(this.text, !on);
    show(this.raw, on);
    this.showRaw();
  });
  private readonly reasoning: ReasoningPanel;
  private markdown: MarkdownStream | undefined;
  private readonly pager: Pager;
  private taken = 0;
  private settled = false;
  private failure: Failure | undefined;

  constructor(readonly turn: Answer, private readonly actions: AnswerActions) {
    this.node.dataset.id = String(turn.id);
    name(this.node, "answer", false);
    this.node.setAttribute("aria-busy", "true");
    this.footer.classList.add("pending");
    this.note.hidden = true;
    this.waiting.append(h("span", "dots", h("i"), h("i"), h("i")), say(h("span"), "waiting"));
    this.reasoning = new ReasoningPanel(turn, actions.panelMode, actions.reading, (height) => {
      this.node.style.setProperty("--held", `${height}px`);
    });
    this.pager = new Pager((step) => actions.leaf(turn, step));
    const copy = iconButton("copy", "copyAnswer", () => void copyFrom(copy, turn.text, "copyAnswer"), "quiet small copy-answer");
    const again = iconButton("again", "regenerate", () => actions.regenerate(turn), "quiet small regenerate");
    this.figures.append(statsRow(PLACEHOLDER, 0));
    this.trace.append(quietLine(PLACEHOLDER, 0));
    this.trace.classList.add("pending");
    this.footer.append(h("div", "actions", this.pager.node, copy, again, this.turned.node), this.figures);
    this.raw.hidden = this.turned.node.hidden = true;
    this.raw.dir = "auto";
    this.node.append(this.head, this.reasoning.node, this.waiting, this.text, this.raw, this.note, this.trouble, this.footer, this.trace);
  }

  /** Brings everything up to date with the turn, at `now`. */
  update(index: number, count: number, now: number): void {
    this.flush(now);
    this.pager.update(index, count);
    this.showFailure();
  }

  /** Shows what arrived since the last flush; the rest stays untouched. */
  flush(now: number): void {
    const { turn } = this;
    this.showHead(now);
    show(this.waiting, turn.phase === "waiting");
    this.reasoning.update(now);
    this.showSwitch();
    this.showRaw();
    if (!this.showText() || isLive(turn) || this.settled) return;
    this.settled = true;
    this.markdown?.finish();
    this.reasoning.tick(now);
    this.seams.place();
    this.given.update(turn.given ?? [], true);
    this.node.setAttribute("aria-busy", "false");
    // Until now hidden, not absent: the end of the stream must not move anything.
    this.footer.classList.remove("pending");
    this.figures.replaceChildren(statsRow(turn, now));
    // The last thing of the answer: what it takes more than its line moves nothing.
    this.trace.classList.remove("pending");
    this.trace.replaceChildren(traceView(turn, now, this.actions.reading));
    const note = this.noteText();
    show(this.note, note !== "");
    this.note.replaceChildren(note);
    if (!turn.failure && this.actions.canGoOn(turn)) this.note.append(" ", textButton("goOn", () => this.actions.goOn(turn), "go-on"));
    this.showFailure();
  }

  /** The model that was asked, and what is being done about a failure; in the end, who answered instead. */
  private showHead(now: number): void {
    const { turn } = this;
    const { model, answeredBy = "" } = turn;
    // An upstream may give a model's name in a longer or shorter form; another model's is another name.
    const other = answeredBy !== "" && model !== "" && !isLive(turn) && !model.includes(shortModel(answeredBy)) && !answeredBy.includes(shortModel(model));
    write(this.model, other ? `${model} → ${answeredBy}` : model);
    if (this.model.title !== this.model.textContent) this.model.title = this.model.textContent;
    show(this.head, model !== "");
    this.status.update(turn, now);
  }

  /** Shows the text that is new; false while there is nothing to show it with. */
  private showText(): boolean {
    const { text, seams = [] } = this.turn;
    if (text.length === this.taken && seams.length === this.seams.count) return true;
    const engine = markdownEngine();
    if (!engine) return false;
    if (text.length < this.taken) this.forget();
    this.markdown ??= new engine.MarkdownStream(this.prose, hooks);
    // What is rendered up to a seam tells where it is.
    for (const seam of seams.slice(this.seams.count)) {
      this.take(Math.min(seam.at, text.length));
      this.markdown.flush();
      this.seams.add(seam);
    }
    this.take(text.length);
    this.markdown.flush();
    this.seams.place();
    this.given.update(this.turn.given ?? []);
    return true;
  }

  /** The view is not shown any more. */
  dispose(): void {
    this.given.clear();
    this.reasoning.dispose();
  }

  /** The other side: the answer as the upstream wrote it. */
  private showRaw(): void {
    const { raw = "" } = this.turn;
    if (this.turned.on) showRaw(this.raw, raw, tokensIn(raw));
  }

  private showSwitch(): void {
    const { raw, restored = 0, given = [], text } = this.turn;
    show(this.turned.node, raw !== undefined);
    if (isLive(this.turn)) return;
    const labels = given.filter(({ value }) => text.includes(value)).map(({ label }) => label);
    this.turned.say(restored > 0 ? dict().givenCount(restored, number(restored)) : "", restored > 0 && labels.length > 0 ? dict().givenBack(dict().list(labels)) : "");
  }

  private take(end: number): void {
    this.markdown?.push(this.turn.text.slice(this.taken, end));
    this.taken = end;
  }

  /** The answer began anew: what was shown is not part of it. */
  private forget(): void {
    this.prose.replaceChildren();
    this.given.clear();
    this.markdown = undefined;
    this.taken = 0;
  }

  /** Brings the running time up to date. */
  tick(now: number): void {
    this.reasoning.tick(now);
    this.status.update(this.turn, now);
  }

  /** Follows a change of the reasoning setting. */
  applyMode(): void {
    this.reasoning.applyMode();
  }

  /** Gives back the height that was held when the reasoning folded: safe when the reader acts. */
  letGo(): void {
    this.node.style.removeProperty("--held");
  }

  /** The row of the failure at hand, made once: made again it would be spoken again. */
  private showFailure(): void {
    const { turn } = this;
    const failure = turn.failure ?? turn.retryFailure;
    if (failure === this.failure) return;
    this.failure = failure;
    this.trouble.replaceChildren();
    if (!failure) return;
    this.trouble.append(failureRow(failure, turn.failure === undefined, {
      retry: () => this.actions.regenerate(turn),
      ...(turn.failure && this.actions.canGoOn(turn) ? { goOn: () => this.actions.goOn(turn) } : {}),
      openSettings: this.actions.openSettings,
    }));
  }

  private noteText(): string {
    const { turn } = this;
    if (turn.failure) return "";
    if (turn.phase === "stopped") return t("stopped");
    if (turn.outcome === "length") return t("endLength");
    if (turn.outcome === "filtered") return t("endFiltered");
    return turn.text === "" && turn.reasoning !== "" ? t("noAnswer") : "";
  }
}
