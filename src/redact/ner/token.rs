//! Characters to units: a Han character, a word of an alphabetic script, a run of spaces, or any other character alone.
//!
//! Units tile the text. Nothing grows with the text: words are cut at [`WORD_CHARS`], and a run of spaces is two numbers.

use super::fold;

/// The longest word that stays one unit; what is longer is no name.
pub(super) const WORD_CHARS: u8 = 32;
/// So many invisible characters in a row are taken for one of another sort, so that they cannot hold a text back for ever.
const INVISIBLE: u8 = 8;

/// What sort of unit it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// One Han character.
    Han,
    /// Letters of an alphabetic script without anything between them.
    Word,
    /// One or two spaces.
    Space,
    /// The end of a line, or a gap as wide as a column's: no entity reaches over it.
    Break,
    /// A digit, a sign, anything else.
    Other,
}

/// How a word is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Lower = 1,
    Capitalised = 2,
    Upper = 3,
    Mixed = 4,
    Initial = 5,
    Long = 6,
}

/// One unit of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    pub(super) sort: Sort,
    /// The byte at which it starts, and the one after its end.
    pub(super) start: usize,
    pub(super) end: usize,
    /// The character, folded; of a word its first.
    pub(super) c: char,
    /// What the unit is known by: of a word the hash of its letters in lower case.
    pub(super) id: u32,
    pub(super) shape: Shape,
    /// The lower-case letters at a word's ends, packed: its first three, its last three and its last two.
    pub(super) head: u32,
    pub(super) tail: u32,
    pub(super) chars: u8,
}

/// What stands for a character in the features of its neighbours.
pub(super) fn symbol(unit: &Unit) -> u32 {
    match unit.sort {
        Sort::Han => unit.c as u32,
        Sort::Word => 'a' as u32,
        Sort::Space => ' ' as u32,
        Sort::Break => '\n' as u32,
        Sort::Other if unit.c.is_ascii_digit() => '0' as u32,
        Sort::Other => unit.c as u32,
    }
}

/// Cuts a text into units, character by character.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    word: Option<Unit>,
    invisible: u8,
}

impl Unit {
    fn of(sort: Sort, c: char, at: usize, len: usize) -> Self {
        Self { sort, start: at, end: at + len, c, id: c as u32, shape: Shape::Lower, head: 0, tail: 0, chars: 1 }
    }

    /// One more letter of a word.
    fn grow(&mut self, c: char, at: usize, len: usize) {
        let (low, upper) = fold::lower(c);
        self.shape = match (self.shape, upper) {
            (Shape::Initial, true) => Shape::Upper,
            (Shape::Initial, false) => Shape::Capitalised,
            (shape @ (Shape::Lower | Shape::Capitalised), false) => shape,
            (Shape::Upper, true) => Shape::Upper,
            _ => Shape::Mixed,
        };
        self.id = step(self.id, low as u32);
        self.tail = (self.tail << 8) | (low as u32 & 0xFF);
        if self.chars < 3 {
            self.head = (self.head << 8) | (low as u32 & 0xFF);
        }
        self.chars = self.chars.saturating_add(1);
        self.end = at + len;
    }

    fn word(c: char, at: usize, len: usize) -> Self {
        let (low, upper) = fold::lower(c);
        let shape = if upper { Shape::Initial } else { Shape::Lower };
        let byte = low as u32 & 0xFF;
        Self { id: step(0x811C_9DC5, low as u32), shape, head: byte, tail: byte, ..Self::of(Sort::Word, c, at, len) }
    }
}

fn step(hash: u32, value: u32) -> u32 {
    (hash ^ value).wrapping_mul(0x0100_0193)
}

impl Cutter {
    /// Takes the next character, folded to `c`, and gives the units that are finished with it: at most two.
    pub(super) fn push(&mut self, c: char, at: usize, len: usize) -> [Option<Unit>; 2] {
        if fold::is_invisible(c) && self.invisible < INVISIBLE {
            self.invisible += 1;
            return [None, None];
        }
        self.invisible = 0;
        if fold::is_letter(c) {
            if let Some(word) = &mut self.word {
                word.grow(c, at, len);
                if word.chars < WORD_CHARS {
                    return [None, None];
                }
                word.shape = Shape::Long;
                return [self.word.take(), None];
            }
            self.word = Some(Unit::word(c, at, len));
            return [None, None];
        }
        let sort = match c {
            '\n' | '\r' | '\t' => Sort::Break,
            ' ' | '\u{A0}' | '\u{3000}' => Sort::Space,
            _ if fold::is_han(c) => Sort::Han,
            _ => Sort::Other,
        };
        [self.word.take(), Some(Unit::of(sort, c, at, len))]
    }

    /// The word that may still grow.
    pub(super) fn open(&self) -> Option<&Unit> {
        self.word.as_ref()
    }

    /// The text is over: what was still growing.
    pub(super) fn finish(&mut self) -> Option<Unit> {
        self.word.take()
    }
}
