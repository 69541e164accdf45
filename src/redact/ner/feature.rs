//! What the tagger sees of a unit: its neighbours, what was decided before it and the entity it may go on with, each a hash.

use super::Kind;
use super::token::{Shape, Sort, Unit};

/// The most features that a unit has.
const FEATURES: usize = 28;

/// The hashes of one unit's features.
pub(super) struct Features {
    hashes: [u64; FEATURES],
    len: usize,
    /// Set apart the features of Han text from those of words.
    space: u64,
}

impl Features {
    pub(super) fn new() -> Self {
        Self { hashes: [0; FEATURES], len: 0, space: 0 }
    }

    /// All of them.
    pub(super) fn as_slice(&self) -> &[u64] {
        self.hashes.get(..self.len).unwrap_or_default()
    }

    #[inline(always)]
    fn add(&mut self, a: u32, b: u32, c: u32) {
        if let Some(slot) = self.hashes.get_mut(self.len) {
            let salt = (self.space + self.len as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mixed = (salt ^ u64::from(a)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
            let mixed = (mixed ^ (mixed >> 29) ^ u64::from(b)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
            let mixed = (mixed ^ (mixed >> 31) ^ u64::from(c)).wrapping_mul(0x9FB2_1C65_1E98_DF25);
            *slot = mixed ^ (mixed >> 28);
        }
        self.len += 1;
    }
}

/// An unset neighbour: the start of a line, or one that is not looked at.
pub(super) const NONE: u32 = 0;

/// What was decided and read before the unit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Past {
    /// The last symbols, nearest first.
    pub(super) symbols: [u32; 4],
    /// The last two words or signs, nearest first: what they are and how they are written.
    pub(super) words: [u32; 2],
    pub(super) shapes: [u32; 2],
    /// The last two labels, nearest first.
    pub(super) labels: [u8; 2],
}

impl Past {
    pub(super) fn read(&mut self, symbol: u32) {
        let [a, b, c, _] = self.symbols;
        self.symbols = [symbol, a, b, c];
    }

    pub(super) fn named(&mut self, id: u32, shape: u32) {
        self.words = [id, self.words[0]];
        self.shapes = [shape, self.shapes[0]];
    }

    pub(super) fn decided(&mut self, label: u8) {
        self.labels = [label, self.labels[0]];
    }
}

/// The entity that the unit may go on with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Running {
    pub(super) kind: Kind,
    pub(super) units: u8,
    pub(super) first: u32,
    /// What stood before it.
    pub(super) before: u32,
}

fn running(open: Option<Running>) -> (u32, u32, u32) {
    match open {
        Some(open) => (((open.kind as u32) << 4) + u32::from(open.units.min(12)) + 1, open.first, open.before),
        None => (NONE, NONE, NONE),
    }
}

/// Of a Han character, or a sign among them.
pub(super) fn of_han(unit: u32, next: [u32; 2], past: &Past, open: Option<Running>) -> Features {
    let mut all = Features::new();
    let [p1, p2, p3, p4] = past.symbols;
    let [n1, n2] = next;
    let [t1, t2] = past.labels.map(u32::from);
    let (state, first, before) = running(open);
    all.add(unit, 0, 0);
    all.add(p1, 0, 0);
    all.add(n1, 0, 0);
    all.add(p2, 0, 0);
    all.add(n2, 0, 0);
    all.add(p1, unit, 0);
    all.add(unit, n1, 0);
    all.add(p2, p1, 0);
    all.add(n1, n2, 0);
    all.add(p1, n1, 0);
    all.add(p2, p1, unit);
    all.add(p1, unit, n1);
    all.add(unit, n1, n2);
    all.add(t1, t2, 0);
    all.add(t1, unit, 0);
    all.add(t1, n1, unit);
    all.add(t1, p1, unit);
    all.add(t1, p2, p1);
    all.add(p3, p2, p1);
    all.add(p4.wrapping_mul(31).wrapping_add(p3), p2, p1);
    all.add(t1, n1, n2);
    if open.is_some() {
        all.add(state, 0, 0);
        all.add(state, unit, 0);
        all.add(state, first, unit);
        all.add(state, first, n1);
        all.add(state, before, n1);
        all.add(state, unit, n1);
    }
    all
}

/// What follows a word: the next one, and the signs right before and after it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around {
    pub(super) left: u32,
    pub(super) right: u32,
    pub(super) next: u32,
    pub(super) next_shape: u32,
}

/// Of a word, or a sign among words.
pub(super) fn of_word(unit: &Unit, around: Around, past: &Past, open: Option<Running>) -> Features {
    let mut all = Features::new();
    all.space = 64;
    let shape = unit.shape as u32 + ((u32::from(unit.chars.min(3))) << 8);
    let [w1, w2] = past.words;
    let [s1, s2] = past.shapes;
    let [t1, t2] = past.labels.map(u32::from);
    let (state, first, before) = running(open);
    let form = unit.shape as u32;
    all.add(unit.id, form, 0);
    all.add(unit.id, t1, 0);
    all.add(shape, around.next_shape, s1);
    all.add(unit.tail & 0xFFFF, form, 0);
    all.add(unit.tail & 0xFF_FFFF, form, 0);
    all.add(unit.tail, form, 1);
    all.add(unit.head, form, 0);
    all.add(w1, form, 0);
    all.add(w1, t1, form);
    all.add(w2, w1, form);
    all.add(around.next, form, 0);
    all.add(around.next, around.next_shape, t1);
    all.add(w1, unit.id, 0);
    all.add(unit.id, around.next, 0);
    all.add(around.left, around.right, form);
    all.add(around.right, unit.id, 0);
    all.add(t1, t2, form);
    all.add(t1, form, around.next_shape);
    all.add(w1, around.next, form);
    all.add(s1, s2, shape);
    all.add(past.symbols[0], form, t1);
    if open.is_some() {
        all.add(state, form, 0);
        all.add(state, first, 0);
        all.add(state, unit.id, 0);
        all.add(state, before, form);
    }
    all
}

/// How a unit that is no word is written, for the shapes of its neighbours.
pub(super) fn shape_of(unit: &Unit) -> u32 {
    match unit.sort {
        Sort::Word => unit.shape as u32,
        Sort::Han => 9,
        Sort::Space | Sort::Break => NONE,
        Sort::Other if unit.c.is_ascii_digit() => 10,
        Sort::Other => 11,
    }
}

/// Whether a word starts with a capital.
pub(super) fn is_capital(shape: Shape, first: char) -> bool {
    !matches!(shape, Shape::Lower | Shape::Long) && super::fold::lower(first).1
}
