/**
 * What Markdown lacks for this page, as marked lexer extensions: emphasis that works beside Chinese, Japanese and Korean
 * text, and TeX formulas. Both only add tokens; nothing here makes DOM or HTML.
 */
import type { MarkedOptions, Token, TokenizerThis, Tokens } from "marked";

/** A formula: `text` is the TeX between the delimiters. */
export interface MathToken extends Tokens.Generic {
  type: "math";
  raw: string;
  text: string;
  display: boolean;
}

const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
const PUNCTUATION = /[\p{P}\p{S}]/u;
const SPACE = /\s/;
/** How far a closing mark is looked for, in characters: a bound that keeps unclosed marks linear. */
const REACH = 2_000;

const charAt = (text: string, index: number): string => {
  const code = text.codePointAt(index);
  return code === undefined ? "" : String.fromCodePoint(code);
};

const isSpace = (char: string): boolean => char === "" || SPACE.test(char);

/** The end of the code span that opens at `index`, or the end of its backticks when it never closes. */
function skipCode(text: string, index: number): number {
  let ticks = index;
  while (text[ticks] === "`") ticks += 1;
  const close = text.indexOf(text.slice(index, ticks), ticks);
  return close < 0 || close > index + REACH ? ticks : close + ticks - index;
}

/**
 * `**重要提示：**请注意`: CommonMark lets a mark close after punctuation only before a space or more punctuation, which
 * Chinese does not write. Takes over only where the standard rule fails and the character beyond the mark is CJK.
 */
function emphasis(this: TokenizerThis, src: string, tokens?: Token[]): Tokens.Generic | undefined {
  if (src[0] !== "*") return undefined;
  const length = src[1] === "*" ? 2 : 1;
  if (src[length] === "*") return undefined;
  const before = tokens?.at(-1)?.raw.at(-1) ?? "";
  const first = charAt(src, length);
  if (isSpace(first)) return undefined;
  const standardOpen = !PUNCTUATION.test(first) || isSpace(before) || PUNCTUATION.test(before);
  if (!standardOpen && !CJK.test(before)) return undefined;
  const end = Math.min(src.length, REACH);
  for (let at = length; at < end; at += 1) {
    const char = src[at];
    if (char === "\\") at += 1;
    else if (char === "`") at = skipCode(src, at) - 1;
    else if (char === "*") {
      let run = 1;
      while (src[at + run] === "*") run += 1;
      if (run > 2) return undefined;
      const inner = src[at - 1] ?? "";
      const after = charAt(src, at + run);
      if (run === length && !isSpace(inner)) {
        const standardClose = !PUNCTUATION.test(inner) || isSpace(after) || PUNCTUATION.test(after);
        if (standardClose && standardOpen) return undefined;
        if (standardClose || CJK.test(after)) {
          const text = src.slice(length, at);
          const type = length === 2 ? "strong" : "em";
          return { type, raw: src.slice(0, at + run), text, tokens: this.lexer.inlineTokens(text, []) };
        }
      }
      at += run - 1;
    }
  }
  return undefined;
}

const BLOCK_MATH = /^ {0,3}(?:\$\$((?:[^$\\\n]|\\[^\n]|\n(?!\s*\n)|\\\n|\$(?!\$))+?)\$\$|\\\[((?:[^\\\n]|\\(?!\])|\n(?!\s*\n))+?)\\\])[ \t]*(?:\n+|$)/;
const INLINE_DISPLAY = /^\$\$((?:[^$\\]|\\[\s\S]|\$(?!\$))+?)\$\$|^\\\[((?:[^\\]|\\(?!\]))+?)\\\]/;
const INLINE_PAREN = /^\\\(((?:[^\\]|\\(?!\)))+?)\\\)/;
/** Pandoc's rule: no space inside the dollars, no digit after them; so "$5 and $10" stays text. */
const INLINE_DOLLAR = /^\$(?![\s$])((?:[^$\\\n]|\\.|\n(?!\s*\n))*?(?:[^\s$\\]|\\.))\$(?!\d)/;

function math(raw: string, text: string, display: boolean): MathToken {
  return { type: "math", raw, text: text.trim(), display };
}

function blockMath(src: string): MathToken | undefined {
  const found = BLOCK_MATH.exec(src);
  return found ? math(found[0], found[1] ?? found[2] ?? "", true) : undefined;
}

function inlineMath(src: string): MathToken | undefined {
  const head = src.slice(0, REACH);
  const display = INLINE_DISPLAY.exec(head);
  if (display) return math(display[0], display[1] ?? display[2] ?? "", true);
  const inline = INLINE_PAREN.exec(head) ?? INLINE_DOLLAR.exec(head);
  return inline ? math(inline[0], inline[1] ?? "", false) : undefined;
}

/** The first line in `src`, after its own start, that begins like a formula. */
function blockMathStart(src: string): number | undefined {
  const at = /\n {0,3}(?:\$\$|\\\[)/.exec(src);
  return at ? at.index + 1 : undefined;
}

/** The `extensions` option of marked's `Lexer`, in the form that `marked.use` would have made of them. */
export const extensions = {
  renderers: {},
  childTokens: {},
  block: [(src: string) => (src.includes("$$") || src.includes("\\[") ? blockMath(src) : undefined)],
  startBlock: [blockMathStart],
  inline: [
    function (this: TokenizerThis, src: string, tokens?: Token[]) {
      const char = src[0];
      if (char === "*") return emphasis.call(this, src, tokens);
      return char === "$" || char === "\\" ? inlineMath(src) : undefined;
    },
  ],
  startInline: [
    (src: string) => {
      const at = src.indexOf("$");
      return at < 0 ? undefined : at;
    },
  ],
} as unknown as MarkedOptions["extensions"];
