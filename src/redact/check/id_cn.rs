//! The identity cards of the mainland (GB 11643), the residence permits of the same form, and the permanent residence
//! card of foreigners since 2023.

use super::date::{birth, birth_at};
use super::num::{at, number, shape, value, weighted};

/// ISO 7064 MOD 11-2: the powers of 2 modulo 11, for the first 17 places.
const WEIGHTS: [u8; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/// Whether 18 places are an identity number: province (81 to 83: residents from Hong Kong, Macao and Taiwan; 9: a
/// foreigner, then the province of issue and the country), real birth date, check character.
///
/// The province alone is looked at: counties come and go faster than tables do.
pub(crate) fn id_cn(s: &str) -> bool {
    let place = match at(s, 0) {
        b'9' => number(s, 1, 3).is_some_and(|p| province(p) && p < 81) && number(s, 3, 6).is_some_and(|c| c > 0),
        _ => number(s, 0, 2).is_some_and(province),
    };
    place && shape(s, "#################%") && birth_at(s, 6) && check(s)
}

/// Whether 15 digits are an identity number of the form issued until 1999: province and birth date (YYMMDD). No check
/// digit: needs context.
pub(crate) fn id_cn15(s: &str) -> bool {
    let part = |from| number(s, from, from + 2).unwrap_or(0);
    shape(s, "###############") && province(part(0)) && part(0) < 81 && birth(1900 + part(6), part(8), part(10))
}

fn check(s: &str) -> bool {
    let last = match at(s, 17) {
        b'X' => 10,
        digit @ b'0'..=b'9' => value(digit),
        _ => return false,
    };
    (weighted(s, &WEIGHTS) + last) % 11 == 1
}

/// The provinces of GB/T 2260, and 81 to 83 for the residence permits.
fn province(code: u32) -> bool {
    matches!(code, 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83)
}
