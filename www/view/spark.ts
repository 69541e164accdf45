/** A line of the tokens per second, in SVG: its colour is the text's, so a theme needs no redraw. */
import { dict, name, number } from "../i18n/index.js";
import { h, s } from "./dom.js";

const WIDTH = 96;
const HEIGHT = 20;
/** How many points the line has at most. */
export const SPARK_POINTS = 48;

export class Spark {
  readonly node = h("span", "spark");
  private readonly line = s("polyline", { fill: "none", points: "" });
  private readonly area = s("polygon", { points: "" });

  constructor() {
    const svg = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: `${WIDTH}`, height: `${HEIGHT}`, preserveAspectRatio: "none", role: "img" }, this.area, this.line);
    name(svg, "speedChart", false);
    this.node.append(svg);
  }

  /** Draws the values, oldest at the start. */
  draw(values: readonly number[]): void {
    const usable = values.length > 1;
    this.node.classList.toggle("empty", !usable);
    if (!usable) return;
    const top = Math.max(...values, 1);
    const points = values.map((value, index) => {
      const x = (index * WIDTH) / (values.length - 1);
      const y = HEIGHT - 1.5 - (value / top) * (HEIGHT - 3);
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    }).join(" ");
    this.line.setAttribute("points", points);
    this.area.setAttribute("points", `0,${HEIGHT} ${points} ${WIDTH},${HEIGHT}`);
    this.node.title = dict().perSecond(number(top));
  }
}
