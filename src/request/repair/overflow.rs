//! How many tokens an answer may still have, by what a vendor says of a full context.

use super::words::{Number, ONE, bare, ends};
use crate::text::has;

/// Left free behind the answer: vendors count the tokens around messages differently in their messages and in their checks.
const MARGIN: u64 = 16;
/// An answer that would be cut off after fewer tokens is no answer.
const LEAST: u64 = 16;

/// What stands before a number that is the size of the context.
const LIMIT: &[&str] = &[
    "context length is",
    "context length of",
    "context length",
    "context size",
    "context size is",
    "context size of",
    "context window is",
    "context window of",
    "context limit",
    "max_seq_len",
    "max_model_len",
    "token limit",
    "be <=",
    "less than or equal to",
    ">",
];
/// … the prompt.
const PROMPT: &[&str] = &["prompt_tokens", "prompt contains", "your request has", "your prompt has", "in your prompt"];
/// … prompt and answer together.
const TOTAL: &[&str] = &["max_total_tokens", "requested", "requested about", "total of", "total of about"];

/// What follows on a number that is the prompt.
const OF_PROMPT: &[&str] = &[
    "in the messages",
    "in your prompt",
    "in the prompt",
    "in the input",
    "input tokens",
    "prompt tokens",
    "of text input",
    "tokens from the input",
    "tokens in the input",
    "inputs` tokens",
    "+",
];
/// … the answer.
const OF_ANSWER: &[&str] = &[
    "in the completion",
    "for the completion",
    "in your completion",
    "tokens for the completion",
    "tokens in the completion",
    "in the output",
    "of the output",
    "output tokens",
    "completion tokens",
    "max_new_tokens",
];

/// The bound for the answer that makes it fit. `asked` is the bound that was sent. `None` if the vendor does not give the figures, if the
/// prompt leaves no room worth the name, or if what was asked for is in it already.
pub(super) fn room(numbers: &[Number<'_>], said: &str, asked: Option<u64>) -> Option<u64> {
    // Then the prompt was counted only up to where it was too long.
    if has(said, "at least") {
        return None;
    }
    let (mut limit, mut prompt, mut total, mut answer) = (None, None, None, None);
    for number in numbers {
        let count = u64::try_from(number.micros / ONE).ok();
        let (left, right) = (bare(number.left).trim_end_matches('(').trim_end(), bare(number.right));
        let right = right.trim_start_matches([')', '(']).trim_start();
        let follows = |words: &[&str]| words.iter().any(|word| right.starts_with(word));
        let slot = match () {
            () if follows(OF_ANSWER) => &mut answer,
            () if follows(OF_PROMPT) => &mut prompt,
            () if ends(left, PROMPT) => &mut prompt,
            () if ends(left, LIMIT) => &mut limit,
            () if ends(left, TOTAL) => &mut total,
            () => continue,
        };
        *slot = slot.or(count);
    }
    let known = asked.or(answer)?;
    // Parts of a prompt may be listed one by one, so the difference tells more than the first part.
    let prompt = match (total, answer.or(asked)) {
        (Some(total), Some(answer)) => total.checked_sub(answer)?,
        _ => prompt?,
    };
    // What is "about" so many is counted by another tokenizer.
    let margin = if has(said, "about") { MARGIN + prompt / 16 } else { MARGIN };
    let room = limit?.checked_sub(prompt)?.checked_sub(margin)?;
    (room >= LEAST && room < known).then_some(room)
}
