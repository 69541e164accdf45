//! Names of people, places and organisations: a tagger that reads a text character by character and never goes back.
//!
//! Each unit (a Han character, a word) gets its label once, from its neighbours, what was decided before it and at most two
//! characters after it (Han) or the next word (alphabetic scripts). So the marks depend on the text alone, never on how it was
//! cut into chunks; memory is bounded; and what has to wait for a decision is the entity that is open, or that look-ahead.
//!
//! The weights come from a file ([`Model::load`]) that `scripts/ner.mjs` trains with this very code: the trainer is one more
//! [`Scorer`]. `models/ner/README.md` tells from what, and how well it does.

mod feature;
mod fold;
mod model;
mod token;
mod veto;

use std::collections::VecDeque;

pub use model::{HEADER, MODEL_BYTES, Model, SLOT, SLOTS, WEIGHTS, place, sum};

use feature::{Around, NONE, Past, Running};
use token::{Cutter, Shape, Sort, Unit, symbol};

/// The most characters of an entity; what is longer is cut there.
pub const ENTITY_CHARS: usize = 40;

/// What a mark stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A person's name, or a part of it.
    Person,
    /// A place: a country, a city, a street.
    Place,
    /// An organisation: a company, an office, a team.
    Organisation,
}

/// An entity that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// What it is.
    pub kind: Kind,
    /// The byte at which it starts.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
    /// How sure the tagger is, 0 to 100. Below 50 it was found only because of the bias.
    pub score: u8,
}

/// A decision about a unit: no entity, or the begin or a further part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label(pub u8);

/// What decides about a unit: the [`Model`], or the trainer that makes one.
pub trait Scorer {
    /// The label of the unit at byte `at` with these features, and by how many hundredths of the typical margin it is above "no entity".
    /// Unless an entity is open, none can be gone on with.
    fn decide(&mut self, features: &[u64], at: usize, open: bool, bias: i8) -> (Label, i32);
    /// Whether an entity may start with this Han character.
    fn may_start(&self, c: char) -> bool;
    /// The character that stands for this Han character: the simplified form of a traditional one.
    fn fold(&self, c: char) -> char;
}

/// One text being tagged, as it streams in.
#[derive(Debug)]
pub struct Tagging {
    bias: i8,
    cutter: Cutter,
    waiting: VecDeque<Unit>,
    past: Past,
    /// The last unit but for spaces was of Han text.
    han: bool,
    /// A lower-case word may be a name here: "my name is …".
    asked: bool,
    open: Option<Open>,
}

/// The entity that is being read.
#[derive(Debug)]
struct Open {
    running: Running,
    start: usize,
    end: usize,
    margin: i32,
    text: Vec<char>,
}

impl Tagging {
    /// Starts a text. `bias` moves the balance: 0 is as trained, positive finds more and is wrong more often; 64 is one typical margin.
    #[must_use]
    pub fn new(bias: i8) -> Self {
        Self {
            bias,
            cutter: Cutter::default(),
            waiting: VecDeque::with_capacity(8),
            past: Past::default(),
            han: false,
            asked: false,
            open: None,
        }
    }

    /// Takes the next character, which stands at byte `at`, and appends the marks that became certain.
    pub fn push(&mut self, model: &Model, c: char, at: usize, marks: &mut Vec<Mark>) {
        self.push_with(&mut &*model, c, at, marks);
    }

    /// The text is over: appends the marks that were still open.
    pub fn finish(&mut self, model: &Model, marks: &mut Vec<Mark>) {
        self.finish_with(&mut &*model, marks);
    }

    /// [`push`](Self::push) with any scorer.
    pub fn push_with<S: Scorer>(&mut self, scorer: &mut S, c: char, at: usize, marks: &mut Vec<Mark>) {
        let len = c.len_utf8();
        let mut c = fold::plain(c);
        if fold::is_han(c) {
            c = scorer.fold(c);
        }
        for unit in self.cutter.push(c, at, len).into_iter().flatten() {
            self.queue(unit);
        }
        self.settle(scorer, false, marks);
    }

    /// [`finish`](Self::finish) with any scorer.
    pub fn finish_with<S: Scorer>(&mut self, scorer: &mut S, marks: &mut Vec<Mark>) {
        if let Some(word) = self.cutter.finish() {
            self.queue(word);
        }
        self.settle(scorer, true, marks);
        self.close(marks);
        *self = Self::new(self.bias);
    }

