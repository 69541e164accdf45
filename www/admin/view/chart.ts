/** Requests and tokens as they were seen from one refresh to the next: columns, and the same figures as a table. */
import { limitOf } from "../format.js";
import { number, t } from "../i18n/index.js";
import type { LimitName, Meter } from "../types.js";
import { h, s } from "../ui.js";

/** Five minutes of refreshes. */
const KEPT = 60;
const WIDTH = 300;
const HEIGHT = 56;

interface Sample {
  at: number;
  requests: number;
  tokens: number;
}

/** A count of the whole key, from the window that is longest, since that one is begun anew least often. */
function counted(meters: readonly Meter[], names: readonly LimitName[]): number {
  for (const name of names) {
    const meter = meters.find((one) => limitOf(one) === name && !one.model && !one.route);
    if (meter) return meter.used;
  }
  return 0;
}

/** What was added between two counts; a window that was begun anew holds only what is new. */
const added = (before: number, after: number): number => (after >= before ? after - before : after);

export class Chart {
  readonly node: HTMLElement;
  private last: { requests: number; tokens: number } | undefined;
  private readonly samples: Sample[] = [];
  private readonly rows = h("tbody");
  private readonly plots: { which: "requests" | "tokens"; columns: SVGElement; sum: HTMLElement }[] = [];
  private readonly time = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "medium" });

  constructor() {
    const plot = (which: "requests" | "tokens", label: string): HTMLElement => {
      const columns = s("g", {});
      const picture = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", class: "columns", "aria-hidden": "true" }, columns);
      const sum = h("span", "chart-sum", number(0));
      this.plots.push({ which, columns, sum });
      return h("figure", "chart", h("figcaption", "", h("span", "", label), sum), picture);
    };
    const head = h("tr", "", ...[t("at"), t("requests"), t("tokens")].map((text) => {
      const cell = h("th", "", text);
      cell.scope = "col";
      return cell;
    }));
    const scroll = h("div", "scroll chart-rows", h("table", "", h("thead", "", head), this.rows));
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", t("chartTable"));
    this.node = h("div", "charts", plot("requests", t("requestsSeen")), plot("tokens", t("tokensSeen")), h("details", "", h("summary", "", t("chartTable")), scroll));
  }

  /** Takes what the meters say at `now`, in milliseconds. */
  feed(meters: readonly Meter[], now: number): void {
    const next = {
      requests: counted(meters, ["requests_per_day", "requests_per_minute"]),
      tokens: counted(meters, ["tokens_per_day", "tokens_per_minute"]),
    };
    const { last } = this;
    this.last = next;
    if (!last) return;
    const sample = { at: now, requests: added(last.requests, next.requests), tokens: added(last.tokens, next.tokens) };
    this.samples.push(sample);
    if (this.samples.length > KEPT) this.samples.shift();
    this.rows.prepend(h("tr", "", h("td", "", this.time.format(now)), h("td", "", number(sample.requests)), h("td", "", number(sample.tokens))));
    while (this.rows.children.length > KEPT) this.rows.lastElementChild?.remove();
    this.draw();
  }

  private draw(): void {
    const step = WIDTH / KEPT;
    for (const { which, columns, sum } of this.plots) {
      const most = Math.max(1, ...this.samples.map((sample) => sample[which]));
      const from = KEPT - this.samples.length;
      columns.replaceChildren(...this.samples.flatMap((sample, index) => {
        const height = (sample[which] / most) * HEIGHT;
        return height === 0 ? [] : [s("rect", { x: String((from + index) * step + 0.5), y: String(HEIGHT - height), width: String(step - 1), height: String(height) })];
      }));
      sum.textContent = number(this.samples.reduce((total, sample) => total + sample[which], 0));
    }
  }
}
