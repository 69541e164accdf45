//! Trees to one deterministic automaton: subsets of positions, then the fewest states that tell the same apart.

use super::set::{EDGE, Set, has, in_order};
use super::{Node, Refused};
use std::collections::{BTreeMap, BTreeSet};

/// The state from which nothing can match any more.
pub(crate) const DEAD: u16 = 0;
/// Most positions of all patterns together, and most states.
const POSITIONS: usize = 60_000;
const STATES: usize = 30_000;

/// A pattern with what must stand around it.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) node: Node,
    /// What may stand before it.
    pub(crate) left: Set,
    /// What may stand behind it. `None`: it counts as soon as it matches.
    pub(crate) right: Option<Set>,
    /// Which start state it belongs to.
    pub(crate) start: usize,
}

/// The automaton.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dfa {
    /// Where a class begins: characters from here (to the next) are of the class beside it. Ends with [`EDGE`].
    pub(crate) classes: Vec<(u32, u8)>,
    /// How many classes there are.
    pub(crate) width: usize,
    /// `state * width + class` to the next state.
    pub(crate) table: Vec<u16>,
    /// By start: the state before the character before a match.
    pub(crate) starts: Vec<u16>,
    /// By state: the patterns that are matched, ascending.
    pub(crate) accepts: Vec<Vec<u16>>,
}

/// Compiles patterns, which are known by their place in `inputs`.
pub(crate) fn build(inputs: &[Input], starts: usize) -> Result<Dfa, Refused> {
    let mut nfa = Nfa::default();
    let mut entries: Vec<Vec<usize>> = vec![Vec::new(); starts];
    for (rule, input) in inputs.iter().enumerate() {
        let entry = nfa.rule(input, rule as u16)?;
        if let Some(entries) = entries.get_mut(input.start) {
            entries.push(entry);
        }
    }
    let (classes, width) = classes(&nfa)?;
    let sets = nfa.by_class(&classes, width);
    let dfa = subsets(&nfa, &sets, &entries, classes, width)?;
    Ok(minimal(dfa))
}

/// Positions: what they read leads to another; what they are without reading, too.
#[derive(Default)]
struct Nfa {
    reads: Vec<Option<(Set, usize)>>,
    jumps: Vec<Vec<usize>>,
    accept: Vec<Option<u16>>,
}

impl Nfa {
    fn add(&mut self) -> Result<usize, Refused> {
        if self.reads.len() >= POSITIONS {
            return Err(Refused::TooLarge);
        }
        self.reads.push(None);
        self.jumps.push(Vec::new());
        self.accept.push(None);
        Ok(self.reads.len() - 1)
    }

    fn jump(&mut self, from: usize, to: usize) {
        if let Some(jumps) = self.jumps.get_mut(from) {
            jumps.push(to);
        }
    }

    fn read(&mut self, from: usize, set: &Set) -> Result<usize, Refused> {
        let to = self.add()?;
        if let Some(read) = self.reads.get_mut(from) {
            *read = Some((set.clone(), to));
        }
        Ok(to)
    }

    fn rule(&mut self, input: &Input, rule: u16) -> Result<usize, Refused> {
        let entry = self.add()?;
        let begin = self.read(entry, &input.left)?;
        let core = self.add()?;
        self.jump(begin, core);
        let end = self.node(core, &input.node)?;
        if self.closure(&[core]).contains(&end) {
            return Err(Refused::Empty);
        }
        let last = match &input.right {
            Some(right) => self.read(end, right)?,
            None => end,
        };
        if let Some(accept) = self.accept.get_mut(last) {
            *accept = Some(rule);
        }
        Ok(entry)
    }

