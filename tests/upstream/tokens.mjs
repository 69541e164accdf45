// A tokenizer that is good enough to stream and to count with: words with the space before them, single marks, one or two
// Han characters. Joining the tokens gives the text back; no token ends inside a character.

const TOKEN = /\n+|[^\S\n]*[[\p{L}\p{N}_]--\p{Script=Han}]+|[^\S\n]*\p{Script=Han}{1,2}|\p{RGI_Emoji}|[^\S\n]*[^\s]|[^\S\n]+/gv;
const WORD_CHARS = 24;

/** The tokens of a text, in order, lazily. */
export function* tokens(text) {
  for (const [token] of text.matchAll(TOKEN)) {
    if (token.length <= WORD_CHARS) yield token;
    else yield* pieces(token, WORD_CHARS);
  }
}

/** How many tokens a text has. */
export function countTokens(text) {
  let count = 0;
  for (const _ of tokens(text)) count += 1;
  return count;
}

/** A text in pieces of `size` code points. */
export function* pieces(text, size) {
  let piece = "";
  let length = 0;
  for (const character of text) {
    piece += character;
    if (++length === size) {
      yield piece;
      piece = "";
      length = 0;
    }
  }
  if (piece) yield piece;
}

/** The first `limit` code points of a text on one line, with an ellipsis where something was left out. */
export function excerpt(text, limit) {
  const characters = Array.from(text.slice(0, limit * 4).replace(/\s+/g, " ").trim());
  return characters.length <= limit ? characters.join("") : `${characters.slice(0, limit).join("")}…`;
}

/** Whether a text is to be answered in Chinese. */
export function isChinese(text) {
  return /\p{Script=Han}/u.test(text);
}
