//! What the validators share: places of a candidate read without a way to panic.

/// The byte at `at` as upper case; 0 past the end.
pub(super) fn at(s: &str, at: usize) -> u8 {
    s.as_bytes().get(at).map_or(0, u8::to_ascii_uppercase)
}

/// The number that the decimal digits from `from` up to `to` (at most nine) spell.
pub(super) fn number(s: &str, from: usize, to: usize) -> Option<u32> {
    let digits = s.as_bytes().get(from..to)?;
    digits.iter().try_fold(0u32, |n, b| Some(n.checked_mul(10)? + decimal(*b)?))
}

/// Whether `s` is `shape`, byte for byte: `#` stands for a digit, `@` for a letter, `!` for a letter that is not I or
/// O (which look like 1 and 0), `%` for a letter or digit, all else for itself. Letters count in either case.
pub(super) fn shape(s: &str, shape: &str) -> bool {
    s.len() == shape.len()
        && s.bytes().zip(shape.bytes()).all(|(b, kind)| match kind {
            b'#' => b.is_ascii_digit(),
            b'@' => b.is_ascii_alphabetic(),
            b'!' => b.is_ascii_alphabetic() && !matches!(b, b'I' | b'O' | b'i' | b'o'),
            b'%' => b.is_ascii_alphanumeric(),
            _ => b.to_ascii_uppercase() == kind,
        })
}

/// Whether `s` is nothing but digits, from `least` to `most` of them.
pub(super) fn digits(s: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit())
}

/// A digit's value; a letter's is 10 for A to 35 for Z; 0 for all else.
pub(super) fn value(b: u8) -> u32 {
    match b {
        b'0'..=b'9' => u32::from(b - b'0'),
        b'A'..=b'Z' => u32::from(b - b'A') + 10,
        b'a'..=b'z' => u32::from(b - b'a') + 10,
        _ => 0,
    }
}

/// The values of the leading places, each times its weight, summed.
pub(super) fn weighted(s: &str, weights: &[u8]) -> u32 {
    s.bytes().zip(weights).map(|(b, weight)| value(b) * u32::from(*weight)).sum()
}

/// Whether the digits' Luhn sum (ISO/IEC 7812-1, annex B) ends in 0.
pub(super) fn luhn(s: &str) -> bool {
    let mut double = false;
    let mut sum = 0;
    for b in s.bytes().rev() {
        let n = value(b) << u32::from(double);
        sum += if n > 9 { n - 9 } else { n };
        double = !double;
    }
    sum % 10 == 0
}

/// Whether all bytes are the same.
pub(super) fn monotone(s: &str) -> bool {
    s.bytes().all(|b| b.to_ascii_uppercase() == at(s, 0))
}

/// Whether `c` is one of the characters of `set`. The standard library's search costs kilobytes for a character beyond
/// ASCII.
pub(super) fn one_of(set: &str, c: char) -> bool {
    set.chars().any(|other| other == c)
}

/// What stands before the first `mark` in `rest`, which goes on behind it; all of it, and `None` from then on, without.
pub(super) fn part<'a>(rest: &mut Option<&'a str>, mark: u8) -> Option<&'a str> {
    let s = rest.take()?;
    match s.bytes().position(|b| b == mark).and_then(|at| s.split_at_checked(at)) {
        Some((first, tail)) => {
            *rest = tail.get(1..);
            Some(first)
        }
        None => Some(s),
    }
}

fn decimal(b: u8) -> Option<u32> {
    b.is_ascii_digit().then(|| value(b))
}
