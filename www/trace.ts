/**
 * What a call went through, as rows to draw: one for each attempt, and one for each route that was passed over. No DOM, no clock.
 *
 * Two gates may have had a part in it: the one in this page, and the Worker that it asks. Each has its own moments, in milliseconds
 * since its part began; the Worker's are the inner ones, and begin when the page's last request was sent.
 */

/** One thing that happened, as the gate tells it. */
export interface Moment {
  at: number;
  event: string;
  attempt?: number;
  route?: string;
  model?: string;
  /** An error's code, a wait in milliseconds, a field, a way to go on, an outcome: as the event has it. */
  detail?: string;
}

/** The moments of one call: plain data, so that they survive a reload. */
export interface Trace {
  here: Moment[];
  gate: Moment[];
  /** When the page's last request had its response head. */
  headMs?: number;
}

export type SegmentKind = "connect" | "first" | "stream" | "pause";
export type MarkKind = "failed" | "continued" | "repaired" | "refreshed" | "draining";

export interface Segment {
  kind: SegmentKind;
  from: number;
  to: number;
}

export interface Mark {
  kind: MarkKind;
  at: number;
  detail: string;
}

/** How a row ended: with an error's code, with an outcome, given up for a faster one, passed over, or not yet. */
export type RowEnd = "failed" | "ended" | "dropped" | "skipped" | "open";

export interface Row {
  route: string;
  model: string;
  /** Whether the Worker made this attempt, and not the page. */
  inner: boolean;
  hedge: boolean;
  from: number;
  firstToken?: number;
  to: number;
  end: RowEnd;
  /** The code, the outcome, or why it was passed over. */
  detail: string;
  segments: Segment[];
  marks: Mark[];
}

export interface Chart {
  rows: Row[];
  /** The length of the axis, in milliseconds. */
  total: number;
  /** Requests to models: the Worker's where there are any, since the page's own then only led there. */
  attempts: number;
  /** How long nothing was under way, in milliseconds. */
  paused: number;
  /** Who answered, or was asked last. */
  last: Row | undefined;
  /** One attempt and nothing to tell: not worth a chart. */
  quiet: boolean;
}

const isMoment = (value: unknown): value is Moment => {
  const moment = value as Partial<Moment> | null;
  return typeof moment === "object" && moment !== null && typeof moment.at === "number" && Number.isFinite(moment.at) && typeof moment.event === "string";
};
const momentsOf = (value: unknown): Moment[] => (Array.isArray(value) ? value.filter(isMoment) : []);

/** What a reply, or the error of a call, tells of its way. */
export function traceOf(end: object): Trace | undefined {
  const { timeline, upstreamTimeline, timing, partial } = end as {
    timeline?: unknown; upstreamTimeline?: unknown; timing?: { headMs?: number }; partial?: { upstreamTimeline?: unknown; timing?: { headMs?: number } };
  };
  const here = momentsOf(timeline);
  const gate = momentsOf(upstreamTimeline ?? partial?.upstreamTimeline);
  if (here.length === 0 && gate.length === 0) return undefined;
  const headMs = (timing ?? partial?.timing)?.headMs;
  return { here, gate, ...(headMs === undefined ? {} : { headMs }) };
}

/** Moments to rows. `offset` is when they begin on the axis. */
function rowsOf(moments: readonly Moment[], inner: boolean, offset: number): Row[] {
  const rows: Row[] = [];
  const sent = new Map<number, Row>();
  let pause: { row: Row; from: number } | undefined;
  const endPause = (at: number): void => {
    if (pause && at > pause.from) pause.row.segments.push({ kind: "pause", from: pause.from, to: at });
    pause = undefined;
  };
  for (const moment of moments) {
    const at = offset + moment.at;
    const { route = "", model = "", detail = "" } = moment;
    const own = moment.attempt === undefined ? rows.findLast((row) => row.end !== "skipped" && row.route === route) ?? rows.at(-1) : sent.get(moment.attempt);
    switch (moment.event) {
      case "sent": {
        endPause(at);
        const row: Row = { route, model, inner, hedge: false, from: at, to: at, end: "open", detail: "", segments: [], marks: [] };
        if (moment.attempt !== undefined) sent.set(moment.attempt, row);
        rows.push(row);
        break;
      }
      case "skipped":
        rows.push({ route, model, inner, hedge: false, from: at, to: at, end: "skipped", detail, segments: [], marks: [] });
        break;
      case "first_token":
        if (own) own.firstToken = at;
        break;
      case "failed":
      case "dropped":
        if (own) Object.assign(own, { to: at, end: moment.event, detail });
        if (own && moment.event === "failed") own.marks.push({ kind: "failed", at, detail });
        break;
      case "waiting":
        if (own) pause = { row: own, from: at };
        break;
      case "hedged":
        if (own) own.hedge = true;
        break;
      case "continued":
      case "repaired":
      case "refreshed":
      case "draining":
        own?.marks.push({ kind: moment.event, at, detail });
        break;
      case "ended":
        endPause(at);
        for (const row of rows) if (row.end === "open") Object.assign(row, { to: at, end: "ended", detail });
        break;
      default:
    }
  }
  return rows;
}

