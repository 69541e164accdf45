//! Travel documents. Their numbers carry no check digit: each needs context.

use super::num::{at, digits, shape};

/// Whether this is a passport number of the People's Republic: a letter of its kind and eight digits; or, of the
/// series since 2013, E, a letter and seven digits; or DE, SE, PE and seven digits.
pub(crate) fn passport_cn(s: &str) -> bool {
    match at(s, 0) {
        b'E' => shape(s, "E########") || shape(s, "E!#######"),
        b'D' | b'S' | b'P' => shape(s, "@########") || shape(s, "@E#######"),
        b'G' => shape(s, "G########"),
        _ => false,
    }
}

/// Whether this is a mainland resident's permit for Hong Kong and Macao (C or W), or for Taiwan (L or T).
pub(crate) fn eep(s: &str) -> bool {
    shape(s, "C!#######") || matches!(at(s, 0), b'C' | b'W' | b'L' | b'T') && shape(s, "@########")
}

/// Whether this is a Hong Kong or Macao resident's permit for the mainland: H or M, eight digits, and maybe two that
/// count the issues.
pub(crate) fn hrp(s: &str) -> bool {
    matches!(at(s, 0), b'H' | b'M') && (shape(s, "@########") || shape(s, "@##########"))
}

/// Whether this is a Taiwan resident's permit for the mainland: eight digits, and maybe two that count the issues.
pub(crate) fn mtp(s: &str) -> bool {
    digits(s, 8, 8) || digits(s, 10, 10)
}
