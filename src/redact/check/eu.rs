//! Numbers of persons in the European Union, one function per country's number.

use super::date::{birth, date};
use super::num::{at, digits, luhn, monotone, number, shape, value, weighted};

/// Germany, Steuer-Identifikationsnummer: among the first ten digits one comes two or three times and the others once
/// at most; ISO 7064 MOD 11,10.
pub(crate) fn de_steuer_id(s: &str) -> bool {
    let mut counts = [0u8; 10];
    let mut product = 10;
    for b in s.bytes().take(10) {
        if let Some(count) = counts.get_mut(value(b) as usize) {
            *count += 1;
        }
        let sum = (product + value(b)) % 10;
        product = if sum == 0 { 10 } else { sum } * 2 % 11;
    }
    let mut repeated = counts.iter().filter(|count| **count > 1);
    digits(s, 11, 11)
        && at(s, 0) != b'0'
        && matches!((repeated.next(), repeated.next()), (Some(2 | 3), None))
        && (product + value(at(s, 10))) % 10 == 1
}

/// France, numéro d'inscription au répertoire: sex, year, month (or what stands for an unknown one), place (2A and 2B
/// for Corsica), serial, and a key modulo 97.
pub(crate) fn fr_nir(s: &str) -> bool {
    let corsica = match at(s, 6) {
        b'A' => 1_000_000,
        b'B' => 2_000_000,
        _ => 0,
    };
    let form = if corsica > 0 { "#####2%########" } else { "###############" };
    // Modulo 97, in two halves that fit; a letter of Corsica counts as 0, less a million or two.
    let (Some(high), Some(low), Some(key)) = (number(s, 0, 6), number(s, 7, 13), number(s, 13, 15)) else {
        return false;
    };
    let digit = if corsica > 0 { 0 } else { value(at(s, 6)) };
    let rest =
        (u64::from(high) * 10_000_000 + u64::from(digit) * 1_000_000 + u64::from(low)).saturating_sub(corsica) % 97;
    shape(s, form)
        && matches!(at(s, 0), b'1'..=b'4' | b'7' | b'8')
        && matches!(number(s, 3, 5), Some(1..=12 | 20..=42 | 50..=99))
        && u64::from(key) == 97 - rest
}

/// Spain, documento nacional de identidad: eight digits and the letter of their rest modulo 23.
pub(crate) fn es_dni(s: &str) -> bool {
    shape(s, "########@") && spanish(number(s, 0, 8), at(s, 8))
}

/// Spain, número de identidad de extranjero: X, Y or Z for a first digit 0, 1 or 2.
pub(crate) fn es_nie(s: &str) -> bool {
    let first = at(s, 0);
    matches!(first, b'X'..=b'Z')
        && shape(s, "@#######@")
        && spanish(number(s, 1, 8).map(|n| u32::from(first - b'X') * 10_000_000 + n), at(s, 8))
}

fn spanish(number: Option<u32>, letter: u8) -> bool {
    number.is_some_and(|n| b"TRWAGMYFPDXBNJZSQVHLCKE".get((n % 23) as usize) == Some(&letter))
}

/// Italy, codice fiscale of a person: names, birth (40 added to a woman's day), place, and a check letter. Digits may
/// be replaced by letters where two persons would share a code.
pub(crate) fn it_codice_fiscale(s: &str) -> bool {
    // The values of the odd places for A to Z, and for 0 to 9 the first ten of them.
    const ODD: &[u8; 26] =
        &[1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let digit = |i| match at(s, i) {
        b @ b'0'..=b'9' => Some(value(b)),
        b => b"LMNPQRSTUV".iter().zip(0..).find(|(l, _)| **l == b).map(|(_, n)| n),
    };
    let two = |i| Some(digit(i)? * 10 + digit(i + 1)?);
    let month = b"ABCDEHLMPRST".iter().zip(1..).find(|(l, _)| **l == at(s, 8)).map_or(0, |(_, n)| n);
    let place = |b: u8| if b.is_ascii_digit() { value(b) } else { value(b).saturating_sub(10) };
    let sum: u32 = s
        .bytes()
        .take(15)
        .enumerate()
        .map(|(i, b)| match i % 2 {
            0 => ODD.get(place(b) as usize).copied().map_or(0, u32::from),
            _ => place(b),
        })
        .sum();
    shape(s, "@@@@@@%%@%%@%%%@")
        && two(6).is_some()
        && two(9).is_some_and(|day| date(2000, month, day % 40) && day < 72)
        && (12..15).all(|i| digit(i).is_some())
        && place(at(s, 15)) == sum % 26
}

/// Netherlands, burgerservicenummer: nine digits, the eleven test with the last place negative.
pub(crate) fn nl_bsn(s: &str) -> bool {
    digits(s, 9, 9)
        && (weighted(s, &[9, 8, 7, 6, 5, 4, 3, 2]) + 10 * value(at(s, 8))).is_multiple_of(11)
        && !monotone(s)
}

/// Belgium, rijksregisternummer: birth date, serial, and 97 less their rest (a 2 before those born from 2000 on). An
/// unknown or exhausted month or day is 0; 20 or 40 added to the month makes a bis number.
pub(crate) fn be_nn(s: &str) -> bool {
    let part = |from, to| number(s, from, to).unwrap_or(0);
    let key = |n: u64| 97 - n % 97 == u64::from(part(9, 11));
    let first = u64::from(part(0, 9));
    digits(s, 11, 11)
        && part(2, 4) % 20 <= 12
        && part(2, 4) < 60
        && part(4, 6) <= 31
        && (key(first) || key(2_000_000_000 + first))
}

/// Poland, PESEL: birth date (the century is added to the month), serial, check digit.
pub(crate) fn pl_pesel(s: &str) -> bool {
    let part = |from| number(s, from, from + 2).unwrap_or(0);
    let century = match part(2) / 20 {
        4 => 1800,
        n => 1900 + n * 100,
    };
    digits(s, 11, 11)
        && date(century + part(0), part(2) % 20, part(4))
        && weighted(s, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
}

/// Sweden, personnummer: birth date with or without the century (60 added to the day of a coordination number),
/// serial, Luhn check digit over the last ten. The `-` or `+` between is stripped.
pub(crate) fn se_personnummer(s: &str) -> bool {
    let (century, ten) = match s.len() {
        10 => (2000, s),
        12 => (number(s, 0, 2).unwrap_or(0) * 100, s.get(2..).unwrap_or("")),
        _ => return false,
    };
    let part = |from| number(ten, from, from + 2).unwrap_or(0);
    let day = if part(4) > 60 { part(4) - 60 } else { part(4) };
    let real =
        if s.len() == 12 { birth(century + part(0), part(2), day) } else { date(century + part(0), part(2), day) };
    digits(s, 10, 12) && real && luhn(ten)
}

/// Portugal, número de identificação fiscal of a person (1, 2, 3, 45): nine digits modulo 11.
pub(crate) fn pt_nif(s: &str) -> bool {
    let sum = weighted(s, &[9, 8, 7, 6, 5, 4, 3, 2]);
    digits(s, 9, 9)
        && (matches!(at(s, 0), b'1'..=b'3') || s.starts_with("45"))
        && (11 - sum % 11) % 11 % 10 == value(at(s, 8))
}

/// Denmark, CPR: birth date DDMMYY and four digits. No check digit since 2007: needs context.
pub(crate) fn dk_cpr(s: &str) -> bool {
    let part = |from| number(s, from, from + 2).unwrap_or(0);
    digits(s, 10, 10) && date(2000, part(2), part(0)) && (part(4) % 4 == 0 || (part(2), part(0)) != (2, 29))
}
