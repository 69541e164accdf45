/**
 * Markdown tokens to DOM, and changed tokens onto DOM that is already there.
 *
 * Model output is data: elements are made one by one, text goes into text nodes, raw HTML is shown as it is written, an
 * image becomes a label, and a link leaves only for http, https and mailto. A token whose source did not change keeps its
 * nodes, so that a selection inside survives, and the cost of an update follows what changed.
 */
import type { Token, Tokens } from "marked";
import { decodeEntities } from "./entities.js";
import type { MathToken } from "./extensions.js";

/** What the page adds to the plain nodes. */
export interface Hooks {
  /** The bar above a code block: its language and a copy button. */
  codeBar(language: string): Node;
  /** What stands for an image that is not loaded. */
  blockedImage(host: string, alt: string): Node;
  /** A formula was made; `node` shows its source so far. */
  onMath?(node: HTMLElement, tex: string, display: boolean): void;
  /** A block will not change any more. */
  onSealed?(node: Node): void;
}

/** Gives the tokens of inline text, which are read only when something looks at them. */
export interface Reader {
  read(tokens: Token[]): Token[];
}

interface Slot {
  token: Token;
  node: Node;
  /** The children of containers. */
  inner?: Slots;
}

const LINK = /^(?:https?:\/\/|mailto:)/i;

/** The address, if a click on it may leave the page. */
export function safeHref(raw: string): string | undefined {
  const href = decodeEntities(raw).trim();
  if (!LINK.test(href) || !URL.canParse(href)) return undefined;
  return new URL(href).href;
}

/** The host that an image would have been fetched from. */
export function imageHost(raw: string): string {
  const href = decodeEntities(raw).trim();
  const absolute = href.startsWith("//") ? `https:${href}` : href;
  if (!URL.canParse(absolute)) return "?";
  const url = new URL(absolute);
  return url.host || url.protocol;
}

function element<K extends keyof HTMLElementTagNameMap>(tag: K, className = ""): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  if (className) node.className = className;
  return node;
}

/** A tight item holds bare text; a loose one holds paragraphs. */
function itemTokens(item: Tokens.ListItem, reader: Reader): Token[] {
  const out: Token[] = [];
  let text = false;
  for (const token of item.tokens) {
    if (token.type === "checkbox") continue;
    if (token.type !== "text") {
      out.push(token);
      text = false;
    } else if (item.loose) {
      out.push({ ...token, type: "paragraph" } as Token);
    } else {
      if (text) out.push({ type: "text", raw: "\n", text: "\n", escaped: false });
      out.push(...("tokens" in token && token.tokens ? reader.read(token.tokens) : [token]));
      text = true;
    }
  }
  return out;
}

const visible = (tokens: Token[]): Token[] =>
  tokens.some((token) => token.type === "space" || token.type === "def")
    ? tokens.filter((token) => token.type !== "space" && token.type !== "def")
    : tokens;

/** Whether two tokens look the same. The source alone does not tell: what surrounds an item makes it loose, and HTML a block. */
function same(a: Tokens.Generic, b: Tokens.Generic): boolean {
  if (a.type !== b.type || a.raw !== b.raw) return false;
  if (a.type === "list_item") return a.loose === b.loose && a.checked === b.checked && a.task === b.task;
  if (a.type === "html") return a.block === b.block;
  return a.type !== "text" || (a.tokens === undefined) === (b.tokens === undefined);
}

/** The children of one element, in step with a list of tokens. */
export class Slots {
  private readonly slots: Slot[] = [];

  constructor(private readonly parent: Node, private readonly hooks: Hooks, private readonly reader: Reader) {}

  /** How many tokens are shown. */
  get length(): number {
    return this.slots.length;
  }

  /** The node of one token. */
  node(index: number): Node | undefined {
    return this.slots[index]?.node;
  }

  /** Shows `tokens` from position `from` on; what stands before stays. With `fresh`, nothing that stands there is kept. */
  update(tokens: Token[], from = 0, fresh = false): void {
    for (const [offset, token] of tokens.entries()) this.put(from + offset, token, fresh);
    for (const slot of this.slots.splice(from + tokens.length)) this.parent.removeChild(slot.node);
  }

