/**
 * Shows in the question field what is going to be hidden, while it is typed.
 *
 * The field stays a plain textarea. Behind it lies a copy of its text, one text node that nobody sees and that wraps as the field does; what
 * was found in it is marked. Edits are made to that node where the reader makes them, so that marks move with the text until it is looked at
 * again; the field's own value is never written.
 */
import type { Finding, Redactor } from "sluicegate/redact";
import { toHide } from "../privacy.js";
import { hideTip } from "./tip.js";
import { Marks, markText } from "./marks.js";

/** Longer texts are looked at when the typing pauses. */
const AT_ONCE_CHARS = 4_000;
const PAUSE_MS = 120;
const MARKS_MAX = 2_000;

export interface VeilActions {
  /** What looks at the text; asked for when somebody is about to type. */
  redactor(): Promise<Redactor | undefined>;
  /** What was found has changed. */
  found(findings: readonly Finding[], text: string): void;
  failed(): void;
  /** What the pointer learns about a finding. */
  reason(finding: Finding): string;
}

export class Veil {
  private readonly copy = document.createTextNode("");
  private readonly marks: Marks;
  private redactor: Redactor | undefined;
  private loading: Promise<void> | undefined;
  private composing = false;
  private aligning = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly field: HTMLTextAreaElement, private readonly mirror: HTMLElement, private readonly actions: VeilActions) {
    // The last line break of a block takes no room, unless something stands behind it.
    mirror.append(this.copy, "\u200b");
    this.marks = new Marks(field);
    for (const event of ["pointerdown", "keydown"]) field.addEventListener(event, () => void this.load(), { passive: true });
    field.addEventListener("focus", () => soon(() => void this.load()));
    field.addEventListener("compositionstart", () => {
      this.composing = true;
    });
    field.addEventListener("compositionend", () => {
      this.composing = false;
      this.look();
    });
    field.addEventListener("input", () => this.edited());
    field.addEventListener("scroll", () => this.align(), { passive: true });
    new ResizeObserver(() => this.align()).observe(field);
    void document.fonts.ready.then(() => this.align());
    // What the browser filled in again.
    if (field.value !== "") this.edited();
  }

  /** The field's text has changed, also without an event. */
  edited(): void {
    const { value } = this.field;
    const before = this.copy.data;
    if (value !== before) {
      const most = Math.min(value.length, before.length);
      let head = 0;
      while (head < most && value.charCodeAt(head) === before.charCodeAt(head)) head += 1;
      let tail = 0;
      while (tail < most - head && value.charCodeAt(value.length - 1 - tail) === before.charCodeAt(before.length - 1 - tail)) tail += 1;
      this.copy.replaceData(head, before.length - head - tail, value.slice(head, value.length - tail));
      hideTip();
    }
    // Before the next paint; to ask for it here would lay a long text out at once.
    cancelAnimationFrame(this.aligning);
    this.aligning = requestAnimationFrame(() => this.align());
    clearTimeout(this.timer);
    if (this.composing) return;
    if (value === "" || (this.redactor && value.length <= AT_ONCE_CHARS)) this.look();
    else this.timer = setTimeout(() => this.look(), PAUSE_MS);
  }

  /** The policy has changed: what looks at the text is another. */
  reset(): void {
    this.redactor = undefined;
    this.loading = undefined;
    if (this.field.value === "") this.show([]);
    else void this.load();
  }

  /** Fetches what looks at the text; nothing of it comes before somebody is about to type. */
  private load(): Promise<void> {
    const loading = (this.loading ??= this.actions.redactor().then((redactor) => {
      if (this.loading !== loading) return;
      this.redactor = redactor;
      this.look();
    }, () => {
      if (this.loading !== loading) return;
      this.loading = undefined;
      this.actions.failed();
    }));
    return loading;
  }

  private look(): void {
    clearTimeout(this.timer);
    if (this.composing) return;
    const { value } = this.field;
    if (value === "") return this.show([]);
    if (!this.redactor) {
      if (!this.loading) void this.load();
      else this.show([]);
      return;
    }
    this.show(toHide(this.redactor, value));
  }

  private show(findings: readonly Finding[]): void {
    this.marks.clear();
    for (const finding of findings.slice(0, MARKS_MAX)) {
      const stops = finding.action === "block" || finding.action === "local_only";
      markText(this.marks, stops ? "will-stop" : "will-hide", this.copy, finding.start, finding.end, () => this.actions.reason(finding));
    }
    this.actions.found(findings, this.field.value);
  }

  private align(): void {
    if (this.mirror.scrollTop !== this.field.scrollTop) this.mirror.scrollTop = this.field.scrollTop;
  }
}

/** When the page has nothing better to do. */
function soon(work: () => void): void {
  if (typeof requestIdleCallback === "function") requestIdleCallback(work, { timeout: 3_000 });
  else setTimeout(work, 500);
}
