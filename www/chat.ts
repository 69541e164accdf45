/**
 * The conversation: a tree of turns, one path of which is shown. No DOM, no clock: `now` is an argument, in epoch milliseconds.
 *
 * Regenerating an answer or editing a question adds a sibling and never overwrites; a regeneration that fails goes back to
 * the answer that it was to replace. Whatever of an answer has arrived is kept, however the answer ends.
 */
import type { Delta, EndDelta, Message, Timing, Usage } from "sluicegate";
import type { Failure } from "./errors.js";
import type { ChosenFault } from "./faults.js";
import { type Notice, noticeOf } from "./notice.js";
import type { Given, Hidden } from "./privacy.js";
import { type Trace, traceOf } from "./trace.js";

/** Where an answer stands. The last three are final. */
export type Phase = "waiting" | "thinking" | "answering" | "done" | "stopped" | "failed";

interface Base {
  readonly id: number;
  readonly parent: number;
  children: number[];
  /** Which child is shown. */
  shown: number;
  text: string;
}

/** A question. */
export interface Question extends Base {
  readonly role: "user";
  /** The text as it went over the wire the last time, and what was hidden in it; missing where nothing is hidden. */
  sent?: string;
  hidden?: Hidden[];
}

/** An answer. */
export interface Answer extends Base {
  readonly role: "assistant";
  /** Empty until the gate's list is there to choose from. */
  model: string;
  reasoning: string;
  phase: Phase;
  readonly askedAt: number;
  firstTokenAt?: number;
  reasoningFrom?: number;
  /** How long the model thought: from its first reasoning to its first word, or to the end. */
  reasoningMs?: number;
  endedAt?: number;
  /** Pieces received, which stand for tokens until the usage is known. */
  pieces: number;
  /** Tokens per quarter of a second since the first one, for the small chart. */
  pace: number[];
  outcome?: string;
  finish?: string | null;
  usage?: Usage;
  timing?: Timing;
  requestId?: string;
  failure?: Failure;
  /** Why a later regeneration of this answer failed. */
  retryFailure?: Failure;
  /** A reply with tool calls has to go back whole, reasoning included. */
  replay?: Message;
  /** The answer that this one was asked to replace. */
  readonly replaces?: number;
  /** What was done last about a failure, while the call is under way. */
  notice?: Notice;
  /** Where another attempt went on with the text. */
  seams?: Seam[];
  trace?: Trace;
  /** The model that answered in the end. */
  answeredBy?: string;
  /** The text as the upstream wrote it, with its tokens. */
  raw?: string;
  /** What the tokens of the request stood for. It is kept as the conversation is, in which it stands anyway. */
  given?: Given[];
  /** How many tokens were given back in it. */
  restored?: number;
  /** The misbehaviour that was asked for. */
  readonly fault?: ChosenFault;
  /** What an answer that goes on at the reader's wish had come to before. */
  before?: { timing?: Timing; usage?: Usage; text: number };
}

/** A place in an answer's text at which one attempt ended and another went on. */
export interface Seam {
  /** In UTF-16 units from the start. */
  at: number;
  /** What led there, in order; none if the reader asked to go on. */
  notices: Notice[];
}

export type Turn = Question | Answer;

const ROOT = 0;
/** The chart's resolution, and its bound: five minutes. */
export const PACE_MS = 250;
const PACE_MAX = 1_200;

/** Tokens in a piece of text, roughly: one per CJK character or per four others. */
export function roughTokens(text: string): number {
  let wide = 0;
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) >= 0x2e80) wide += 1;
  return Math.max(1, Math.round(wide * 0.7 + (text.length - wide) / 4));
}

export const isLive = (turn: Turn): boolean =>
  turn.role === "assistant" && (turn.phase === "waiting" || turn.phase === "thinking" || turn.phase === "answering");

/** The figures of both parts of an answer that went on at the reader's wish: what each took, and the first token of the first. */
function withBefore(before: Answer["before"], { usage, reply: { timing } }: EndDelta): { timing: Timing; usage: Usage | undefined } {
  const earlier = before?.timing;
  const both = earlier ? { ...earlier, totalMs: earlier.totalMs + timing.totalMs } : timing;
  const first = before?.usage;
  if (!usage || !first) return { timing: both, usage: usage ?? first };
  return {
    timing: both,
    usage: {
      prompt_tokens: first.prompt_tokens + usage.prompt_tokens,
      completion_tokens: first.completion_tokens + usage.completion_tokens,
      total_tokens: first.total_tokens + usage.total_tokens,
    },
  };
}

/** One conversation. */
export class Chat {
  private readonly turns = new Map<number, Turn>();
  private readonly root: Base = { id: ROOT, parent: -1, children: [], shown: -1, text: "" };
  private lastId = ROOT;

  /** The turns that are shown, first to last. */
  path(): Turn[] {
    const path: Turn[] = [];
    for (let at = this.turns.get(this.root.shown); at; at = this.turns.get(at.shown)) path.push(at);
    return path;
  }

