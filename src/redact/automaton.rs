//! A compiled automaton, ready to run.

use super::alphabet::Alphabet;
use super::compile::{DEAD, Dfa};
use super::rules::SETS;

/// Set in the number of a state in which some rule is matched.
pub(crate) const MATCHES: u16 = 1 << 15;

/// Tables of one automaton.
#[derive(Clone, Debug)]
pub(crate) struct Automaton {
    /// By letter of the alphabet: its class.
    letters: Box<[u8]>,
    /// Where classes begin.
    classes: Vec<(u32, u8)>,
    width: usize,
    table: Box<[u16]>,
    /// By start, then class: the state behind the character before a match.
    first: Vec<u16>,
    /// By state: where its rules are in `rules`.
    accepts: Box<[(u16, u8)]>,
    rules: Vec<u16>,
}

impl Automaton {
    /// `ids`: the rules' numbers by their place in the compiler's input.
    pub(crate) fn new(dfa: &Dfa, ids: &[u16]) -> Automaton {
        let mut rules = Vec::new();
        let mut accepts = Vec::with_capacity(dfa.accepts.len());
        for matched in &dfa.accepts {
            accepts.push((rules.len() as u16, matched.len() as u8));
            rules.extend(matched.iter().filter_map(|rule| ids.get(usize::from(*rule))));
        }
        Self::ready(dfa.classes.clone(), dfa.width, dfa.table.clone(), &dfa.starts, accepts, rules)
    }

    /// The built-in ones, in the order of [`SETS`]. What the build script wrote is whole; were it not, nothing would match.
    pub(crate) fn built_in() -> Vec<Automaton> {
        const PACKED: [&[u8]; SETS.len()] = [
            include_bytes!(concat!(env!("OUT_DIR"), "/number.dfa")),
            include_bytes!(concat!(env!("OUT_DIR"), "/word.dfa")),
            include_bytes!(concat!(env!("OUT_DIR"), "/code.dfa")),
            include_bytes!(concat!(env!("OUT_DIR"), "/key.dfa")),
            include_bytes!(concat!(env!("OUT_DIR"), "/street.dfa")),
            include_bytes!(concat!(env!("OUT_DIR"), "/han.dfa")),
            include_bytes!(concat!(env!("OUT_DIR"), "/place.dfa")),
            include_bytes!(concat!(env!("OUT_DIR"), "/tel.dfa")),
            include_bytes!(concat!(env!("OUT_DIR"), "/date.dfa")),
            include_bytes!(concat!(env!("OUT_DIR"), "/pack.dfa")),
            include_bytes!(concat!(env!("OUT_DIR"), "/mail.dfa")),
            include_bytes!(concat!(env!("OUT_DIR"), "/own.dfa")),
            include_bytes!(concat!(env!("OUT_DIR"), "/url.dfa")),
        ];
        PACKED.iter().map(|packed| Self::unpack(packed)).collect()
    }

    fn unpack(packed: &[u8]) -> Automaton {
        let mut read = Reader(packed);
        let classes = (0..read.short()).map(|_| (read.three(), read.byte())).collect();
        let width = read.short();
        let states = read.short();
        let starts: Vec<u16> = (0..super::assemble::STARTS).map(|_| read.short() as u16).collect();
        let mut rules = Vec::new();
        let mut accepts = Vec::with_capacity(states);
        for _ in 0..states {
            let count = read.byte();
            accepts.push((rules.len() as u16, count));
            rules.extend((0..count).map(|_| u16::from(read.byte())));
        }
        let mut table = Vec::with_capacity(states * width);
        while table.len() < states * width && !read.0.is_empty() {
            let (run, to) = (read.byte(), read.short());
            table.resize(table.len() + usize::from(run), to as u16);
        }
        Self::ready(classes, width, table, &starts, accepts, rules)
    }

    fn ready(
        classes: Vec<(u32, u8)>,
        width: usize,
        table: Vec<u16>,
        starts: &[u16],
        accepts: Vec<(u16, u8)>,
        rules: Vec<u16>,
    ) -> Automaton {
        let mut table = table;
        for to in &mut table {
            // Whether a state matches something is told with its number, so that the usual step looks nothing else up.
            if accepts.get(usize::from(*to)).is_some_and(|matched| matched.1 > 0) {
                *to |= MATCHES;
            }
        }
        let cell = |state: u16, class: usize| table.get(usize::from(state) * width + class).copied().unwrap_or(DEAD);
        let first = starts.iter().flat_map(|start| (0..width).map(move |class| cell(*start, class))).collect();
        let (table, accepts) = (table.into_boxed_slice(), accepts.into_boxed_slice());
        Automaton { letters: Box::default(), classes, width, table, first, accepts, rules }
    }

    /// Where its classes begin.
    pub(crate) fn borders(&self) -> impl Iterator<Item = u32> {
        self.classes.iter().map(|(from, _)| *from)
    }

    /// From now on it reads letters of this alphabet, which has all its borders.
    pub(crate) fn learn(&mut self, alphabet: &Alphabet) {
        let mut classes = self.classes.iter().copied().peekable();
        let mut class = 0;
        let mut of = |border: u32| {
            while let Some((_, next)) = classes.next_if(|(from, _)| *from <= border) {
                class = next;
            }
            class
        };
        self.letters = alphabet.borders().iter().map(|border| of(*border)).collect();
    }

    /// How it knows a letter.
    #[inline(always)]
    pub(crate) fn class(&self, letter: u16) -> u8 {
        self.letters.get(usize::from(letter)).copied().unwrap_or(0)
    }

    #[inline(always)]
    pub(crate) fn next(&self, state: u16, class: u8) -> u16 {
        self.table.get(usize::from(state & !MATCHES) * self.width + usize::from(class)).copied().unwrap_or(DEAD)
    }

    /// The state of a match that begins behind a character of this class.
    #[inline(always)]
    pub(crate) fn begin(&self, start: usize, before: u8) -> u16 {
        self.first.get(start * self.width + usize::from(before)).copied().unwrap_or(DEAD)
    }

    /// The rules that are matched in a state.
    #[inline(always)]
    pub(crate) fn matched(&self, state: u16) -> &[u16] {
        match self.accepts.get(usize::from(state & !MATCHES)) {
            Some(&(at, count)) if count > 0 => {
                self.rules.get(usize::from(at)..usize::from(at) + usize::from(count)).unwrap_or_default()
            }
            _ => &[],
        }
    }

    /// The rules that it has.
    pub(crate) fn rules(&self) -> &[u16] {
        &self.rules
    }

    /// Whether a match may begin (behind anything) with a character of this class, from this start.
    pub(crate) fn may_begin(&self, start: usize, class: u8) -> bool {
        (0..self.width).any(|before| self.next(self.begin(start, before as u8), class) != DEAD)
    }

    /// Whether a match may begin behind a character of this class, from this start.
    pub(crate) fn may_follow(&self, start: usize, before: u8) -> bool {
        self.begin(start, before) != DEAD
    }
}

/// Little-endian numbers, zeros when they run out.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    fn short(&mut self) -> usize {
        usize::from(self.byte()) | usize::from(self.byte()) << 8
    }

    fn three(&mut self) -> u32 {
        self.short() as u32 | u32::from(self.byte()) << 16
    }
}
