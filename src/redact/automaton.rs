//! A compiled automaton, ready to run.

use super::compile::{DEAD, Dfa, EDGE};
use super::rules::SETS;

/// Characters of which the class is looked up directly: all in common use.
const DIRECT: usize = 0x1_0000;

/// Tables of one automaton.
#[derive(Clone, Debug)]
pub(crate) struct Automaton {
    direct: Box<[u8]>,
    /// Where classes begin, for the rest.
    classes: Vec<(u32, u8)>,
    width: usize,
    table: Box<[u16]>,
    /// By start, then class: the state behind the character before a match.
    first: Vec<u16>,
    /// By state: where its rules are in `rules`.
    accepts: Box<[(u16, u8)]>,
    rules: Vec<u16>,
    pub(crate) edge: u8,
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
        let mut direct = vec![0; DIRECT];
        let mut upto = DIRECT;
        for &(from, class) in classes.iter().rev() {
            let from = (from as usize).min(upto);
            if let Some(range) = direct.get_mut(from..upto) {
                range.fill(class);
            }
            upto = from;
        }
        let edge = classes.last().filter(|last| last.0 == EDGE).map_or(0, |last| last.1);
        let cell = |state: u16, class: usize| table.get(usize::from(state) * width + class).copied().unwrap_or(DEAD);
        let first = starts.iter().flat_map(|start| (0..width).map(move |class| cell(*start, class))).collect();
        Automaton {
            direct: direct.into_boxed_slice(),
            classes,
            width,
            table: table.into_boxed_slice(),
            first,
            accepts: accepts.into_boxed_slice(),
            rules,
            edge,
        }
    }

    #[inline(always)]
    pub(crate) fn class(&self, c: char) -> u8 {
        match self.direct.get(c as usize) {
            Some(class) => *class,
            None => self.rare_class(c as u32),
        }
    }

    #[inline(never)]
    fn rare_class(&self, c: u32) -> u8 {
        let behind = self.classes.partition_point(|(from, _)| *from <= c);
        self.classes.get(behind.wrapping_sub(1)).map_or(0, |(_, class)| *class)
    }

    #[inline(always)]
    pub(crate) fn next(&self, state: u16, class: u8) -> u16 {
        self.table.get(usize::from(state) * self.width + usize::from(class)).copied().unwrap_or(DEAD)
    }

    /// The state of a match that begins behind a character of this class.
    #[inline(always)]
    pub(crate) fn begin(&self, start: usize, before: u8) -> u16 {
        self.first.get(start * self.width + usize::from(before)).copied().unwrap_or(DEAD)
    }

    /// The rules that are matched in a state.
    #[inline(always)]
    pub(crate) fn matched(&self, state: u16) -> &[u16] {
        match self.accepts.get(usize::from(state)) {
            Some(&(at, count)) if count > 0 => {
                self.rules.get(usize::from(at)..usize::from(at) + usize::from(count)).unwrap_or_default()
            }
            _ => &[],
        }
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
