/** Making elements, without HTML strings and in no language. */

type Child = Node | string | null | undefined | false;

/** An element with a class and children. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, className = "", ...children: Child[]): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  if (className) node.className = className;
  for (const child of children) if (child) node.append(child);
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element with its attributes. */
export function s(tag: string, attributes: Record<string, string>, ...children: Node[]): SVGElement {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** Icons, drawn on a grid of 24. */
const ICONS = {
  send: "M12 20V5M5.5 11.5 12 5l6.5 6.5",
  stop: "M7 7h10v10H7z",
  copy: "M9 9h10v11H9zM15 9V4H5v11h4",
  check: "M5 12.5 10 17.5 19 7",
  again: "M19 12a7 7 0 1 1-2.1-5M19 3v4.5h-4.5",
  edit: "M5 19h3.5L19 8.5 15.5 5 5 15.5z",
  left: "M14.5 6 8.5 12l6 6",
  right: "M9.5 6l6 6-6 6",
  down: "M12 5v14M6 13l6 6 6-6",
  plus: "M12 5v14M5 12h14",
  gear: "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1 1M17.4 17.4l1 1M5.6 18.4l1-1M17.4 6.6l1-1",
  moon: "M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z",
  auto: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  warn: "M12 4 2.8 19.5h18.4zM12 10v4.5M12 17v.4",
  cross: "M6 6l12 12M18 6 6 18",
  shield: "M12 3.5 5 6v5.5c0 4.2 2.9 7.3 7 9 4.1-1.7 7-4.8 7-9V6zM9 12l2.2 2.2L15.2 10",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6z",
  bolt: "M13 3 5.5 13.5H11L10 21l8-11h-5.5z",
} as const;

export type IconName = keyof typeof ICONS;

/** An icon; it says nothing to a screen reader. */
export const icon = (which: IconName): SVGElement =>
  s("svg", { viewBox: "0 0 24 24", class: `icon icon-${which}`, "aria-hidden": "true" }, s("path", { d: ICONS[which] }));

/** Shows or hides, touching the DOM only on a change. */
export function show(node: HTMLElement, visible: boolean): void {
  if (node.hidden === visible) node.hidden = !visible;
}

/** Sets the text, touching the DOM only on a change. */
export function write(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}
