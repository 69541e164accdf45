/** The costly finish of Markdown, colours and formulas: fetched only when an answer needs it, done in idle moments. */

/** Longer code stays plain: colouring it would hold up the page. */
const HIGHLIGHT_CHARS = 30_000;

const idle = (work: () => void): void => {
  if ("requestIdleCallback" in window) requestIdleCallback(work, { timeout: 500 });
  else setTimeout(work, 30);
};

/** Colours the code blocks in a block that is sealed. */
export function highlightIn(node: Node): void {
  if (!(node instanceof HTMLElement)) return;
  const figures = node.matches("figure.code") ? [node] : node.querySelectorAll<HTMLElement>("figure.code");
  for (const figure of figures) {
    const language = figure.querySelector<HTMLElement>("[data-language]")?.dataset.language ?? "";
    const code = figure.querySelector<HTMLElement>("pre > code");
    if (!language || !code || (code.textContent ?? "").length > HIGHLIGHT_CHARS) continue;
    import("./highlight.js").then(({ highlight }) => idle(() => highlight(code, language.toLowerCase())), () => undefined);
  }
}

let mathStyle: HTMLLinkElement | undefined;

/** Typesets a formula; until then, and if it cannot be read, its source stands. */
export function typeset(node: HTMLElement, tex: string, display: boolean): void {
  if (!mathStyle) {
    mathStyle = document.createElement("link");
    mathStyle.rel = "stylesheet";
    mathStyle.href = document.querySelector<HTMLMetaElement>("meta[name=math-style]")?.content ?? "math.css";
    document.head.append(mathStyle);
  }
  import("./math.js").then(({ renderMath }) => renderMath(node, tex, display), () => undefined);
}
