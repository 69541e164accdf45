//! Identity cards of Hong Kong, Macao and Taiwan.

use super::num::{at, shape, value, weighted};

/// Whether this is a Hong Kong identity card number: one or two letters, six digits, and the check character (`A` for
/// 10), the parentheses about it stripped.
pub(crate) fn hkid(s: &str) -> bool {
    let (rest, sum) = match s.len() {
        // A missing first letter counts as a space, whose value is 36.
        8 if shape(s, "@######%") => (s, 36 * 9),
        9 if shape(s, "@@######%") => (s.get(1..).unwrap_or(""), value(at(s, 0)) * 9),
        _ => return false,
    };
    let check = at(rest, 7);
    check <= b'A' && (sum + weighted(rest, &[8, 7, 6, 5, 4, 3, 2, 1])).is_multiple_of(11)
}

/// Whether this is shaped like a Macao identity card number: 1, 5, 7 or 8 and seven digits. The check digit's rule is
/// not public: needs context.
pub(crate) fn moid(s: &str) -> bool {
    shape(s, "########") && matches!(at(s, 0), b'1' | b'5' | b'7' | b'8')
}

/// Whether this is a Taiwan identity number (second place 1 or 2) or a resident certificate's of the form since 2021
/// (8 or 9).
pub(crate) fn twid(s: &str) -> bool {
    shape(s, "@#########") && matches!(at(s, 1), b'1' | b'2' | b'8' | b'9') && taiwan(s, value(at(s, 1)))
}

/// Whether this is a Taiwan resident certificate's number of the form until 2021: two letters (the second A to D) and
/// eight digits.
pub(crate) fn tw_arc(s: &str) -> bool {
    shape(s, "@@########") && at(s, 1) <= b'D' && taiwan(s, letter(at(s, 1)) % 10)
}

/// The check of both forms; only the second place's value differs.
fn taiwan(s: &str, second: u32) -> bool {
    let first = letter(at(s, 0));
    let rest = weighted(s.get(2..).unwrap_or(""), &[7, 6, 5, 4, 3, 2, 1, 1]);
    (first / 10 + first % 10 * 9 + second * 8 + rest).is_multiple_of(10)
}

/// A county's letter counts in the order in which the counties got theirs: I, O, W and Z came late.
fn letter(b: u8) -> u32 {
    b"ABCDEFGHJKLMNPQRSTUVXYWZIO".iter().zip(10..).find(|(l, _)| **l == b).map_or(0, |(_, value)| value)
}
