/** What a gate says while a call is under way, read from its notices. */

/** What is being done about a failure. */
export type NoticeKind = "retried" | "fell_back" | "continued" | "restarted" | "hedged" | "request_changed";

export interface Notice {
  kind: NoticeKind;
  /** Whether the Worker did it, and not the page. */
  inner: boolean;
  /** Why: an error's code. */
  code?: string;
  /** Who answers instead. */
  route?: string;
  model?: string;
  /** When it goes on, in epoch milliseconds. */
  until?: number;
  /** What else there is to say, in the gate's words. */
  detail: string;
}

const KINDS: readonly string[] = ["retried", "fell_back", "continued", "restarted", "hedged", "request_changed"] satisfies NoticeKind[];

/** The notice, if it is about recovery; a Worker's own notices come as `upstream`, with their code before the detail. */
export function noticeOf(code: string, detail: string, now: number): Notice | undefined {
  const inner = code === "upstream";
  let kind = code;
  let words = detail;
  if (inner) {
    const cut = detail.indexOf(": ");
    kind = cut < 0 ? detail : detail.slice(0, cut);
    words = cut < 0 ? "" : detail.slice(cut + 2);
  }
  if (!KINDS.includes(kind)) return undefined;
  const notice: Notice = { kind: kind as NoticeKind, inner, detail: words };
  if (kind === "retried") {
    const [, why, wait] = /^(\w+), after (\d+) ms$/.exec(words) ?? [];
    if (why) notice.code = why;
    if (wait && Number(wait) > 0) notice.until = now + Number(wait);
  } else if (kind === "fell_back") {
    const [, route, model, why] = /^(\S+) (.*): (\w+)$/.exec(words) ?? [];
    if (route) Object.assign(notice, { route, model, code: why });
  } else if (kind === "restarted" && /^\w+$/.test(words)) {
    notice.code = words;
  }
  return notice;
}