    /// Adds a tree behind `from`; gives the position behind it, which reads nothing yet.
    fn node(&mut self, from: usize, node: &Node) -> Result<usize, Refused> {
        match node {
            Node::Set(set) => {
                let at = self.add()?;
                self.jump(from, at);
                self.read(at, set)
            }
            Node::Sequence(nodes) => {
                let mut at = from;
                for node in nodes {
                    at = self.node(at, node)?;
                }
                // A position of its own, so that nobody reads from one that others jump behind.
                let end = self.add()?;
                self.jump(at, end);
                Ok(end)
            }
            Node::Either(options) => {
                let end = self.add()?;
                for option in options {
                    let begin = self.add()?;
                    self.jump(from, begin);
                    let done = self.node(begin, option)?;
                    self.jump(done, end);
                }
                Ok(end)
            }
            Node::Repeat(node, least, most) => {
                let mut at = from;
                for _ in 0..*least {
                    at = self.node(at, node)?;
                }
                let end = self.add()?;
                if *most == u16::MAX {
                    let begin = self.add()?;
                    self.jump(at, begin);
                    self.jump(begin, end);
                    let done = self.node(begin, node)?;
                    self.jump(done, begin);
                } else {
                    self.jump(at, end);
                    for _ in *least..*most {
                        at = self.node(at, node)?;
                        self.jump(at, end);
                    }
                }
                Ok(end)
            }
        }
    }

    /// Everything that is reached without reading, in order.
    fn closure(&self, from: &[usize]) -> Vec<usize> {
        let mut seen: Vec<usize> = from.to_vec();
        let mut done = vec![false; self.reads.len()];
        let mut next = 0;
        for &at in from {
            if let Some(done) = done.get_mut(at) {
                *done = true;
            }
        }
        while let Some(&at) = seen.get(next) {
            next += 1;
            for &to in self.jumps.get(at).into_iter().flatten() {
                if let Some(done) = done.get_mut(to).filter(|done| !**done) {
                    *done = true;
                    seen.push(to);
                }
            }
        }
        in_order(seen)
    }

    /// By reading position: whether it reads a class, as bits.
    fn by_class(&self, classes: &[(u32, u8)], width: usize) -> Vec<Vec<bool>> {
        let of = |set: &Set| {
            let mut reads = vec![false; width];
            for &(from, class) in classes {
                if let Some(read) = reads.get_mut(usize::from(class)).filter(|_| set.has(from)) {
                    *read = true;
                }
            }
            reads
        };
        self.reads.iter().map(|read| read.as_ref().map(|(set, _)| of(set)).unwrap_or_default()).collect()
    }
}

/// Characters that no pattern tells apart are one class.
fn classes(nfa: &Nfa) -> Result<(Vec<(u32, u8)>, usize), Refused> {
    let sets: BTreeSet<&[(u32, u32)]> = nfa.reads.iter().flatten().map(|(set, _)| set.0.as_slice()).collect();
    let mut borders = vec![0, EDGE];
    for set in &sets {
        for &(from, to) in *set {
            borders.push(from);
            borders.push(to + 1);
        }
    }
    let mut borders = in_order(borders);
    borders.dedup();
    let mut known: BTreeMap<Vec<bool>, u8> = BTreeMap::new();
    let mut classes: Vec<(u32, u8)> = Vec::new();
    for border in borders.into_iter().filter(|border| *border <= EDGE) {
        let member: Vec<bool> = sets.iter().map(|set| has(set, border)).collect();
        let next = u8::try_from(known.len()).map_err(|_| Refused::TooLarge)?;
        let class = *known.entry(member).or_insert(next);
        if classes.last().is_none_or(|last| last.1 != class) {
            classes.push((border, class));
        }
    }
    Ok((classes, known.len()))
}