    /// The byte from which on nothing is decided yet; what stands before it holds no entity that was not marked. `None`: all is decided.
    #[must_use]
    pub fn held_from(&self) -> Option<usize> {
        if let Some(open) = &self.open {
            return Some(open.start);
        }
        if let Some(unit) = self.waiting.front() {
            return Some(unit.start);
        }
        self.cutter.open().filter(|word| !self.is_plain(word)).map(|word| word.start)
    }

    fn queue(&mut self, unit: Unit) {
        let more = unit.sort == Sort::Space;
        if let Some(last) = self.waiting.back_mut().filter(|last| more && last.sort == Sort::Space) {
            last.end = unit.end;
            last.chars = last.chars.saturating_add(1);
            if last.chars > 2 {
                last.sort = Sort::Break;
            }
            return;
        }
        self.waiting.push_back(unit);
    }

    /// Decides about all units whose look-ahead is there.
    fn settle<S: Scorer>(&mut self, scorer: &mut S, over: bool, marks: &mut Vec<Mark>) {
        while let Some(unit) = self.waiting.front().copied() {
            match unit.sort {
                Sort::Break => {
                    self.close(marks);
                    self.past = Past::default();
                    self.asked = false;
                    self.han = false;
                }
                Sort::Space => self.past.read(symbol(&unit)),
                Sort::Other if self.open.is_none() || is_stop(unit.c) => self.pass(&unit, marks),
                Sort::Han if self.open.is_none() && !scorer.may_start(unit.c) => self.pass(&unit, marks),
                Sort::Word if self.is_plain(&unit) => self.pass(&unit, marks),
                Sort::Han | Sort::Other if self.han || unit.sort == Sort::Han => {
                    let Some(next) = self.next_symbols(over) else { return };
                    let features = feature::of_han(symbol(&unit), next, &self.past, self.running());
                    let decision = scorer.decide(features.as_slice(), unit.start, self.open.is_some(), self.bias);
                    self.decide(&unit, decision, marks);
                }
                _ => {
                    let Some(around) = self.around(over) else { return };
                    match around {
                        None => self.pass(&unit, marks),
                        Some(around) => {
                            let features = feature::of_word(&unit, around, &self.past, self.running());
                            let decision =
                                scorer.decide(features.as_slice(), unit.start, self.open.is_some(), self.bias);
                            self.decide(&unit, decision, marks);
                        }
                    }
                }
            }
            self.waiting.pop_front();
        }
    }

    fn running(&self) -> Option<Running> {
        self.open.as_ref().map(|open| open.running)
    }

    /// A word that is no name whatever follows: written small, and nothing asks for one.
    fn is_plain(&self, word: &Unit) -> bool {
        word.shape == Shape::Long
            || (!feature::is_capital(word.shape, word.c) && !self.asked && (self.open.is_none() || self.han))
    }

    /// The two characters after the first unit that waits; `None` while they are not there and may still matter.
    fn next_symbols(&self, over: bool) -> Option<[u32; 2]> {
        let Some(next) = self.waiting.get(1).or(self.cutter.open()) else { return over.then_some([NONE, NONE]) };
        let first = symbol(next);
        if !matches!(next.sort, Sort::Han | Sort::Other) || next.c.is_ascii_digit() || is_stop(next.c) {
            return Some([first, NONE]);
        }
        match self.waiting.get(2).or(self.cutter.open()) {
            Some(second) => Some([first, symbol(second)]),
            None => over.then_some([first, NONE]),
        }
    }

