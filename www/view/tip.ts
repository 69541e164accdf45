/** The one hint that follows the pointer and the focus. What it says is told to screen readers by whatever it belongs to. */
import { h, show, write } from "./dom.js";

const GAP = 6;
const node = h("div", "tip");
node.setAttribute("aria-hidden", "true");
node.hidden = true;
/** What a hint belongs to that is there because of the focus: it goes along. */
let focused: { target: HTMLElement; text: () => string } | undefined;

/** Shows `text` above `rect`, or below it where there is no room. */
export function showTip(rect: DOMRect, text: string): void {
  if (!node.isConnected) document.body.append(node);
  write(node, text);
  show(node, true);
  const { offsetWidth: width, offsetHeight: height } = node;
  const left = Math.max(GAP, Math.min(rect.left + rect.width / 2 - width / 2, document.documentElement.clientWidth - width - GAP));
  const above = rect.top - height - GAP;
  node.style.setProperty("left", `${left.toFixed(0)}px`);
  node.style.setProperty("top", `${(above < GAP ? rect.bottom + GAP : above).toFixed(0)}px`);
}

export function hideTip(): void {
  focused = undefined;
  show(node, false);
}

/** `target` has a hint, on hover and on focus. */
export function withTip<T extends HTMLElement>(target: T, text: () => string): T {
  const open = (): void => showTip(target.getBoundingClientRect(), text());
  target.addEventListener("pointerenter", open);
  target.addEventListener("focus", () => {
    target.scrollIntoView({ block: "nearest", inline: "nearest" });
    open();
    focused = { target, text };
  });
  target.addEventListener("pointerleave", hideTip);
  target.addEventListener("blur", hideTip);
  return target;
}

addEventListener("scroll", () => {
  if (focused && document.activeElement === focused.target) showTip(focused.target.getBoundingClientRect(), focused.text());
  else hideTip();
}, { capture: true, passive: true });
addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideTip();
}, { capture: true });
