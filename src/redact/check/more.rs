//! Numbers of persons in India, Brazil, Korea, Japan and Singapore.

use super::date::date;
use super::num::{at, digits, monotone, number, shape, value, weighted};

/// India, Aadhaar: twelve digits that start with 2 to 9 and are no palindrome, Verhoeff check digit.
pub(crate) fn in_aadhaar(s: &str) -> bool {
    digits(s, 12, 12) && at(s, 0) >= b'2' && !s.bytes().eq(s.bytes().rev()) && verhoeff(s)
}

/// The dihedral group of order 10 and the powers of one permutation of it (J. Verhoeff, 1969).
fn verhoeff(s: &str) -> bool {
    let mut check = 0;
    for (i, b) in s.bytes().rev().enumerate() {
        let mut n = value(b);
        for _ in 0..i % 8 {
            n = u32::from(*[1u8, 5, 7, 6, 2, 8, 3, 0, 9, 4].get(n as usize).unwrap_or(&0));
        }
        check = product(check, n);
    }
    check == 0
}

/// Rotations are 0 to 4, reflections 5 to 9.
fn product(a: u32, b: u32) -> u32 {
    match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b - 5) % 5,
        (false, true) => 5 + (a - b) % 5,
        (false, false) => (a + 5 - b) % 5,
    }
}

/// Brazil, CPF: nine digits and two check digits modulo 11.
pub(crate) fn br_cpf(s: &str) -> bool {
    let check = |weights: &[u8]| weighted(s, weights) * 10 % 11 % 10;
    digits(s, 11, 11)
        && !monotone(s)
        && check(&[10, 9, 8, 7, 6, 5, 4, 3, 2]) == value(at(s, 9))
        && check(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) == value(at(s, 10))
}

/// Korea, resident registration number: birth date, century and sex, serial, check digit. Numbers given since October
/// 2020 are random in the last six places and pass only by chance: for them the caller needs context.
pub(crate) fn kr_rrn(s: &str) -> bool {
    kr_rrn_shape(s) && (11 - weighted(s, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11) % 10 == value(at(s, 12))
}

/// The same without the check digit. Needs context.
pub(crate) fn kr_rrn_shape(s: &str) -> bool {
    let part = |from| number(s, from, from + 2).unwrap_or(0);
    let century = match at(s, 6) {
        b'1' | b'2' | b'5' | b'6' => 1900,
        b'3' | b'4' | b'7' | b'8' => 2000,
        _ => 1800,
    };
    digits(s, 13, 13) && date(century + part(0), part(2), part(4))
}

/// Japan, individual number ("My Number"): eleven digits and a check digit modulo 11.
pub(crate) fn jp_my_number(s: &str) -> bool {
    let rest = weighted(s, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    digits(s, 12, 12) && !monotone(s) && (11 - rest) % 11 % 10 == value(at(s, 11))
}

/// Singapore, NRIC and FIN: S, T, F, G or M, seven digits, and a check letter.
pub(crate) fn sg_nric(s: &str) -> bool {
    let (plus, letters) = match at(s, 0) {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        b'M' => (3, b"XWUTRQPNJLK"),
        _ => return false,
    };
    let sum = plus + weighted(s.get(1..).unwrap_or(""), &[2, 7, 6, 5, 4, 3, 2]);
    shape(s, "@#######@") && letters.get((sum % 11) as usize) == Some(&at(s, 8))
}
