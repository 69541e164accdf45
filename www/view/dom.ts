/** Elements, and buttons that are named by a text which follows the language. */
import { name, say, type TextKey } from "../i18n/index.js";
import { h, icon, type IconName } from "./element.js";

export { h, icon, type IconName, s, show, write } from "./element.js";

/** A button that shows an icon and is named by a text. */
export function iconButton(which: IconName, label: TextKey, onClick: () => void, className = "quiet"): HTMLButtonElement {
  const node = h("button", className, icon(which));
  node.type = "button";
  node.addEventListener("click", onClick);
  return name(node, label);
}

/** A button with a text. */
export function textButton(label: TextKey, onClick: () => void, className = ""): HTMLButtonElement {
  const node = say(h("button", className), label);
  node.type = "button";
  node.addEventListener("click", onClick);
  return node;
}