  get(id: number): Turn | undefined {
    return this.turns.get(id);
  }

  /** The versions of a turn, itself included, oldest first. */
  siblings(turn: Turn): readonly number[] {
    return this.base(turn.parent).children;
  }

  /** A question at the end of the shown path, and its answer to be. */
  ask(text: string, model: string, now: number, fault?: ChosenFault): Answer {
    const parent = this.path().at(-1)?.id ?? ROOT;
    return this.addAnswer(this.addQuestion(parent, text).id, model, now, fault);
  }

  /** The question anew, beside the old one, which stays. */
  edit(question: Question, text: string, model: string, now: number, fault?: ChosenFault): Answer {
    return this.addAnswer(this.addQuestion(question.parent, text).id, model, now, fault);
  }

  /** Another answer to the same question. */
  regenerate(answer: Answer, model: string, now: number, fault?: ChosenFault): Answer {
    delete answer.retryFailure;
    return this.addAnswer(answer.parent, model, now, fault, answer.id);
  }

  /** Whether the rest of an answer can be asked for: it lacks its end, and nothing has been said behind it. */
  canGoOn(answer: Answer): boolean {
    return !isLive(answer) && answer.text !== "" && answer.children.length === 0 && (answer.outcome === "length" || answer.phase === "failed");
  }

  /** Goes on with an answer that lacks its end: what comes is joined to it. */
  goOn(answer: Answer): void {
    const { timing, usage } = answer;
    answer.before = { text: answer.text.length, ...(timing ? { timing } : {}), ...(usage ? { usage } : {}) };
    (answer.seams ??= []).push({ at: answer.text.length, notices: [] });
    answer.phase = "answering";
    delete answer.endedAt;
    delete answer.failure;
    delete answer.retryFailure;
    delete answer.outcome;
    delete answer.notice;
    delete answer.timing;
    delete answer.usage;
  }

  /** Shows another version of a turn; `step` is -1 or 1. */
  turnTo(turn: Turn, step: number): void {
    const versions = this.siblings(turn);
    const next = versions[versions.indexOf(turn.id) + step];
    if (next !== undefined) this.base(turn.parent).shown = next;
  }

  /**
   * What to send for an answer: the path before it, and, to go on with it, what it has said already and the wish for the rest. Reasoning
   * is left out unless the turn called tools.
   */
  messages(answer: Answer, system: string, goOn = ""): Message[] {
    const messages: Message[] = [];
    if (answer.before) messages.push({ role: "user", content: goOn }, { role: "assistant", content: answer.text });
    for (let at = this.turns.get(answer.parent); at; at = this.turns.get(at.parent)) {
      if (at.role === "user") messages.push({ role: "user", content: at.text });
      else if (at.replay) messages.push(at.replay);
      else if (at.text) messages.push({ role: "assistant", content: at.text });
    }
    if (system.trim()) messages.push({ role: "system", content: system });
    return messages.reverse();
  }

  /** Takes one piece of an answer. */
  apply(answer: Answer, delta: Delta, now: number): void {
    switch (delta.type) {
      case "reasoning":
        if (delta.choice !== 0) return;
        this.count(answer, delta.text, now);
        // The thoughts of one attempt, and of the next.
        if (answer.before && answer.text.length === answer.before.text && answer.reasoningMs !== undefined) {
          if (answer.reasoning !== "") answer.reasoning += "\n\n";
          delete answer.reasoningMs;
          answer.reasoningFrom = now;
        }
        answer.reasoning += delta.text;
        answer.reasoningFrom ??= now;
        if (answer.phase === "waiting") answer.phase = "thinking";
        return;
      case "text":
      case "refusal":
        if (delta.choice !== 0 || delta.text === "") return;
        this.count(answer, delta.text, now);
        this.endReasoning(answer, now);
        answer.text += delta.text;
        answer.phase = "answering";
        return;
      case "notice":
        this.note(answer, noticeOf(delta.code, delta.detail, now));
        return;
      case "end":
        this.finish(answer, delta, now);
        return;
      default:
    }
  }

  private note(answer: Answer, notice: Notice | undefined): void {
    if (!notice) return;
    answer.notice = notice;
    if (notice.kind === "request_changed" || notice.kind === "hedged") return;
    if (notice.kind === "restarted") {
      answer.text = "";
      delete answer.raw;
      delete answer.seams;
    }
    const last = answer.seams?.at(-1);
    // How it was joined is told behind the words that it joined; an answer that broke off in its reasoning has no seam in its text.
    if (notice.kind === "continued") last?.notices.push(notice);
    else if (last?.at === answer.text.length) last.notices.push(notice);
    else if (answer.text !== "") (answer.seams ??= []).push({ at: answer.text.length, notices: [notice] });
  }

