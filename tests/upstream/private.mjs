// What tests of redaction ask for: a model that treats the placeholders of hidden data as models do, and an upstream whose errors quote
// what it was sent. The rows have the form of those in misbehave.mjs.

const row = (key, name, pattern, read, en, zh, example, extra = {}) => ({ key, name, pattern, read, en, zh, example, sees: "answer", ...extra });

const PLACEHOLDER = /⟦[^⟦⟧]*⟧/g;
const inner = (placeholder) => placeholder.slice(1, -1);

/** What becomes of the user's message, by style. */
const STYLES = {
  // As a tokenizer that has no such brackets may have it.
  spaced: (text) => text.replace(PLACEHOLDER, (found) => `⟦ ${inner(found).replace("·", " · ")} ⟧`),
  fullwidth: (text) => text.replace(PLACEHOLDER, (found) => `【${inner(found)}】`),
  bold: (text) => text.replace(PLACEHOLDER, (found) => `**${found}**`),
  ticked: (text) => text.replace(PLACEHOLDER, (found) => `\`${found}\``),
  lower: (text) => text.toLowerCase(),
  upper: (text) => text.toUpperCase(),
  // Another language around them, another order.
  translated: (text) => `In English: they wrote ${[...(text.match(PLACEHOLDER) ?? [])].reverse().join(" after ")}, and nothing else of note.`,
  // With others that nobody gave it: another number, another check, a name of its own.
  forged: (text) =>
    `${text} ${(text.match(PLACEHOLDER) ?? []).map((found) => found.replace(/\d+/, "77")).join(" ")} ${(text.match(PLACEHOLDER) ?? [])
      .map((found) => found.replace(/.{2}⟧$/, "zz⟧"))
      .join(" ")} ⟦手机号1·aaaa⟧`,
};

export const PRIVATE_ROWS = [
  row("echo-as", "echo-STYLE", `echo-(${Object.keys(STYLES).join("|")})`, (m) => m[1].toLowerCase(),
    "Answers with the last user message, its placeholders spaced, in full-width brackets, bold, ticked, in lower or upper case, translated around, or forged ones beside them.",
    "返回最后一条用户消息，但改动其中的占位符：加空格、全角括号、加粗、反引号、小写、大写、翻译周围文字，或附加伪造的占位符。", "echo-spaced"),
  row("quotes", "quotes-NNN", "quotes-(\\d{3})", (m) => Number(m[1]),
    "Answers with HTTP status NNN and an error that quotes the last user message.", "返回 HTTP 状态 NNN，错误信息引用最后一条用户消息。", "quotes-400", { sees: "status" }),
  row("quotes-in-stream", "quotes-in-stream-N", "quotes-in-stream-(\\d+)", (m) => Number(m[1]),
    "After N tokens sends an error that quotes the last user message.", "N 个词元后在流中返回引用最后一条用户消息的错误。", "quotes-in-stream-5", { sees: "error" }),
];

/** The user's message as a model of that style repeats it. */
export function rewritten(style, text) {
  return STYLES[style](text);
}

/** An error that quotes. */
export function quotingError(text) {
  return JSON.stringify({ error: { message: `Invalid value: ${text}`, type: "invalid_request_error", param: null, code: null } });
}
