//! Context: the words that make a number a telephone's, or an order's. They are looked for where one may end, backwards, so that they need
//! no state of their own and nothing is held back for them.

use super::rules::WORDS;

/// One word, its characters from last to first.
#[derive(Clone, Debug)]
struct Word {
    groups: u64,
    reversed: Vec<char>,
}

/// All context words.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    /// In order of their last character.
    words: Vec<Word>,
    /// Whether a character is some word's last, for those under 0x10000.
    ends: Box<[u64]>,
}

impl Words {
    /// The built-in words, and a policy's own: by the bit of their group.
    pub(crate) fn new(own: &[(u64, String)]) -> Words {
        let mut words: Vec<Word> = Vec::new();
        let mut add = |groups: u64, text: &str| {
            let reversed: Vec<char> = text.chars().rev().flat_map(char::to_lowercase).collect();
            match words.iter_mut().find(|word| word.reversed == reversed) {
                Some(word) => word.groups |= groups,
                None if reversed.is_empty() => {}
                None => words.push(Word { groups, reversed }),
            }
        };
        for &(groups, list) in WORDS {
            // Where words have spaces in them, a bar is between them.
            let between = if list.contains('|') { '|' } else { ' ' };
            list.split(between).for_each(|word| add(groups, word));
        }
        add(super::rules::group::URL, "://");
        own.iter().for_each(|(groups, word)| add(*groups, word));
        words.sort_unstable_by(|a, b| a.reversed.cmp(&b.reversed));
        let mut ends = vec![0u64; 1024].into_boxed_slice();
        for word in &words {
            let last = word.reversed.first().map_or(0, |c| *c as usize);
            for last in [last, (last as u8 as char).to_ascii_uppercase() as usize | (last & !0xFF)] {
                if let Some(bits) = ends.get_mut(last / 64) {
                    *bits |= 1 << (last % 64);
                }
            }
        }
        Words { words, ends }
    }

    /// Whether some word ends with this character, in either case.
    #[inline(always)]
    pub(crate) fn may_end(&self, c: char) -> bool {
        let at = c as usize;
        self.ends.get(at / 64).is_some_and(|bits| bits >> (at % 64) & 1 == 1)
    }

    /// The groups of the words that end here; `back(n)` is the character n before the last, which is `back(0)`.
    #[inline(never)]
    pub(crate) fn ending(&self, back: impl Fn(usize) -> Option<char>) -> u64 {
        let Some(last) = back(0).map(|c| c.to_ascii_lowercase()) else { return 0 };
        let from = self.words.partition_point(|word| word.reversed.first().is_some_and(|c| *c < last));
        let mut groups = 0;
        for word in self.words.get(from..).unwrap_or_default() {
            if word.reversed.first() != Some(&last) {
                break;
            }
            let same = |(at, c): (usize, &char)| back(at).is_some_and(|found| found.to_ascii_lowercase() == *c);
            if word.reversed.iter().enumerate().skip(1).all(|(at, c)| same((at, c))) && is_apart(word, &back) {
                groups |= word.groups;
            }
        }
        groups
    }
}

/// A word of letters does not begin in the middle of one; `userPhone` and `user_phone` are two.
fn is_apart(word: &Word, back: &impl Fn(usize) -> Option<char>) -> bool {
    let length = word.reversed.len();
    let first = back(length - 1);
    match back(length) {
        Some(before) if first.is_some_and(|c| c.is_ascii_alphabetic()) && before.is_ascii_alphabetic() => {
            before.is_ascii_lowercase() && first.is_some_and(|c| c.is_ascii_uppercase())
        }
        _ => true,
    }
}