    /// What stands around the word that waits. `None`: it is not there yet. `Some(None)`: the word is part of an address, a path, code.
    fn around(&self, over: bool) -> Option<Option<Around>> {
        let unit = self.waiting.front()?;
        let left = self.past.symbols[0];
        if unit.sort == Sort::Word && is_glue(left) {
            return Some(None);
        }
        let Some(right) = self.waiting.get(1) else {
            return over.then_some(Some(Around { left, right: NONE, next: NONE, next_shape: NONE }));
        };
        let sign = symbol(right);
        if unit.sort == Sort::Word && (is_glue(sign) || sign == u32::from('(')) {
            return Some(None);
        }
        let next = if right.sort == Sort::Space { self.waiting.get(2) } else { Some(right) };
        match next {
            Some(next) if next.sort == Sort::Break => {
                Some(Some(Around { left, right: sign, next: NONE, next_shape: NONE }))
            }
            Some(next) => {
                // "Node.js" is no sentence's end: what follows the sign must be there.
                if right.sort == Sort::Other && self.waiting.len() == 2 && self.cutter.open().is_none() && !over {
                    return None;
                }
                let joined = self.waiting.get(2).or(self.cutter.open());
                let is_joined = joined.is_some_and(|after| after.sort == Sort::Word && after.start == right.end);
                if sign == u32::from('.') && is_joined && unit.shape != Shape::Initial && unit.sort == Sort::Word {
                    return Some(None);
                }
                Some(Some(Around { left, right: sign, next: next.id, next_shape: feature::shape_of(next) }))
            }
            None => over.then_some(Some(Around { left, right: sign, next: NONE, next_shape: NONE })),
        }
    }

    /// The unit is part of nothing.
    fn pass(&mut self, unit: &Unit, marks: &mut Vec<Mark>) {
        self.decide(unit, (Label::NONE, 0), marks);
    }

    fn decide(&mut self, unit: &Unit, (label, margin): (Label, i32), marks: &mut Vec<Mark>) {
        let mut label = label;
        match label.kind() {
            None => self.close(marks),
            Some(kind) => {
                let room = |open: &&mut Open| open.text.len() + usize::from(unit.chars) < ENTITY_CHARS;
                if let Some(open) = self.open.as_mut().filter(|_| !label.begins()).filter(room) {
                    // The last word counts: that a place's name starts an organisation's is seen only at its end.
                    open.running.kind = kind;
                    open.extend(unit, margin);
                } else {
                    self.close(marks);
                    if unit.sort == Sort::Other {
                        label = Label::NONE;
                    } else {
                        self.open = Some(Open::new(unit, kind, self.past.symbols[0], margin));
                        label = Label(label.0 - u8::from(!label.begins()));
                    }
                }
            }
        }
        self.past.read(symbol(unit));
        self.past.named(unit.id, feature::shape_of(unit));
        self.past.decided(label.0);
        self.asked = unit.sort == Sort::Word && veto::asks(unit.id);
        self.han = unit.sort == Sort::Han;
    }

    fn close(&mut self, marks: &mut Vec<Mark>) {
        marks.extend(self.open.take().and_then(Open::mark));
    }
}

impl Open {
    fn new(unit: &Unit, kind: Kind, before: u32, margin: i32) -> Self {
        let running = Running { kind, units: 0, first: unit.id, before };
        let mut open = Self { running, start: unit.start, end: unit.end, margin: 0, text: Vec::with_capacity(8) };
        open.extend(unit, margin);
        open
    }

    fn extend(&mut self, unit: &Unit, margin: i32) {
        self.running.units = self.running.units.saturating_add(1);
        self.end = unit.end;
        self.margin += margin;
        self.text.push(unit.c);
        self.text.extend(core::iter::repeat_n(veto::BLANK, usize::from(unit.chars).saturating_sub(1)));
    }

    fn mark(self) -> Option<Mark> {
        let mean = self.margin / i32::from(self.running.units.max(1));
        let score = (50 + mean / 4).clamp(0, 100);
        if veto::forbids(self.running, &self.text, score) {
            return None;
        }
        Some(Mark {
            kind: self.running.kind,
            start: self.start,
            end: self.end,
            score: u8::try_from(score).unwrap_or(0),
        })
    }
}

/// Signs that no entity goes over.
fn is_stop(c: char) -> bool {
    matches!(
        c,
        '。' | '、' | '《' | '》' | '【' | '】' | '!' | '"' | '#' | '$' | '%' | '*' | '+' | ',' | '/' | ':'..='@' | '[' | '\\' | ']'..='`'
            | '{'..='~'
    )
}

/// Signs that make the word next to them part of an address, a path or code. Those of Markdown's emphasis and tables are not among them.
fn is_glue(symbol: u32) -> bool {
    char::from_u32(symbol).is_some_and(
        |c| matches!(c, '0' | '#' | '$' | '%' | '+' | '/' | '<'..='>' | '@' | '\\' | '^'..='`' | '{' | '}' | '~'),
    )
}