/** The parts of an attempt's bar, up to where it ended. Connecting is worth a part of its own if it took more than `least`. */
function divide(row: Row, headAt: number | undefined, least: number): void {
  if (row.end === "skipped") return;
  // Of an attempt that went on with an answer, only the call's first token is known, which was another's.
  const unknown = row.end === "ended" && row.marks.some(({ kind }) => kind === "continued") ? row.from : row.to;
  const first = Math.min(row.firstToken ?? unknown, row.to);
  const head = headAt !== undefined && headAt - row.from > least && headAt < first ? headAt : row.from;
  const parts: Segment[] = [
    { kind: "connect", from: row.from, to: head },
    { kind: "first", from: head, to: first },
    { kind: "stream", from: first, to: row.to },
  ];
  row.segments.unshift(...parts.filter(({ from, to }) => to > from));
}

const eventful = (rows: readonly Row[]): boolean =>
  rows.length > 1 || rows.some((row) => row.end === "skipped" || row.marks.some(({ kind }) => kind !== "failed") || row.segments.some(({ kind }) => kind === "pause"));

/** What to draw. */
export function chartOf(trace: Trace): Chart {
  const here = rowsOf(trace.here, false, 0);
  const gate = rowsOf(trace.gate, true, here.findLast((row) => row.end !== "skipped")?.from ?? 0);
  const quiet = !eventful(here) && !eventful(gate);
  // A gate that did nothing remarkable is not worth a row of its own; one attempt at the edge is the page's request.
  const inner = eventful(gate) ? gate : [];
  const rows = [...here, ...inner];
  const total = Math.max(1, ...rows.map((row) => Math.max(row.to, ...row.segments.map(({ to }) => to))));
  const lastHere = here.findLast((row) => row.end !== "skipped");
  // The Worker's last word may come before the end of its last attempt: that lasted as long as the page's request for it.
  for (const row of rows) {
    if (row.end !== "open") continue;
    const page = row.inner ? lastHere : undefined;
    Object.assign(row, { to: Math.max(page?.to ?? total, row.from), ...(page && page.end !== "skipped" ? { end: page.end, detail: page.detail } : {}) });
    if (row.firstToken === undefined && page?.firstToken !== undefined && page.firstToken >= row.from) row.firstToken = page.firstToken;
  }
  for (const row of rows) divide(row, row === lastHere ? trace.headMs : undefined, total / 100);
  const asked = inner.length > 0 ? [...here.filter((row) => row !== lastHere), ...inner] : here;
  const pauses = rows.flatMap((row) => row.segments.filter(({ kind }) => kind === "pause"));
  return {
    rows,
    total,
    attempts: asked.filter((row) => row.end !== "skipped").length,
    paused: pauses.reduce((sum, { from, to }) => sum + to - from, 0),
    last: (gate.length > 0 ? gate : here).findLast((row) => row.end === "ended") ?? asked.findLast((row) => row.end !== "skipped"),
    quiet,
  };
}

/** Where the axis has its marks: at most five steps of 1, 2 or 5 times a power of ten. */
export function ticksOf(total: number): number[] {
  const rough = total / 5;
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? power * 10;
  const ticks: number[] = [];
  for (let at = 0; at <= total; at += step) ticks.push(at);
  return ticks;
}
