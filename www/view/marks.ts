/**
 * Coloured ranges of text that is already there, by the CSS Custom Highlight API: no element is added, so nothing moves and nothing that
 * renders the text has to know. Where the browser has no such interface there are no marks; lists say the same.
 */
import type { Given } from "../privacy.js";
import { dict } from "../i18n/index.js";
import { hideTip, showTip } from "./tip.js";

export type MarkName = "will-hide" | "will-stop" | "given-back" | "was-hidden";

const supported = typeof Highlight === "function" && "highlights" in CSS;

function highlight(name: MarkName): Highlight | undefined {
  if (!supported) return undefined;
  const known = CSS.highlights.get(name);
  if (known) return known;
  const made = new Highlight();
  CSS.highlights.set(name, made);
  return made;
}

/** Marks in one place, each with what it says to the pointer over `surface`. */
export class Marks {
  private readonly marks = new Map<Range, { name: MarkName; text: () => string }>();
  private asked = 0;

  constructor(surface: HTMLElement) {
    surface.addEventListener("pointermove", ({ clientX, clientY }) => {
      cancelAnimationFrame(this.asked);
      if (this.marks.size > 0) this.asked = requestAnimationFrame(() => this.point(clientX, clientY));
    });
    surface.addEventListener("pointerleave", () => {
      cancelAnimationFrame(this.asked);
      if (this.marks.size > 0) hideTip();
    });
  }

  add(name: MarkName, range: Range, text: () => string): void {
    this.marks.set(range, { name, text });
    highlight(name)?.add(range);
  }

  delete(range: Range): void {
    const mark = this.marks.get(range);
    if (!mark) return;
    highlight(mark.name)?.delete(range);
    this.marks.delete(range);
  }

  clear(): void {
    for (const range of [...this.marks.keys()]) this.delete(range);
  }

  private point(x: number, y: number): void {
    for (const [range, { text }] of this.marks) {
      for (const rect of range.getClientRects()) {
        if (x < rect.left || x > rect.right || y < rect.top || y > rect.bottom) continue;
        showTip(rect, text());
        return;
      }
    }
    hideTip();
  }
}

/** Puts a mark on part of a text node. */
export function markText(marks: Marks, name: MarkName, node: Text, start: number, end: number, text: () => string): Range {
  const range = document.createRange();
  range.setStart(node, Math.min(start, node.length));
  range.setEnd(node, Math.min(end, node.length));
  marks.add(name, range, text);
  return range;
}

/** Blocks at the end that more of the answer can change. */
const OPEN_BLOCKS = 2;

/** Marks on what was given back in an answer that grows. Blocks that cannot change any more are looked at once. */
export class GivenMarks {
  private readonly marks: Marks;
  private readonly byBlock = new Map<Node, Range[]>();
  private looked = 0;

  constructor(private readonly root: HTMLElement) {
    this.marks = new Marks(root);
  }

  /** Looks at what is new; with `all`, at everything. */
  update(given: readonly Given[], all = false): void {
    if (given.length === 0) return;
    const blocks = [...this.root.childNodes];
    const from = all ? 0 : Math.max(0, Math.min(this.looked, blocks.length) - OPEN_BLOCKS);
    for (const [block, ranges] of this.byBlock) {
      if (!all && block.parentNode === this.root && !blocks.includes(block as ChildNode, from)) continue;
      for (const range of ranges) this.marks.delete(range);
      this.byBlock.delete(block);
    }
    for (const block of blocks.slice(from)) this.byBlock.set(block, this.mark(block, given));
    this.looked = blocks.length;
  }

  clear(): void {
    this.marks.clear();
    this.byBlock.clear();
    this.looked = 0;
  }

  private mark(block: Node, given: readonly Given[]): Range[] {
    const ranges: Range[] = [];
    const texts = document.createNodeIterator(block, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode() as Text | null; node; node = texts.nextNode() as Text | null) {
      for (const { label, value } of given) {
        for (let at = node.data.indexOf(value); at >= 0 && value !== ""; at = node.data.indexOf(value, at + value.length)) {
          ranges.push(markText(this.marks, "given-back", node, at, at + value.length, () => dict().givenBack(label)));
        }
      }
    }
    return ranges;
  }
}