  /** The user stopped it: what arrived is the answer. */
  stop(answer: Answer, now: number): void {
    this.close(answer, "stopped", now);
    answer.outcome = "aborted";
  }

  /** It failed. Gives the answer to show now: the one that it was to replace, if that one was good. */
  fail(answer: Answer, failure: Failure, now: number, trace?: Trace): Answer {
    this.close(answer, "failed", now);
    answer.failure = failure;
    if (trace) answer.trace = trace;
    if (failure.requestId) answer.requestId = failure.requestId;
    const old = answer.replaces === undefined || answer.before ? undefined : this.turns.get(answer.replaces);
    if (old?.role !== "assistant") return answer;
    const parent = this.base(answer.parent);
    const worthless = answer.text === "" && answer.reasoning === "";
    if (old.phase === "failed") {
      if (worthless) {
        this.remove(answer);
        parent.shown = old.id;
        old.failure = failure;
        return old;
      }
      return answer;
    }
    if (worthless) this.remove(answer);
    parent.shown = old.id;
    old.retryFailure = failure;
    return old;
  }

  /** Plain data, for the tab's storage. An answer under way is kept as stopped. */
  save(now: number): unknown {
    const turns = [...this.turns.values()].map((turn) => {
      if (!isLive(turn) || turn.role !== "assistant") return turn;
      const copy = { ...turn };
      this.close(copy, "stopped", now);
      return { ...copy, outcome: "aborted" };
    });
    return { version: 1, shown: this.root.shown, children: this.root.children, turns };
  }

  /** The conversation that `save` gave; an empty one, if it is of another version or damaged. */
  static load(data: unknown): Chat {
    const chat = new Chat();
    const saved = data as { version?: unknown; shown: number; children: number[]; turns: Turn[] } | null;
    if (saved?.version !== 1 || !Array.isArray(saved.turns)) return chat;
    for (const turn of saved.turns) {
      chat.turns.set(turn.id, turn);
      chat.lastId = Math.max(chat.lastId, turn.id);
    }
    chat.root.children = saved.children.filter((id) => chat.turns.has(id));
    chat.root.shown = saved.shown;
    return chat;
  }

  private base(id: number): Base {
    return this.turns.get(id) ?? this.root;
  }

  private add(turn: Turn): void {
    const parent = this.base(turn.parent);
    parent.children.push(turn.id);
    parent.shown = turn.id;
    this.turns.set(turn.id, turn);
  }

  private remove(turn: Turn): void {
    const parent = this.base(turn.parent);
    parent.children = parent.children.filter((id) => id !== turn.id);
    this.turns.delete(turn.id);
  }

  private addQuestion(parent: number, text: string): Question {
    const turn: Question = { id: (this.lastId += 1), parent, role: "user", children: [], shown: -1, text };
    this.add(turn);
    return turn;
  }

  private addAnswer(parent: number, model: string, now: number, fault?: ChosenFault, replaces?: number): Answer {
    const turn: Answer = {
      id: (this.lastId += 1), parent, role: "assistant", children: [], shown: -1, text: "", reasoning: "", model,
      phase: "waiting", askedAt: now, pieces: 0, pace: [], ...(replaces === undefined ? {} : { replaces }),
      ...(fault ? { fault } : {}),
    };
    this.add(turn);
    return turn;
  }

  private count(answer: Answer, text: string, now: number): void {
    answer.firstTokenAt ??= now;
    // One piece is one token, unless pieces were joined on the way.
    const tokens = text.length > 16 ? roughTokens(text) : 1;
    answer.pieces += tokens;
    const slot = Math.floor((now - answer.firstTokenAt) / PACE_MS);
    if (slot >= PACE_MAX) return;
    while (answer.pace.length <= slot) answer.pace.push(0);
    answer.pace[slot] = (answer.pace[slot] ?? 0) + tokens;
  }

  private endReasoning(answer: Answer, now: number): void {
    if (answer.reasoningFrom !== undefined) answer.reasoningMs ??= Math.max(1, now - answer.reasoningFrom);
  }

  private close(answer: Answer, phase: Phase, now: number): void {
    this.endReasoning(answer, now);
    delete answer.notice;
    answer.phase = phase;
    answer.endedAt = now;
  }

  private finish(answer: Answer, end: EndDelta, now: number): void {
    this.close(answer, end.outcome === "aborted" ? "stopped" : "done", now);
    answer.outcome = end.outcome;
    answer.finish = end.finish_reason;
    const { timing, usage } = withBefore(answer.before, end);
    if (usage) answer.usage = usage;
    answer.timing = timing;
    answer.answeredBy = end.reply.model;
    if (end.reply.redaction) answer.restored = (answer.restored ?? 0) + end.reply.redaction.restored;
    const trace = traceOf(end.reply);
    if (trace) answer.trace = trace;
    if (end.reply.requestId) answer.requestId = end.reply.requestId;
    if (end.reply.tool_calls.length > 0) answer.replay = end.reply.message;
  }
}
