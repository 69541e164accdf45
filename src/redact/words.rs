//! Context: the words that make a number a telephone's, or an order's. They are looked for where one may end, backwards, so that they need
//! no state of their own and nothing is held back for them.

use super::compile::in_order;
use super::rules::WORDS;

/// Places for the last characters of words; several may share one.
const PLACES: usize = 1 << 14;
/// Of how many bits a character leaves its mark in [`Recent`], and the marks of two and of three.
const MARK: u32 = 10;
const TWO: u32 = (1 << (2 * MARK)) - 1;
const THREE: u32 = (1 << (3 * MARK)) - 1;

/// The last three characters, as far as it takes to see whether a word may end with them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Recent(u32);

impl Recent {
    #[inline(always)]
    pub(crate) fn push(&mut self, c: char) {
        // Letters of both cases leave the same mark.
        self.0 = self.0 << MARK | (c as u32 | 0x20) & ((1 << MARK) - 1);
    }

    #[inline(always)]
    fn place(self, mask: u32) -> usize {
        ((self.0 & mask).wrapping_mul(0x9E37_79B1) >> 18) as usize
    }
}

/// One word, its characters from last to first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Word {
    reversed: Vec<char>,
    groups: u64,
}

/// All context words.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    /// In order of their last character.
    words: Vec<Word>,
    /// Whether three characters, or two, may be some word's last: a bit for the place of each.
    ends: Box<[[u64; 2]]>,
}

impl Words {
    /// The built-in words, and a policy's own: by the bit of their group.
    pub(crate) fn new(own: &[(u64, String)]) -> Words {
        let mut words: Vec<Word> = Vec::new();
        let mut add = |groups: u64, text: &str| {
            let reversed: Vec<char> = text.chars().rev().flat_map(char::to_lowercase).collect();
            match words.iter_mut().find(|word| word.reversed == reversed) {
                Some(word) => word.groups |= groups,
                // One character is too little to look for.
                None if reversed.len() < 2 => {}
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
        let words = in_order(words);
        let mut ends = vec![[0u64; 2]; PLACES / 64].into_boxed_slice();
        for word in &words {
            let mut recent = Recent::default();
            word.reversed.iter().take(3).rev().for_each(|c| recent.push(*c));
            let is_short = word.reversed.len() < 3;
            let place = recent.place(if is_short { TWO } else { THREE });
            if let Some(bits) = ends.get_mut(place / 64).and_then(|bits| bits.get_mut(usize::from(is_short))) {
                *bits |= 1 << (place % 64);
            }
        }
        Words { words, ends }
    }

    /// Whether some word may end with these characters.
    #[inline(always)]
    pub(crate) fn may_end(&self, recent: Recent) -> bool {
        let has = |mask: u32, which: usize| {
            let place = recent.place(mask);
            let bits = self.ends.get(place / 64).and_then(|bits| bits.get(which));
            bits.is_some_and(|bits| bits >> (place % 64) & 1 == 1)
        };
        has(THREE, 0) || has(TWO, 1)
    }

    /// The groups of the words that end here; `back(n)` is the character n before the last, which is `back(0)`.
    #[inline(never)]
    pub(crate) fn ending(&self, back: impl Fn(usize) -> Option<char>) -> u64 {
        let Some(last) = back(0).map(|c| c.to_ascii_lowercase()) else { return 0 };
        let before = back(1).map_or('\0', |c| c.to_ascii_lowercase());
        let key = |word: &Word| (word.reversed.first().copied(), word.reversed.get(1).copied());
        let wanted = (Some(last), Some(before));
        let from = self.words.partition_point(|word| key(word) < wanted);
        let mut groups = 0;
        for word in self.words.get(from..).unwrap_or_default() {
            if key(word) != wanted {
                break;
            }
            let same = |(at, c): (usize, &char)| back(at).is_some_and(|found| found.to_ascii_lowercase() == *c);
            if word.reversed.iter().enumerate().skip(2).all(|(at, c)| same((at, c))) && is_apart(word, &back) {
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
