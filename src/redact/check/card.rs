//! Bank cards.

use super::num::{digits, luhn, monotone, number};

/// Whether these are the digits of a bank card: a known issuer's prefix, a length that this issuer uses, and a right
/// Luhn check digit. Timestamps and the ids of most services start with 1 and have no issuer.
pub(crate) fn card(s: &str) -> bool {
    digits(s, 13, 19) && issued(s) && luhn(s) && !monotone(s)
}

/// Whether these are 16 to 19 digits that a Chinese bank could have printed on a card, whatever their check digit
/// (some banks' older cards fail Luhn). Needs context.
pub(crate) fn card_shape(s: &str) -> bool {
    let start = number(s, 0, 4).unwrap_or(0);
    digits(s, 16, 19)
        && matches!(start, 6200..=6299 | 8100..=8199 | 9558 | 9559 | 6013 | 6014)
        && !s.get(4..).is_some_and(monotone)
}

/// The issuer's prefix (first four digits) against the lengths in use: ISO/IEC 7812 ranges as the networks publish
/// them, and the old national ranges of Chinese banks (6013, 6014, 9558, 9559).
fn issued(s: &str) -> bool {
    let length = s.len();
    match number(s, 0, 4).unwrap_or(0) {
        4000..=4999 => matches!(length, 13 | 16 | 19),
        // Mastercard, the second range since 2017.
        5100..=5599 | 2221..=2720 => length == 16,
        3400..=3499 | 3700..=3799 => length == 15,
        // Diners Club.
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => matches!(length, 14 | 16),
        // JCB; Mir; UnionPay; RuPay and old Chinese cards; Discover.
        3528..=3589 | 2200..=2204 | 6200..=6299 | 8100..=8199 | 6000..=6099 | 6440..=6599 | 9558 | 9559 => length >= 16,
        _ => false,
    }
}
