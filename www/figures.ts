/** The figures of an answer: measured while it streams, the upstream's own once it has said them. */
import { type Answer, PACE_MS } from "./chat.js";

export interface Figures {
  /** To the first token, in milliseconds. */
  firstTokenMs?: number;
  /** From asking to the end, or to now. */
  totalMs: number;
  /** Tokens so far, reasoning included; exact once the usage is known. */
  tokens: number;
  exact: boolean;
  /** Tokens per second since the first one. */
  speed?: number;
}

/** The figures at `now` (epoch milliseconds). */
export function figuresOf(answer: Answer, now: number): Figures {
  const firstTokenMs = answer.timing?.firstTokenMs ?? (answer.firstTokenAt === undefined ? undefined : answer.firstTokenAt - answer.askedAt);
  const totalMs = answer.timing?.totalMs ?? (answer.endedAt ?? now) - answer.askedAt;
  const tokens = answer.usage?.completion_tokens ?? answer.pieces;
  const span = firstTokenMs === undefined ? 0 : totalMs - firstTokenMs;
  // The first token opens the span, so it does not count in it; below a tenth of a second a speed means nothing.
  const speed = span >= 100 && tokens > 1 ? ((tokens - 1) * 1000) / span : undefined;
  return {
    totalMs,
    tokens,
    exact: answer.usage !== undefined,
    ...(firstTokenMs === undefined ? {} : { firstTokenMs }),
    ...(speed === undefined ? {} : { speed }),
  };
}

/** Tokens per second over the answer, at most `points` values. The last quarter of a second counts only when it is over. */
export function paceOf(answer: Answer, points: number): number[] {
  const pace = answer.endedAt === undefined ? answer.pace.slice(0, -1) : answer.pace;
  const width = Math.max(1, Math.ceil(pace.length / points));
  const out: number[] = [];
  for (let from = 0; from < pace.length; from += width) {
    const part = pace.slice(from, from + width);
    out.push((part.reduce((sum, value) => sum + value, 0) * 1000) / (part.length * PACE_MS));
  }
  return out;
}
