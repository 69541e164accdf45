//! Numbers of persons in the United States and the United Kingdom.

use super::num::{at, digits, monotone, number, shape, weighted};

/// Whether nine digits may be a US social security number: no area 000, 666 or 9xx, no group 00, no serial 0000, none
/// of those that became known by being printed (SSA).
pub(crate) fn us_ssn(s: &str) -> bool {
    let part = |from, to| number(s, from, to).unwrap_or(0);
    digits(s, 9, 9)
        && !matches!(part(0, 3), 0 | 666 | 900..)
        && part(3, 5) != 0
        && part(5, 9) != 0
        && !matches!(part(0, 9), 78_051_120 | 123_456_789 | 219_099_999 | 457_555_462)
        && !monotone(s)
}

/// Whether nine digits may be a US individual taxpayer identification number: 9xx, and a group of the IRS's ranges.
pub(crate) fn us_itin(s: &str) -> bool {
    digits(s, 9, 9) && at(s, 0) == b'9' && matches!(number(s, 3, 5), Some(50..=65 | 70..=88 | 90..=92 | 94..=99))
}

/// Whether this is a UK national insurance number: two letters (not D, F, I, Q, U, V; the second not O; not BG, GB,
/// KN, NK, NT, TN, ZZ), six digits, and A to D.
pub(crate) fn uk_nino(s: &str) -> bool {
    let never = |b: u8| matches!(b, b'D' | b'F' | b'I' | b'Q' | b'U' | b'V');
    let (a, b) = (at(s, 0), at(s, 1));
    shape(s, "@@######@")
        && !never(a)
        && !never(b)
        && b != b'O'
        && !matches!(&[a, b], b"BG" | b"GB" | b"KN" | b"NK" | b"NT" | b"TN" | b"ZZ")
        && at(s, 8) <= b'D'
}

/// Whether ten digits are a UK National Health Service number (modulo 11).
pub(crate) fn uk_nhs(s: &str) -> bool {
    digits(s, 10, 10) && weighted(s, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11) && !monotone(s)
}