  /** Shows `token` at one position; it must not lie beyond the end. */
  put(index: number, token: Token, fresh = false): void {
    const slot = this.slots[index];
    if (slot && !fresh) {
      if (same(slot.token, token)) return;
      if (this.patch(slot, token)) {
        slot.token = token;
        return;
      }
    }
    const made = this.make(token);
    if (slot) this.parent.replaceChild(made.node, slot.node);
    else this.parent.appendChild(made.node);
    this.slots[index] = made;
  }

  private patch(slot: Slot, token: Token): boolean {
    const old = slot.token;
    if (old.type !== token.type) return false;
    switch (token.type) {
      case "text":
        if (slot.inner) return this.patchInner(slot, (token as Tokens.Text).tokens);
        if ((token as Tokens.Text).tokens) return false;
        patchText(slot.node as Text, decodeEntities((token as Tokens.Text).text));
        return true;
      case "code": {
        if ((old as Tokens.Code).lang !== (token as Tokens.Code).lang) return false;
        const text = (slot.node as Element).querySelector("code")?.firstChild;
        if (!text) return false;
        patchText(text as Text, (token as Tokens.Code).text);
        return true;
      }
      case "paragraph":
      case "strong":
      case "em":
      case "del":
      case "blockquote":
        return this.patchInner(slot, (token as Tokens.Paragraph).tokens);
      case "heading":
        return (old as Tokens.Heading).depth === (token as Tokens.Heading).depth && this.patchInner(slot, (token as Tokens.Heading).tokens);
      case "list": {
        const a = old as Tokens.List;
        const b = token as Tokens.List;
        return a.ordered === b.ordered && a.start === b.start && this.patchInner(slot, b.items);
      }
      case "list_item": {
        const a = old as Tokens.ListItem;
        const b = token as Tokens.ListItem;
        return a.task === b.task && a.checked === b.checked && this.patchInner(slot, itemTokens(b, this.reader));
      }
      case "table":
        return patchTable(slot.node as HTMLElement, old as Tokens.Table, token as Tokens.Table, this.hooks, this.reader);
      default:
        return false;
    }
  }

  private patchInner(slot: Slot, tokens: Token[] | undefined): boolean {
    if (!slot.inner || !tokens) return false;
    slot.inner.update(visible(this.reader.read(tokens)));
    return true;
  }

  private container(token: Token, node: HTMLElement, tokens: Token[] | undefined): Slot {
    const inner = new Slots(node, this.hooks, this.reader);
    inner.update(visible(this.reader.read(tokens ?? [])));
    return { token, node, inner };
  }

  private make(token: Token): Slot {
    switch (token.type) {
      case "paragraph":
        return this.container(token, element("p"), token.tokens);
      case "heading":
        // The page's own headings are h1 and h2; an answer's start below them.
        return this.container(token, element(`h${Math.min(6, (token as Tokens.Heading).depth + 2)}` as "h3"), token.tokens);
      case "strong":
      case "em":
      case "del":
      case "blockquote":
        return this.container(token, element(token.type), token.tokens);
      case "list": {
        const list = token as Tokens.List;
        const node = element(list.ordered ? "ol" : "ul");
        if (list.ordered && list.start !== 1 && list.start !== "") (node as HTMLOListElement).start = list.start;
        return this.container(token, node, list.items);
      }
      case "list_item":
        return this.listItem(token as Tokens.ListItem);
      case "table":
        return { token, node: makeTable(token as Tokens.Table, this.hooks, this.reader) };
      case "code":
        return { token, node: this.code(token as Tokens.Code) };
      case "codespan": {
        const node = element("code");
        node.textContent = (token as Tokens.Codespan).text;
        return { token, node };
      }
      case "link":
        return this.link(token as Tokens.Link);
      case "image":
        return { token, node: this.hooks.blockedImage(imageHost((token as Tokens.Image).href), decodeEntities((token as Tokens.Image).text)) };
      case "math":
        return { token, node: this.math(token as MathToken) };
      case "hr":
      case "br":
        return { token, node: element(token.type) };
      case "html":
        return { token, node: rawHtml(token as Tokens.HTML) };
      case "escape":
        return { token, node: document.createTextNode((token as Tokens.Escape).text) };
      case "text": {
        const text = token as Tokens.Text;
        if (text.tokens) return this.container(token, element("span"), text.tokens);
        return { token, node: document.createTextNode(decodeEntities(text.text)) };
      }
      default:
        return { token, node: document.createTextNode(token.raw) };
    }
  }

