//! Context: the words that make a number a telephone's, or an order's. They are looked for where one may end, backwards, so that they need
//! no state of their own and nothing is held back for them.

use super::rules::WORDS;

/// Places for pairs of characters; several may share one.
const PAIRS: usize = 1 << 14;

/// The place of a pair.
#[inline(always)]
fn pair(last: char, before: Option<char>) -> usize {
    let before = before.map_or(0, |before| before as u32 + 1);
    (last as u32).wrapping_mul(0x9E37_79B1).wrapping_add(before.wrapping_mul(0x85EB_CA6B)) as usize >> 8 & (PAIRS - 1)
}

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
    /// Whether two characters may be some word's last, a bit for each pair's place.
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
        let mut ends = vec![0u64; PAIRS / 64].into_boxed_slice();
        for word in &words {
            let cases = |at: usize| {
                let c = word.reversed.get(at).copied();
                [c, c.map(|c| c.to_ascii_uppercase())]
            };
            for last in cases(0) {
                for before in cases(1) {
                    // A word of one character may stand behind anything: it has a place of its own.
                    let place = pair(last.unwrap_or(' '), before);
                    if let Some(bits) = ends.get_mut(place / 64) {
                        *bits |= 1 << (place % 64);
                    }
                }
            }
        }
        Words { words, ends }
    }

    /// Whether some word may end with this character, behind that one.
    #[inline(always)]
    pub(crate) fn may_end(&self, c: char, before: Option<char>) -> bool {
        let has = |place: usize| self.ends.get(place / 64).is_some_and(|bits| bits >> (place % 64) & 1 == 1);
        has(pair(c, before)) || !c.is_ascii() && has(pair(c, None))
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
