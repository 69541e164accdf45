/**
 * What a call went through, below its answer: a line, where there is nothing to tell; else a row for each attempt on one axis, and the
 * same as a table. Made once, at the end; colours are the style sheet's, so a theme needs no redraw.
 */
import type { Answer } from "../chat.js";
import { isKnown } from "../errors.js";
import { figuresOf } from "../figures.js";
import { currentLanguage, dict, name, number, say, seconds, t, type TextKey } from "../i18n/index.js";
import { type Chart, chartOf, type Mark, type Row, ticksOf } from "../trace.js";
import { h } from "./dom.js";
import { shortModel } from "./status.js";

const SEGMENT_KEYS = { connect: "keyConnect", first: "keyFirst", stream: "keyStream", pause: "keyPause" } as const satisfies Record<string, TextKey>;
const MARK_KEYS = {
  failed: "keyFailed", continued: "keyContinued", repaired: "keyRepaired", refreshed: "keyRefreshed", draining: "keyDraining",
} as const satisfies Record<string, TextKey>;
/** Of the kinds that happen, in the order of the legend. */
const LEGEND = ["connect", "first", "stream", "pause"] as const;

/** A span of time, as short as it can be said. */
const span = (millis: number): string => (millis < 1000 ? dict().milliseconds(number(Math.round(millis))) : seconds(millis));

const meaning = (code: string): string => (isKnown(code) ? dict().errors[code][0] : dict().skips[code] ?? code);

/** A failure without a trace, say one of an older gate, still has its line. */
export function quietLine(answer: Answer, now: number): HTMLElement {
  const { firstTokenMs, totalMs } = figuresOf(answer, now);
  return h("p", "trace-quiet", dict().quietTrace(firstTokenMs === undefined ? undefined : span(firstTokenMs), span(totalMs)));
}

/** Makes what stands below the answer. */
export function traceView(answer: Answer, now: number, onToggle: () => void): HTMLElement {
  const chart = answer.trace && chartOf(answer.trace);
  if (!chart || (chart.quiet && !answer.fault)) return quietLine(answer, now);
  const figure = h("figure", "trace");
  name(figure, "traceLabel", false);
  if (answer.fault) figure.append(compared(answer, chart));
  if (chart.quiet) {
    figure.append(quietLine(answer, now));
    return figure;
  }
  // The words that ask for the fault stand above the answer, and beside the menus: a name is enough here.
  const words = answer.fault && `+${answer.fault.words}`;
  if (words) for (const row of chart.rows) row.model = row.model.replace(words, "");
  const answered = answer.failure ? undefined : placeOf(chart.last);
  figure.append(h("figcaption", "trace-summary", dict().traceSummary(chart.attempts, number(chart.attempts), chart.paused >= 1 ? span(chart.paused) : undefined, answered)));
  figure.append(drawing(chart), legend(chart), table(chart, onToggle));
  return figure;
}

const placeOf = (row: Row | undefined): string | undefined => {
  if (!row || (!row.route && !row.model)) return undefined;
  return [shortModel(row.model), row.route && `(${row.route})`].filter(Boolean).join(" ");
};

/** What a client without recovery would have seen, beside what happened here. */
function compared(answer: Answer, chart: Chart): HTMLElement {
  const { fault } = answer;
  const language = currentLanguage();
  const whole = answer.outcome === "complete" || answer.outcome === "tool_calls";
  const happened = answer.failure ? meaning(answer.failure.code)
    : whole ? dict().whole(chart.attempts, number(chart.attempts))
    : answer.outcome === "length" ? dict().partial
    : dict().outcomes[answer.outcome ?? ""] ?? answer.outcome ?? "";
  return h("dl", "compared",
    h("div", "", say(h("dt"), "without"), h("dd", "", fault?.sees[language] ?? "")),
    h("div", answer.failure ? "bad" : "good", say(h("dt"), "here"), h("dd", "", happened)),
  );
}

const part = (at: number, total: number): string => `${((100 * at) / total).toFixed(2)}%`;

function drawing(chart: Chart): HTMLElement {
  const rows = h("div", "trace-rows");
  rows.setAttribute("aria-hidden", "true");
  let wasInner = false;
  const isMixed = chart.rows.some(({ inner }) => inner) && chart.rows.some(({ inner }) => !inner);
  for (const row of chart.rows) {
    if (row.inner && !wasInner && isMixed) rows.append(say(h("div", "trace-part"), "traceGate"));
    wasInner = row.inner;
    rows.append(drawnRow(row, chart.total, isMixed));
  }
  const scale = h("div", "trace-scale");
  for (const at of ticksOf(chart.total)) {
    const tick = h("span", "tick", chart.total < 2_000 ? dict().milliseconds(number(at)) : dict().seconds(number(at / 1000, chart.total < 5_000 ? 1 : 0)));
    tick.style.setProperty("inset-inline-start", part(at, chart.total));
    scale.append(tick);
  }
  rows.append(h("div", "trace-row axis", h("span", "trace-name"), scale, h("span", "trace-end")));
  return rows;
}

