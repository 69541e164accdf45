/**
 * Markdown that grows: text in, DOM in step, any chunking giving the DOM of the whole text at once.
 *
 * Blocks that later text cannot change are sealed and never touched again; only the tail behind them is lexed on a flush,
 * so a flush costs what the last block costs, not what the answer costs. A block is sealed once another block has begun on
 * a complete line behind it. Two things can still reach back, a link reference that is defined later and a rare multi-line
 * definition; `finish` lexes the whole text once, blocks only, and remakes exactly those blocks that differ.
 */
import { Lexer, type Links, type MarkedOptions, type Token } from "marked";
import { type Hooks, Slots } from "./dom.js";
import { extensions } from "./extensions.js";

const OPTIONS = { gfm: true, breaks: false, pedantic: false, silent: true, extensions } as MarkedOptions;

interface Sealed {
  raw: string;
  /** How many link references were known when its inline text was read. */
  links: number;
}

const shown = (token: Token): boolean => token.type !== "space" && token.type !== "def";

/** One answer's Markdown, in `root`. */
export class MarkdownStream {
  private text = "";
  private pendingReturn = false;
  private sealedTo = 0;
  private readonly sealed: Sealed[] = [];
  private readonly slots: Slots;
  /** Link references found so far; the first definition of a name wins. */
  private readonly links: Links = Object.create(null) as Links;
  private linkCount = 0;
  private dirty = false;

  constructor(root: Node, private readonly hooks: Hooks) {
    this.slots = new Slots(root, hooks);
  }

  /** The text so far, line ends normalised. */
  get source(): string {
    return this.text;
  }

  /** Takes text; nothing is shown before `flush`. */
  push(chunk: string): void {
    if (chunk === "") return;
    let text = this.pendingReturn ? `\r${chunk}` : chunk;
    // A CR at the end may be half of a CRLF.
    this.pendingReturn = text.endsWith("\r");
    if (this.pendingReturn) text = text.slice(0, -1);
    this.text += text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
    this.dirty = true;
  }

  /** Brings the DOM up to date with the text. */
  flush(): void {
    if (!this.dirty) return;
    this.dirty = false;
    const tail = this.text.slice(this.sealedTo);
    const lexer = this.lexer();
    const tokens = lexer.lex(tail);
    const fresh = this.countLinks() !== this.linkCount;
    this.linkCount = this.countLinks();
    this.slots.update(tokens.filter(shown), this.sealed.length, fresh);
    this.seal(tokens, tail.lastIndexOf("\n") + 1);
  }

  /** The text is complete: shows all of it, and settles what later text changed in sealed blocks. */
  finish(): void {
    if (this.pendingReturn) {
      this.pendingReturn = false;
      this.text += "\n";
    }
    this.dirty = true;
    this.flush();
    const lexer = this.lexer();
    const tokens: Token[] = [];
    lexer.blockTokens(this.text, tokens);
    const blocks = tokens.filter(shown);
    const remade = new Set<number>();
    for (const [index, block] of blocks.entries()) {
      const before = this.sealed[index];
      if (before && before.raw === block.raw && (before.links === this.linkCount || !block.raw.includes("["))) continue;
      remade.add(index);
    }
    // The queue holds the inline texts of all blocks in order; reading those of unchanged blocks would cost and give nothing.
    const wanted = new Set<Token[]>();
    for (const index of remade) collect(blocks[index], wanted);
    for (const { src, tokens: into } of lexer.inlineQueue) if (wanted.has(into)) lexer.inlineTokens(src, into);
    lexer.inlineQueue = [];
    for (const index of remade) {
      const block = blocks[index];
      if (block) this.slots.put(index, block, this.sealed[index] !== undefined);
    }
    this.slots.update([], blocks.length);
    for (let index = 0; index < blocks.length; index += 1) {
      if (remade.has(index)) this.announce(index);
    }
    this.sealedTo = this.text.length;
    this.sealed.length = 0;
    for (const block of blocks) this.sealed.push({ raw: block.raw, links: this.linkCount });
  }

  private lexer(): Lexer {
    const lexer = new Lexer(OPTIONS);
    lexer.tokens.links = this.links;
    return lexer;
  }

  private countLinks(): number {
    return Object.keys(this.links).length;
  }

  private seal(tokens: Token[], lineEnd: number): void {
    let offset = 0;
    let keepFrom = 0;
    let keepAt = 0;
    for (const [index, token] of tokens.entries()) {
      if (token.type !== "space" && offset < lineEnd) {
        keepFrom = index;
        keepAt = offset;
      }
      offset += token.raw.length;
    }
    for (const token of tokens.slice(0, keepFrom)) {
      if (!shown(token)) continue;
      this.sealed.push({ raw: token.raw, links: this.linkCount });
      this.announce(this.sealed.length - 1);
    }
    this.sealedTo += keepAt;
  }

  private announce(index: number): void {
    const node = this.slots.node(index);
    if (node) this.hooks.onSealed?.(node);
  }
}

/** Every array under `value` that inline tokens go into. */
function collect(value: unknown, into: Set<Token[]>): void {
  if (Array.isArray(value)) {
    into.add(value as Token[]);
    for (const part of value) collect(part, into);
  } else if (value !== null && typeof value === "object") {
    for (const part of Object.values(value)) if (typeof part === "object") collect(part, into);
  }
}

/** Shows a whole text at once. */
export function renderMarkdown(root: Node, text: string, hooks: Hooks): void {
  const stream = new MarkdownStream(root, hooks);
  stream.push(text);
  stream.finish();
}
