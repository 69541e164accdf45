/**
 * Syntax colours, loaded when the first fenced block with a known language closes.
 *
 * highlight.js gives HTML text. It is read here as what it is, spans, five character references and text, and made into
 * nodes: no HTML sink, nothing for Trusted Types to refuse.
 */
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import cpp from "highlight.js/lib/languages/cpp";
import css from "highlight.js/lib/languages/css";
import go from "highlight.js/lib/languages/go";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";

const LANGUAGES = { bash, cpp, css, go, java, javascript, json, python, rust, sql, typescript, xml };
for (const [name, language] of Object.entries(LANGUAGES)) hljs.registerLanguage(name, language);
hljs.registerAliases(["c", "objc"], { languageName: "cpp" });
hljs.registerAliases(["shell", "console", "zsh"], { languageName: "bash" });

const REFERENCES: Record<string, string> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'" };

function nodes(html: string): DocumentFragment {
  const root = document.createDocumentFragment();
  const open: (DocumentFragment | HTMLElement)[] = [root];
  for (const part of html.matchAll(/<span class="([^"]*)">|<\/span>|[^<]+/g)) {
    const here = open.at(-1) ?? root;
    if (part[1] !== undefined) {
      const span = document.createElement("span");
      span.className = part[1];
      here.append(span);
      open.push(span);
    } else if (part[0] === "</span>") {
      if (open.length > 1) open.pop();
    } else {
      here.append(part[0].replace(/&(?:amp|lt|gt|quot|#x27);/g, (name) => REFERENCES[name] ?? name));
    }
  }
  return root;
}

/** Colours `code` as `language`; a language that is not known, or a result that does not spell the same text, changes nothing. */
export function highlight(code: HTMLElement, language: string): void {
  if (!hljs.getLanguage(language)) return;
  const source = code.textContent ?? "";
  const made = nodes(hljs.highlight(source, { language, ignoreIllegals: true }).value);
  if (made.textContent === source) code.replaceChildren(made);
}