function nameOf(row: Row, isMixed: boolean): HTMLElement {
  // Behind the page's own request is a gate: its address says nothing.
  if (!row.inner && isMixed) return say(h("span", "trace-name"), "traceHere");
  const node = h("span", "trace-name", h("span", "trace-model", shortModel(row.model) || row.route), row.model && row.route ? h("span", "trace-route", row.route) : null);
  node.title = [row.route, row.model].filter(Boolean).join(" · ");
  return node;
}

function drawnRow(row: Row, total: number, isMixed: boolean): HTMLElement {
  const track = h("span", "trace-track");
  for (const segment of row.segments) {
    const bar = h("span", `segment ${segment.kind}`);
    bar.style.setProperty("inset-inline-start", part(segment.from, total));
    bar.style.setProperty("inline-size", part(segment.to - segment.from, total));
    bar.title = `${t(SEGMENT_KEYS[segment.kind])}: ${span(segment.to - segment.from)}`;
    track.append(bar);
  }
  for (const mark of row.marks) track.append(drawnMark(mark.kind, mark.at, total, markText(mark)));
  if (row.end === "skipped") track.append(drawnMark("skipped", row.from, total, endText(row)));
  const end = h("span", `trace-end ${row.end}`, row.end === "failed" || row.end === "skipped" ? row.detail : row.end === "dropped" ? t("dropped") : span(row.to - row.from));
  end.title = endText(row);
  return h("div", `trace-row ${row.end}${row.inner ? " inner" : ""}`, nameOf(row, isMixed), track, end);
}

function drawnMark(kind: string, at: number, total: number, text: string): HTMLElement {
  const node = h("span", `mark ${kind}`);
  node.style.setProperty("inset-inline-start", part(at, total));
  node.title = text;
  return node;
}

function markText(mark: Mark): string {
  const detail = mark.kind === "failed" ? `${mark.detail}: ${meaning(mark.detail)}` : mark.kind === "continued" ? dict().ways[mark.detail] ?? mark.detail : mark.detail;
  return detail ? `${t(MARK_KEYS[mark.kind])}: ${detail}` : t(MARK_KEYS[mark.kind]);
}

function endText(row: Row): string {
  if (row.end === "failed") return `${row.detail}: ${meaning(row.detail)}`;
  if (row.end === "skipped") return `${t("keySkipped")}: ${meaning(row.detail)}`;
  if (row.end === "dropped") return t("dropped");
  return dict().outcomes[row.detail] ?? row.detail;
}

function legend(chart: Chart): HTMLElement {
  const list = h("p", "legend");
  list.setAttribute("aria-hidden", "true");
  for (const kind of LEGEND) {
    if (chart.rows.some((row) => row.segments.some((segment) => segment.kind === kind))) list.append(h("span", "", h("i", `segment ${kind}`), t(SEGMENT_KEYS[kind])));
  }
  for (const kind of Object.keys(MARK_KEYS) as (keyof typeof MARK_KEYS)[]) {
    if (chart.rows.some((row) => row.marks.some((mark) => mark.kind === kind))) list.append(h("span", "", h("i", `mark ${kind}`), t(MARK_KEYS[kind])));
  }
  if (chart.rows.some(({ end }) => end === "skipped")) list.append(h("span", "", h("i", "mark skipped"), t("keySkipped")));
  return list;
}

const COLUMNS = ["columnPlace", "columnModel", "columnStart", "columnFirst", "columnEnd", "columnResult", "columnThen"] as const satisfies TextKey[];

/** The same in words, for whoever does not see the chart, or wants the figures. */
function table(chart: Chart, onToggle: () => void): HTMLElement {
  const body = h("tbody");
  for (const row of chart.rows) {
    const also = [
      row.hedge && t("hedge"),
      ...row.marks.filter(({ kind }) => kind !== "failed").map(markText),
      ...row.segments.filter(({ kind }) => kind === "pause").map(({ from, to }) => `${t("keyPause")}: ${span(to - from)}`),
    ].filter(Boolean).join("; ");
    const cells = [
      row.route || t("traceHere"), row.model, span(row.from), row.firstToken === undefined ? t("noToken") : span(row.firstToken), span(row.to), endText(row), also,
    ];
    const line = h("tr", row.inner ? "inner" : "");
    for (const [index, cell] of cells.entries()) {
      const node = h(index === 0 ? "th" : "td", "", cell);
      if (index === 0) node.setAttribute("scope", "row");
      line.append(node);
    }
    body.append(line);
  }
  const head = h("tr");
  for (const key of COLUMNS) {
    const cell = h("th", "", t(key));
    cell.scope = "col";
    head.append(cell);
  }
  const caption = say(h("caption", "unseen"), "traceLabel");
  const scroll = h("div", "trace-scroll", h("table", "", caption, h("thead", "", head), body));
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "group");
  name(scroll, "traceLabel", false);
  const summary = say(h("summary"), "traceTable");
  summary.addEventListener("click", onToggle);
  return h("details", "trace-table", summary, scroll);
}