fn subsets(
    nfa: &Nfa,
    sets: &[Vec<bool>],
    entries: &[Vec<usize>],
    classes: Vec<(u32, u8)>,
    width: usize,
) -> Result<Dfa, Refused> {
    let mut states: Vec<Vec<usize>> = vec![Vec::new()];
    let mut known: BTreeMap<Vec<usize>, u16> = BTreeMap::from([(Vec::new(), DEAD)]);
    // Only what reads or is an end tells states apart.
    let keep = |positions: Vec<usize>| -> Vec<usize> {
        let matters = |at: &usize| {
            nfa.reads.get(*at).is_some_and(Option::is_some) || nfa.accept.get(*at).is_some_and(Option::is_some)
        };
        positions.into_iter().filter(matters).collect()
    };
    let mut id = |set: Vec<usize>, states: &mut Vec<Vec<usize>>| -> Result<u16, Refused> {
        if let Some(id) = known.get(&set) {
            return Ok(*id);
        }
        if states.len() >= STATES {
            return Err(Refused::TooLarge);
        }
        let id = states.len() as u16;
        known.insert(set.clone(), id);
        states.push(set);
        Ok(id)
    };
    let mut dfa = Dfa { classes, width, ..Dfa::default() };
    for entries in entries {
        let start = keep(nfa.closure(entries));
        dfa.starts.push(id(start, &mut states)?);
    }
    let closures: Vec<Vec<usize>> = nfa
        .reads
        .iter()
        .map(|read| read.as_ref().map(|(_, to)| keep(nfa.closure(&[*to]))).unwrap_or_default())
        .collect();
    let mut next = 0;
    while let Some(state) = states.get(next).cloned() {
        next += 1;
        for class in 0..width {
            let mut set: Vec<usize> = Vec::new();
            for &at in &state {
                if sets.get(at).and_then(|reads| reads.get(class)).copied().unwrap_or(false) {
                    set.extend_from_slice(closures.get(at).map_or(&[], Vec::as_slice));
                }
            }
            let mut set = in_order(set);
            set.dedup();
            dfa.table.push(id(set, &mut states)?);
        }
    }
    dfa.accepts = states
        .iter()
        .map(|state| {
            let mut rules: Vec<u16> = state.iter().filter_map(|at| nfa.accept.get(*at).copied().flatten()).collect();
            rules.sort_unstable();
            rules.dedup();
            rules
        })
        .collect();
    Ok(dfa)
}

/// Joins the states that cannot be told apart, by splitting groups until nothing splits. What cannot match is one with [`DEAD`].
fn minimal(dfa: Dfa) -> Dfa {
    let states = dfa.accepts.len();
    let mut groups: Vec<u16> = {
        let mut known: BTreeMap<&[u16], u16> = BTreeMap::from([(&[][..], DEAD)]);
        let mut of = |rules| {
            let next = known.len() as u16;
            *known.entry(rules).or_insert(next)
        };
        dfa.accepts.iter().map(|rules| of(rules.as_slice())).collect()
    };
    let mut count = 0;
    loop {
        let mut known: BTreeMap<Vec<u16>, u16> = BTreeMap::new();
        let mut next: Vec<u16> = Vec::with_capacity(states);
        for state in 0..states {
            let row = dfa.table.get(state * dfa.width..(state + 1) * dfa.width).unwrap_or_default();
            let of = |state: u16| groups.get(usize::from(state)).copied().unwrap_or(DEAD);
            let mut key: Vec<u16> = vec![of(state as u16)];
            key.extend(row.iter().map(|to| of(*to)));
            let id = known.len() as u16;
            next.push(*known.entry(key).or_insert(id));
        }
        groups = next;
        if known.len() == count {
            break;
        }
        count = known.len();
    }
    // State 0 was dead and is its group's first, so that the group has number 0 still.
    let mut joined = Dfa {
        classes: dfa.classes,
        width: dfa.width,
        table: vec![DEAD; count * dfa.width],
        starts: dfa.starts.iter().map(|at| groups.get(usize::from(*at)).copied().unwrap_or(DEAD)).collect(),
        accepts: vec![Vec::new(); count],
    };
    for (state, rules) in dfa.accepts.into_iter().enumerate() {
        let group = usize::from(groups.get(state).copied().unwrap_or(DEAD));
        if let Some(accepts) = joined.accepts.get_mut(group) {
            *accepts = rules;
        }
        for class in 0..joined.width {
            let to = dfa.table.get(state * joined.width + class).copied().unwrap_or(DEAD);
            if let Some(cell) = joined.table.get_mut(group * joined.width + class) {
                *cell = groups.get(usize::from(to)).copied().unwrap_or(DEAD);
            }
        }
    }
    joined
}
