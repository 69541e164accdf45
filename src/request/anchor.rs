//! The last words of an answer, by which it is taken up again: asked for by [`Request::continued`](super::Request::continued), found
//! again by [`Splice`](crate::exchange::Splice). One rule for both, so it stands here.

/// The most characters that an anchor has. So many seldom occur twice, and a model repeats so few without a slip.
const CHARS: usize = 60;
/// How many of them may be given up for a start between two words.
const SLACK: usize = 24;

/// The last words of `text`, at most 60 characters, without whitespace at either end; empty if there is nothing but whitespace.
///
/// It starts where a word or an ideograph does, if one of the window's first 24 characters is such a place.
///
/// ```
/// use sluicegate::request::anchor;
///
/// let text = "The quick brown fox jumps over the lazy dog, and the dog does not even open an eye. ";
/// assert_eq!(anchor(text), "over the lazy dog, and the dog does not even open an eye.");
/// ```
pub fn anchor(text: &str) -> &str {
    let text = text.trim_end();
    let Some((start, _)) = text.char_indices().rev().nth(CHARS - 1).filter(|(start, _)| *start > 0) else {
        return text.trim_start();
    };
    let (before, window) = text.split_at_checked(start).unwrap_or(("", text));
    let mut previous = before.chars().next_back().unwrap_or(' ');
    for (at, c) in window.char_indices().take(SLACK) {
        if !c.is_whitespace() && (previous.is_whitespace() || is_wide(c)) && !joins(previous) {
            return window.get(at..).unwrap_or(window);
        }
        previous = c;
    }
    window.trim_start()
}

/// Whether a character is written without spaces around it: an ideograph, kana, a full-width form, an emoji.
pub(crate) fn is_wide(c: char) -> bool {
    // Variation selectors and the tags of flags only follow.
    c >= '\u{2E80}' && !matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{E0000}'..)
}

/// Whether the next character belongs to the same sign: a zero-width joiner.
fn joins(c: char) -> bool {
    c == '\u{200D}'
}

/// How much a text tells: a wide character as much as two others.
pub(crate) fn weight(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::{CHARS, anchor};

    #[test]
    fn an_anchor_starts_with_a_word_and_ends_with_the_text() {
        let text = "one two three four five six seven eight nine ten eleven twelve thirteen ";
        assert_eq!(anchor(text), "four five six seven eight nine ten eleven twelve thirteen");
        assert_eq!(anchor("  short\n"), "short");
        assert_eq!((anchor(""), anchor(" \n\t")), ("", ""));
        let chinese = "好".repeat(100);
        assert_eq!(anchor(&chinese).chars().count(), CHARS);
        let unbroken = "x".repeat(100);
        assert_eq!(anchor(&unbroken).len(), CHARS);
        let family = "👩\u{200D}👩\u{200D}👧".repeat(20);
        assert!(anchor(&family).starts_with("👩\u{200D}👩"), "{}", anchor(&family));
    }
}
