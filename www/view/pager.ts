/** Leafing through the versions of a turn: "1/2" between two arrows, absent while there is only one. */
import { dict, number } from "../i18n/index.js";
import { h, iconButton, show, write } from "./dom.js";

export class Pager {
  readonly node = h("span", "pager");
  private readonly label = h("span", "pager-label");
  private readonly back: HTMLButtonElement;
  private readonly forth: HTMLButtonElement;

  constructor(turn: (step: number) => void) {
    this.back = iconButton("left", "previous", () => turn(-1), "quiet small flip");
    this.forth = iconButton("right", "next", () => turn(1), "quiet small flip");
    this.node.append(this.back, this.label, this.forth);
  }

  /** Shows position `index` (from 0) of `count`. */
  update(index: number, count: number): void {
    show(this.node, count > 1);
    write(this.label, dict().pager(number(index + 1), number(count)));
    this.back.disabled = index === 0;
    this.forth.disabled = index === count - 1;
  }
}
