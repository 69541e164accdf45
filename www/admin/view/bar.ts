/** Meters as bars and figures; updated in place, so that nothing moves. */
import { limitOf, meterName, meterText, scopeOf, shareOf } from "../format.js";
import { dict, number, span } from "../i18n/index.js";
import type { Meter } from "../types.js";
import { h, write } from "../ui.js";

/** From this share of a limit on, a bar says so by more than its length. */
const NEAR = 0.9;

export interface Bar {
  node: HTMLElement;
  update(meter: Meter): void;
  /** The countdown to the reset goes on. */
  tick(now: number): void;
}

function gauge(): HTMLMeterElement {
  const node = h("meter", "gauge");
  node.min = 0;
  node.max = 1;
  return node;
}

function fill(node: HTMLMeterElement, meter: Meter): void {
  const share = shareOf(meter);
  node.value = share;
  node.classList.toggle("near", share >= NEAR);
  node.setAttribute("aria-valuetext", meterText(meter));
}

const resetText = (meter: Meter, now: number): string => (meter.resets_at ? dict().resetsIn(span(meter.resets_at - now / 1000)) : "");

/** A row: name, figures, bar, countdown. */
export function bar(first: Meter): Bar {
  let meter = first;
  const figure = h("span", "bar-figure");
  const percent = h("span", "bar-percent");
  const reset = h("span", "bar-reset");
  const level = gauge();
  const scope = scopeOf(meter);
  const title = dict().aboutMeter(meterName(meter), scope);
  level.setAttribute("aria-label", title);
  const node = h("li", "bar-row", h("span", "bar-name", meterName(meter), scope && h("span", "bar-scope", scope)), figure, level, percent, reset);
  node.dataset.limit = limitOf(meter) ?? "";
  const update = (next: Meter): void => {
    meter = next;
    write(figure, meterText(meter));
    const limited = meter.limit !== null && meter.limit !== undefined;
    level.classList.toggle("unlimited", !limited);
    write(percent, limited ? `${number(shareOf(meter) * 100)} %` : "");
    percent.classList.toggle("near", limited && shareOf(meter) >= NEAR);
    fill(level, meter);
  };
  const tick = (now: number): void => write(reset, resetText(meter, now));
  update(first);
  return { node, update, tick };
}

/** A bar alone, for a cell: the words are its name. */
export function smallBar(label: string, meter: Meter | undefined): HTMLElement {
  if (!meter) return h("span", "small-bar none");
  const level = gauge();
  fill(level, meter);
  level.setAttribute("aria-label", label);
  level.title = `${label}: ${meterText(meter)}`;
  return h("span", "small-bar", level, h("span", "small-figure", meterText(meter)));
}
