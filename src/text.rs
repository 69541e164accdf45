//! Looking for a word in a text. The standard library's search keeps linear time for words of any length, at the price of some kilobytes
//! of a page's bundle; the words here are our own and short.

/// Whether `text` holds `word`.
pub(crate) fn has(text: &str, word: &str) -> bool {
    find(text, word).is_some()
}

/// What stands before the first `word` in `text`.
pub(crate) fn before<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.get(..find(text, word)?)
}

/// What follows the first `word` in `text`.
pub(crate) fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.get(find(text, word)? + word.len()..)
}

fn find(text: &str, word: &str) -> Option<usize> {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    let starts = |at: &usize| text.get(*at..).is_some_and(|rest| rest.starts_with(word));
    match word.first() {
        Some(first) => memchr::memchr_iter(*first, text).find(starts),
        None => Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::{after, has};

    #[test]
    fn a_word_is_found_wherever_it_stands() {
        assert!(has("try again", "try") && has("aab", "ab") && has("余额不足", "不足"));
        assert!(has("", "") && has("a", ""));
        assert!(!has("tr", "try") && !has("", "try"));
        assert_eq!((after("a, b, c", ", "), after("ab", "b"), after("a", "b")), (Some("b, c"), Some(""), None));
    }
}
