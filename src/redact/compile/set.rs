//! Sets of characters, as ranges.

/// Stands for the edge of the text, where there is no character.
pub(crate) const EDGE: u32 = 0x11_0000;

/// Sorted. By a heap, because a sort of the standard library is several times its code, for each type once.
pub(crate) fn in_order<T: Ord>(items: Vec<T>) -> Vec<T> {
    std::collections::BinaryHeap::from(items).into_sorted_vec()
}

/// Whether a symbol is in one of the ranges.
pub(crate) fn has(ranges: &[(u32, u32)], symbol: u32) -> bool {
    ranges.iter().any(|&(from, to)| from <= symbol && symbol <= to)
}

/// A set of characters and [`EDGE`]: ranges, ends included, in order, apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set(pub(crate) Vec<(u32, u32)>);

impl Set {
    pub(crate) fn one(c: char) -> Set {
        Set(vec![(c as u32, c as u32)])
    }

    pub(crate) fn of(ranges: &[(u32, u32)]) -> Set {
        let mut set = Set::default();
        for &(from, to) in ranges {
            set.add(from, to);
        }
        set.tidy();
        set
    }

    pub(crate) fn add(&mut self, from: u32, to: u32) {
        self.0.push((from, to));
    }

    pub(crate) fn add_all(&mut self, other: &Set) {
        self.0.extend_from_slice(&other.0);
    }

    /// Puts the ranges in order and joins those that touch.
    pub(crate) fn tidy(&mut self) {
        let mut tidy: Vec<(u32, u32)> = Vec::with_capacity(self.0.len());
        for (from, to) in in_order(core::mem::take(&mut self.0)) {
            match tidy.last_mut() {
                Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
                _ => tidy.push((from, to)),
            }
        }
        self.0 = tidy;
    }

    /// Every character that is not in it; never the edge.
    pub(crate) fn negated(&self) -> Set {
        let mut rest = Set::default();
        let mut next = 0;
        for &(from, to) in &self.0 {
            if from > next {
                rest.add(next, from - 1);
            }
            next = to + 1;
        }
        if next < EDGE {
            rest.add(next, EDGE - 1);
        }
        rest
    }

    pub(crate) fn with_edge(mut self) -> Set {
        self.add(EDGE, EDGE);
        self.tidy();
        self
    }

    pub(crate) fn has(&self, symbol: u32) -> bool {
        has(&self.0, symbol)
    }

    /// Adds the other case of its ASCII letters.
    pub(crate) fn fold(&mut self) {
        for letter in b'a'..=b'z' {
            let (lower, upper) = (u32::from(letter), u32::from(letter.to_ascii_uppercase()));
            if self.has(lower) != self.has(upper) {
                self.add(lower, lower);
                self.add(upper, upper);
            }
        }
        self.tidy();
    }
}
