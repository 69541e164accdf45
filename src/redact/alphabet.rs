//! One numbering of characters for all automata, so that a character is looked up once however many of them read it.

use super::compile::{EDGE, in_order};

/// Characters that are looked up directly: all in common use.
const DIRECT: usize = 0x1_0000;

/// Letters: characters that no automaton tells apart have one number.
#[derive(Clone, Debug)]
pub(crate) struct Alphabet {
    direct: Box<[u16]>,
    /// Where each letter begins, in order; a letter's number is its place.
    borders: Vec<u32>,
}

impl Alphabet {
    /// Of the borders of all automata's classes, in any order.
    pub(crate) fn new(mut borders: Vec<u32>) -> Alphabet {
        borders.push(0);
        borders.push(EDGE);
        let mut borders = in_order(borders);
        borders.dedup();
        let mut direct = vec![0; DIRECT].into_boxed_slice();
        let mut upto = DIRECT;
        for (letter, from) in borders.iter().enumerate().rev() {
            let from = (*from as usize).min(upto);
            if let Some(range) = direct.get_mut(from..upto) {
                range.fill(letter as u16);
            }
            upto = from;
        }
        Alphabet { direct, borders }
    }

    /// The number of a character.
    #[inline(always)]
    pub(crate) fn letter(&self, c: char) -> u16 {
        match self.direct.get(c as usize) {
            Some(letter) => *letter,
            None => self.rare(c as u32),
        }
    }

    #[inline(never)]
    fn rare(&self, c: u32) -> u16 {
        (self.borders.partition_point(|from| *from <= c) as u16).saturating_sub(1)
    }

    /// The number of the edge of a text.
    pub(crate) fn edge(&self) -> u16 {
        (self.borders.len() as u16).saturating_sub(1)
    }

    /// Where letters begin, in order of their numbers.
    pub(crate) fn borders(&self) -> &[u32] {
        &self.borders
    }
}
