//! Real dates, and the ways in which people write the one they were born on.

use super::num::{number, one_of};

/// The first and the last year of a birth that a document may tell. The core has no clock: the last is one that no
/// document written in this century goes beyond.
const YEARS: core::ops::RangeInclusive<u32> = 1900..=2099;

/// Whether the day exists (Gregorian calendar).
pub(crate) fn date(year: u32, month: u32, day: u32) -> bool {
    let last = match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => 0,
    };
    (1..=last).contains(&day)
}

/// Whether the day exists and someone who is written about may have been born on it.
pub(crate) fn birth(year: u32, month: u32, day: u32) -> bool {
    YEARS.contains(&year) && date(year, month, day)
}

/// Whether the eight digits from `from` are the birth date YYYYMMDD.
pub(super) fn birth_at(s: &str, from: usize) -> bool {
    let part = |start: usize, end: usize| number(s, from + start, from + end).unwrap_or(0);
    birth(part(0, 4), part(4, 6), part(6, 8))
}

/// Whether the text is a date as a birth date is written: `1990-01-02`, `1990/1/2`, `1990.1.2`, `1990年1月2日`,
/// `19900102`, `90-01-02`, `Jan 2, 1990`, `2nd January 1990`, `01/02/1990` (either order), or without the day:
/// `1990年1月`, `1990-01`. Needs context: any date looks like this.
pub(crate) fn birth_date(s: &str) -> bool {
    if super::num::digits(s, 8, 8) {
        return birth_at(s, 0);
    }
    let mut parts = Parts::default();
    let mut rest = s;
    while let Some(first) = rest.bytes().next() {
        let run = if first.is_ascii_digit() {
            let run = rest.bytes().take_while(u8::is_ascii_digit).count();
            if !parts.push(Part::Number(number(rest, 0, run).unwrap_or(u32::MAX), run)) {
                return false;
            }
            run
        } else if first.is_ascii_alphabetic() {
            let run = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
            let word = rest.get(..run).unwrap_or("");
            match month(word) {
                Some(month) if !parts.push(Part::Month(month)) => return false,
                None if !parts.ordinal(word) => return false,
                _ => {}
            }
            run
        } else {
            match rest.chars().next() {
                Some(c) if one_of(" -/.,年月日号號", c) => c.len_utf8(),
                _ => return false,
            }
        };
        rest = rest.get(run..).unwrap_or("");
    }
    parts.hold()
}

#[derive(Clone, Copy)]
enum Part {
    Number(u32, usize),
    Month(u32),
}

/// The numbers and month names of a date, in the order in which they stand.
#[derive(Default)]
struct Parts([Option<Part>; 3]);

impl Parts {
    fn push(&mut self, part: Part) -> bool {
        let free = self.0.iter_mut().find(|place| place.is_none());
        free.map(|place| *place = Some(part)).is_some()
    }

    /// `st`, `nd`, `rd`, `th` after a number.
    fn ordinal(&self, word: &str) -> bool {
        let last = self.0.iter().flatten().last();
        matches!(last, Some(Part::Number(..))) && ["st", "nd", "rd", "th"].iter().any(|o| o.eq_ignore_ascii_case(word))
    }

    fn hold(&self) -> bool {
        use Part::{Month, Number};
        match self.0 {
            [Some(Number(y, 4)), Some(Number(m, ..=2)), Some(Number(d, ..=2))] => birth(y, m, d),
            [Some(Number(a, ..=2)), Some(Number(b, ..=2)), Some(Number(y, 4))] => birth(y, a, b) || birth(y, b, a),
            // No calendar tells the century: 2000 has every day that either has.
            [Some(Number(_, 2)), Some(Number(m, ..=2)), Some(Number(d, ..=2))] => date(2000, m, d),
            [Some(Number(a, ..=2)), Some(Number(b, ..=2)), Some(Number(_, 2))] => date(2000, a, b) || date(2000, b, a),
            [Some(Month(m)), Some(Number(d, ..=2)), Some(Number(y, 4))]
            | [Some(Number(d, ..=2)), Some(Month(m)), Some(Number(y, 4))]
            | [Some(Number(y, 4)), Some(Month(m)), Some(Number(d, ..=2))] => birth(y, m, d),
            [Some(Number(y, 4)), Some(Number(m, ..=2)), None] => birth(y, m, 1),
            _ => false,
        }
    }
}

/// A month by its English name or the first three letters of it (`Sept` too).
fn month(word: &str) -> Option<u32> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    (1..).zip(NAMES).find_map(|(month, name)| {
        let start = name.get(..word.len())?;
        (word.len() >= 3
            && start.eq_ignore_ascii_case(word)
            && (word.len() == 3 || word.len() == name.len() || word.len() == 4 && month == 9))
            .then_some(month)
    })
}
