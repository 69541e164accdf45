/**
 * Stick to the bottom, as long as the reader is there.
 *
 * The latch follows what the reader does, never a distance measured on an update: content that shrinks, such as reasoning
 * that folds away, changes the distance without anyone having moved. Up-scrolling of any kind, opening something, or
 * selecting text lets go; scrolling back to within 64 px of the end, or `latch`, holds again.
 */

/** How close to the end a reader counts as being there, in CSS pixels. */
const NEAR = 64;
const UP_KEYS = new Set(["PageUp", "ArrowUp", "Home"]);

/** Keeps `scroller` at its end while `content` grows, once it is latched. */
export class StickToBottom {
  private held = false;
  private lastTop = 0;
  private lastHeight = 0;
  private touchY: number | undefined;

  /** @param onChange called when the latch closes or opens. */
  constructor(
    private readonly scroller: HTMLElement,
    content: HTMLElement,
    private readonly onChange: (held: boolean) => void = () => undefined,
  ) {
    const sizes = new ResizeObserver(() => this.follow());
    sizes.observe(content);
    sizes.observe(scroller);
    const passive = { passive: true };
    scroller.addEventListener("wheel", (event) => {
      if (event.deltaY < 0) this.release();
    }, passive);
    scroller.addEventListener("touchstart", (event) => {
      this.touchY = event.touches[0]?.clientY;
    }, passive);
    scroller.addEventListener("touchmove", (event) => {
      const y = event.touches[0]?.clientY;
      if (y !== undefined && this.touchY !== undefined && y > this.touchY + 2) this.release();
    }, passive);
    scroller.addEventListener("keydown", (event) => {
      const space = event.key === " " && event.shiftKey;
      if ((UP_KEYS.has(event.key) || space) && !isField(event.target)) this.release();
    });
    scroller.addEventListener("scroll", () => this.scrolled(), passive);
    document.addEventListener("selectionchange", () => {
      const selection = document.getSelection();
      if (selection && !selection.isCollapsed && content.contains(selection.anchorNode)) this.release();
    });
  }

  /** Whether new content scrolls into view. */
  get latched(): boolean {
    return this.held;
  }

  /** Goes to the end and stays there. */
  latch(): void {
    this.set(true);
    this.follow();
  }

  /** Stays where it is, whatever grows. Called also when the reader opens something: what they read must not move. */
  release(): void {
    if (this.scroller.scrollHeight > this.scroller.clientHeight + 1) this.set(false);
  }

  /** Lets go and shows the start: there is nothing to follow. */
  reset(): void {
    this.set(false);
    this.scroller.scrollTop = 0;
    this.remember();
  }

  private set(held: boolean): void {
    if (this.held === held) return;
    this.held = held;
    this.onChange(held);
  }

  private follow(): void {
    if (this.held) this.scroller.scrollTop = this.scroller.scrollHeight;
    this.remember();
  }

  private remember(): void {
    this.lastTop = this.scroller.scrollTop;
    this.lastHeight = this.scroller.scrollHeight;
  }

  private scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const moved = scrollTop - this.lastTop;
    if (moved < -1 && scrollHeight >= this.lastHeight - 1) this.set(false);
    else if (moved > 0 && scrollHeight - clientHeight - scrollTop <= NEAR) this.set(true);
    this.remember();
  }
}

const isField = (target: EventTarget | null): boolean =>
  target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
