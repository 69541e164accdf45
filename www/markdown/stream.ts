/**
 * Markdown that grows: text in, DOM in step, any chunking giving the DOM of the whole text at once.
 *
 * Blocks that later text cannot change are sealed and never touched again; only the tail behind them is lexed on a flush,
 * so a flush costs what the last block costs, not what the answer costs. A block is sealed once another block has begun on
 * a complete line behind it. Two things can still reach back, a link reference that is defined later and a rare multi-line
 * definition; `finish` lexes the whole text once, blocks only, and remakes exactly those blocks that differ.
 */
import { Lexer, type Links, type MarkedOptions, type Token, type Tokens } from "marked";
import { type Hooks, type Reader, Slots } from "./dom.js";
import { extensions } from "./extensions.js";

const OPTIONS = { gfm: true, breaks: false, pedantic: false, silent: true, extensions } as MarkedOptions;

/** A mark at the very end is half of something: it waits for the next flush instead of flashing by. */
const OPEN_MARK = /[*_`~]{1,3}$/;

interface Sealed {
  raw: string;
  /** The link references that were known when its inline text was read. */
  links: string;
}

const shown = (token: Token): boolean => token.type !== "space" && token.type !== "def";

const signatureOf = (links: Links): string => (Object.keys(links).length === 0 ? "" : JSON.stringify(links));

/** One answer's Markdown, in `root`. */
export class MarkdownStream {
  private text = "";
  private pendingReturn = false;
  private sealedTo = 0;
  private readonly sealed: Sealed[] = [];
  private readonly slots: Slots;
  /** Link references of sealed blocks; the first definition of a name wins. Those of the tail may still be half written. */
  private readonly links: Links = Object.create(null) as Links;
  private signature = "";
  private dirty = false;

  private readonly reader = new InlineReader();

  constructor(root: Node, private readonly hooks: Hooks) {
    this.slots = new Slots(root, hooks, this.reader);
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
    this.show(this.text.slice(this.sealedTo).replace(OPEN_MARK, ""));
  }

  private show(tail: string): void {
    const lexer = new Lexer(OPTIONS);
    Object.assign(lexer.tokens.links, this.links);
    const tokens: Token[] = [];
    lexer.blockTokens(tail, tokens);
    this.reader.take(lexer);
    const signature = signatureOf(lexer.tokens.links);
    this.slots.update(tokens.filter(shown), this.sealed.length, signature !== this.signature);
    this.signature = signature;
    this.seal(tokens, tail.lastIndexOf("\n") + 1);
  }

  /** The text is complete: shows all of it, and settles what later text changed in sealed blocks. */
  finish(): void {
    if (this.pendingReturn) {
      this.pendingReturn = false;
      this.text += "\n";
    }
    this.dirty = false;
    this.show(this.text.slice(this.sealedTo));
    const lexer = new Lexer(OPTIONS);
    const tokens: Token[] = [];
    lexer.blockTokens(this.text, tokens);
    const blocks = tokens.filter(shown);
    const signature = signatureOf(lexer.tokens.links);
    const remade = new Set<number>();
    for (const [index, block] of blocks.entries()) {
      const before = this.sealed[index];
      if (before && before.raw === block.raw && (before.links === signature || !block.raw.includes("["))) continue;
      remade.add(index);
    }
    this.reader.take(lexer);
    for (const index of remade) {
      const block = blocks[index];
      if (block) this.slots.put(index, block, this.sealed[index] !== undefined || signature !== this.signature);
    }
    this.slots.update([], blocks.length);
    for (let index = 0; index < blocks.length; index += 1) {
      if (remade.has(index)) this.announce(index);
    }
    this.sealedTo = this.text.length;
    this.sealed.length = 0;
    for (const block of blocks) this.sealed.push({ raw: block.raw, links: signature });
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
      if (token.type === "def") this.links[(token as Tokens.Def).tag] ??= { href: (token as Tokens.Def).href, title: (token as Tokens.Def).title };
      if (!shown(token)) continue;
      this.sealed.push({ raw: token.raw, links: this.signature });
      this.announce(this.sealed.length - 1);
    }
    this.sealedTo += keepAt;
  }

  private announce(index: number): void {
    const node = this.slots.node(index);
    if (node) this.hooks.onSealed?.(node);
  }
}

/** Reads the inline text of a block when it is first looked at, so that blocks which stand unchanged cost nothing. */
class InlineReader implements Reader {
  private lexer: Lexer | undefined;
  private waiting = new Map<Token[], string>();

  /** Takes over what the lexer has left to read. */
  take(lexer: Lexer): void {
    this.lexer = lexer;
    this.waiting = new Map(lexer.inlineQueue.map(({ src, tokens }) => [tokens, src]));
    lexer.inlineQueue = [];
  }

  read(tokens: Token[]): Token[] {
    const source = this.waiting.get(tokens);
    if (source === undefined || !this.lexer) return tokens;
    this.waiting.delete(tokens);
    // Raw HTML is text here, so an open tag in one block means nothing to the next.
    this.lexer.state.inLink = false;
    this.lexer.state.inRawBlock = false;
    return this.lexer.inlineTokens(source, tokens);
  }
}

/** Shows a whole text at once. */
export function renderMarkdown(root: Node, text: string, hooks: Hooks): void {
  const stream = new MarkdownStream(root, hooks);
  stream.push(text);
  stream.finish();
}
