/**
 * Marks at the seams of an answer's text: where one attempt ended and another went on. They lie over the text and are no part of it, so
 * that nothing of them is copied, selected or in the way of the Markdown.
 *
 * A seam's place is kept as the number of letters and digits before it in the rendered text: marks that turn into bold or a list when
 * later text completes them do not count, so the place stays right.
 */
import type { Seam } from "../chat.js";
import { dict, t } from "../i18n/index.js";
import { h } from "./dom.js";
import { noticeText } from "./status.js";

/** What is rendered late, or is no text of the answer. */
const APART = "figcaption, .math, .blocked-image";
const LETTER = /[\p{L}\p{N}]/gu;

function* textsOf(root: Node): Generator<Text> {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, (node) =>
    node instanceof Element && node.matches(APART) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
  while (walker.nextNode()) if (walker.currentNode instanceof Text) yield walker.currentNode;
}

const countLetters = (text: string): number => text.match(LETTER)?.length ?? 0;

/** The end of the letter with this number, from 1, as a range around it. */
function letterAt(root: Node, wanted: number): Range | undefined {
  let before = 0;
  for (const text of textsOf(root)) {
    const letters = countLetters(text.data);
    if (before + letters < wanted) {
      before += letters;
      continue;
    }
    for (const found of text.data.matchAll(LETTER)) {
      before += 1;
      if (before < wanted) continue;
      const range = document.createRange();
      range.setStart(text, found.index);
      range.setEnd(text, found.index + found[0].length);
      return range;
    }
  }
  return undefined;
}

/** What a seam says to whoever asks. */
function seamText(seam: Seam): string {
  if (seam.notices.length === 0) return t("goesOnAsked");
  const said = seam.notices.map((notice) =>
    // Long after the wait: no countdown.
    notice.kind === "continued" ? dict().joins[notice.detail] ?? notice.detail : noticeText(notice, Infinity));
  return [t("goesOnCut"), ...said].join("\n");
}

export class SeamMarks {
  readonly node = h("div", "seams");
  private readonly marks: { seam: Seam; letters: number; button: HTMLButtonElement; tip: HTMLElement; said: number }[] = [];

  constructor(private readonly prose: HTMLElement) {
    new ResizeObserver(() => this.place()).observe(prose);
  }

  /** How many seams have their mark. */
  get count(): number {
    return this.marks.length;
  }

  /** Marks the end of what is shown now as the place of `seam`. */
  add(seam: Seam): void {
    let letters = 0;
    for (const text of textsOf(this.prose)) letters += countLetters(text.data);
    const button = h("button", "seam");
    button.type = "button";
    const tip = h("span", "seam-tip");
    button.append(tip);
    this.marks.push({ seam, letters, button, tip, said: -1 });
    this.node.append(button);
  }

  /** Puts the marks where their letters are now. */
  place(): void {
    if (this.marks.length === 0) return;
    const box = this.prose.getBoundingClientRect();
    if (box.width === 0) return;
    for (const mark of this.marks) {
      if (mark.said !== mark.seam.notices.length) {
        mark.said = mark.seam.notices.length;
        mark.tip.textContent = seamText(mark.seam);
      }
      const rect = mark.letters === 0 ? undefined : [...(letterAt(this.prose, mark.letters)?.getClientRects() ?? [])].at(-1);
      const left = Math.min(Math.max(rect ? rect.right - box.left : 0, 0), box.width - 1);
      const style = mark.button.style;
      style.setProperty("left", `${left.toFixed(1)}px`);
      style.setProperty("top", `${((rect?.top ?? box.top) - box.top).toFixed(1)}px`);
      style.setProperty("height", `${(rect?.height ?? 20).toFixed(1)}px`);
      mark.button.classList.toggle("to-left", left > box.width / 2);
    }
  }
}
