//! Money: whole numbers of millionths, written and read as decimals.

use crate::json::number;

/// Decimal places that are kept.
const PLACES: u8 = 6;
/// Micro-units of a unit.
pub(crate) const UNIT: u64 = 1_000_000;

/// A JSON number as micro-units, at most `most`; finer digits are cut off. `None` for what is no number, negative or too large, and for
/// what is not nothing and would be cut to nothing.
pub(crate) fn micros(raw: &str, most: u64) -> Option<u64> {
    let micros = number::scaled(raw, PLACES).filter(|micros| *micros <= most)?;
    let mantissa = raw.split(['e', 'E']).next().unwrap_or_default();
    let is_nothing = mantissa.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    (micros > 0 || is_nothing).then_some(micros)
}

/// As short as it can be: `12`, `0.5`, `0.000001`.
pub(crate) fn decimal(micros: u64) -> String {
    let mut text = (micros / UNIT).to_string();
    let fraction = micros % UNIT;
    if fraction > 0 {
        let digits = (fraction + UNIT).to_string();
        text.push('.');
        text.push_str(digits.get(1..).unwrap_or_default().trim_end_matches('0'));
    }
    text
}
