/** Formulas as native MathML, loaded when the first formula closes. A formula that temml cannot read stays as its source. */
import temml from "temml";

/** Puts the formula into `node`, in place of its source. */
export function renderMath(node: HTMLElement, tex: string, display: boolean): void {
  const made = document.createElement("span");
  try {
    temml.render(tex, made, { displayMode: display, throwOnError: true, trust: false, maxSize: [20, 20], maxExpand: 200 });
  } catch {
    node.classList.add("unread");
    return;
  }
  node.replaceChildren(...made.childNodes);
  node.setAttribute("data-tex", tex);
}