  private listItem(item: Tokens.ListItem): Slot {
    const node = element("li");
    if (item.task) {
      const box = element("input");
      box.type = "checkbox";
      box.disabled = true;
      box.checked = item.checked === true;
      box.toggleAttribute("checked", box.checked);
      node.className = "task";
      node.append(box);
    }
    return this.container(item, node, itemTokens(item, this.reader));
  }

  private code(token: Tokens.Code): HTMLElement {
    const language = /^\S*/.exec(decodeEntities(token.lang ?? ""))?.[0] ?? "";
    const figure = element("figure", "code");
    const pre = element("pre");
    const code = element("code");
    pre.tabIndex = 0;
    pre.dir = "ltr";
    code.append(document.createTextNode(token.text));
    pre.append(code);
    figure.append(this.hooks.codeBar(language), pre);
    return figure;
  }

  private link(token: Tokens.Link): Slot {
    const href = safeHref(token.href);
    if (href === undefined) return this.container(token, element("span", "nolink"), token.tokens);
    const node = element("a");
    node.href = href;
    node.rel = "noopener noreferrer";
    node.target = "_blank";
    if (token.title) node.title = decodeEntities(token.title);
    return this.container(token, node, token.tokens);
  }

  private math(token: MathToken): HTMLElement {
    const node = element("span", token.display ? "math display" : "math");
    node.dir = "ltr";
    node.textContent = token.raw.trim();
    this.hooks.onMath?.(node, token.text, token.display);
    return node;
  }
}

/** Growth is appended: a selection in the text so far stays. */
function patchText(node: Text, text: string): void {
  const old = node.data;
  if (text === old) return;
  if (text.startsWith(old)) node.appendData(text.slice(old.length));
  else node.data = text;
}

/** Raw HTML is text, except for a line break, which tables have no Markdown for. */
function rawHtml(token: Tokens.HTML): Node {
  if (/^<br\s*\/?>$/i.test(token.raw.trim())) return element("br");
  if (token.block !== true) return document.createTextNode(token.raw);
  const node = element("p", "raw");
  node.textContent = token.raw.trimEnd();
  return node;
}

function makeRow(cells: Tokens.TableCell[], tag: "th" | "td", hooks: Hooks, reader: Reader): HTMLTableRowElement {
  const row = element("tr");
  for (const cell of cells) {
    const node = element(tag, cell.align ? `align-${cell.align}` : "");
    new Slots(node, hooks, reader).update(reader.read(cell.tokens));
    row.append(node);
  }
  return row;
}

function makeTable(token: Tokens.Table, hooks: Hooks, reader: Reader): HTMLElement {
  const frame = element("div", "table");
  frame.tabIndex = 0;
  const table = element("table");
  const head = element("thead");
  const body = element("tbody");
  head.append(makeRow(token.header, "th", hooks, reader));
  for (const row of token.rows) body.append(makeRow(row, "td", hooks, reader));
  table.append(head, body);
  frame.append(table);
  return frame;
}

const rowText = (cells: Tokens.TableCell[]): string => cells.map((cell) => `${cell.align ?? ""}|${cell.text}`).join("\u0000");

function patchTable(frame: HTMLElement, old: Tokens.Table, token: Tokens.Table, hooks: Hooks, reader: Reader): boolean {
  const body = frame.querySelector("tbody");
  if (!body || rowText(old.header) !== rowText(token.header) || token.rows.length < old.rows.length) return false;
  for (const [index, row] of token.rows.entries()) {
    const before = old.rows[index];
    if (before && rowText(before) === rowText(row)) continue;
    const made = makeRow(row, "td", hooks, reader);
    const standing = body.rows[index];
    if (standing) body.replaceChild(made, standing);
    else body.append(made);
  }
  return true;
}
