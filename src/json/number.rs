//! Decimal numbers read as whole multiples of a power of ten: exact where it matters, and without the tables that floats need.

/// The number times `10^places`, cut off and at most `u64::MAX`: digits, a fraction, an exponent. `None` for anything else, a sign too.
pub(crate) fn scaled(text: &str, places: u8) -> Option<u64> {
    let split = text.bytes().position(|byte| matches!(byte, b'e' | b'E'));
    let (mantissa, exponent) = match split {
        Some(at) => (text.get(..at)?, exponent(text.get(at + 1..)?)?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut left = i64::try_from(whole.len()).ok()? + exponent + i64::from(places);
    let mut number = 0u64;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        if left > 0 {
            number = number.saturating_mul(10).saturating_add(u64::from(byte - b'0'));
        }
        left -= 1;
    }
    for _ in 0..left.clamp(0, 20) {
        number = number.saturating_mul(10);
    }
    Some(number)
}

/// A whole number as vendors write it: `7`, `7.0`, `"7"`; `None` for anything else.
pub(crate) fn count(raw: &str) -> Option<u64> {
    scaled(raw.trim_matches('"'), 0)
}

/// Whether a JSON number is finite as an IEEE double: strict readers refuse one that is not.
pub(super) fn is_finite(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let split = text.bytes().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(text.len());
    let (mantissa, power) = text.split_at_checked(split).unwrap_or((text, ""));
    let Some(power) = (if power.is_empty() { Some(0) } else { power.get(1..).and_then(exponent) }) else {
        return false;
    };
    let point = mantissa.find('.').unwrap_or(mantissa.len());
    let mut digits = mantissa.bytes().filter(|byte| *byte != b'.').enumerate().skip_while(|(_, byte)| *byte == b'0');
    let Some((zeros, first)) = digits.next() else { return true };
    // The number is 0.ddd… times ten to this power.
    let Some(magnitude) = i64::try_from(point).ok().zip(i64::try_from(zeros).ok()).map(|(p, z)| p - z + power) else {
        return false;
    };
    let leading = core::iter::once(first).chain(digits.map(|(_, byte)| byte)).take(MAX_DOUBLE.len());
    magnitude < 309 || (magnitude == 309 && leading.le(MAX_DOUBLE.bytes()))
}

/// The digits of the largest double, 1.797…e308.
const MAX_DOUBLE: &str = "17976931348623157";

/// `12`, `+12` or `-12`; clamped, for what no number reaches.
fn exponent(text: &str) -> Option<i64> {
    let negative = text.starts_with('-');
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() {
        return None;
    }
    let mut exponent = 0i64;
    for byte in digits.bytes() {
        if !byte.is_ascii_digit() {
            return None;
        }
        exponent = (exponent * 10 + i64::from(byte - b'0')).min(1 << 40);
    }
    Some(if negative { -exponent } else { exponent })
}

#[cfg(test)]
mod tests {
    use super::{count, is_finite, scaled};
    use proptest::prelude::*;

    #[test]
    fn numbers_are_scaled_and_cut_off() {
        for (text, places, expected) in [
            ("7", 0, Some(7)),
            ("7.9", 0, Some(7)),
            ("1.25", 4, Some(12_500)),
            (".5", 1, Some(5)),
            ("5.", 1, Some(50)),
            ("1.5e2", 0, Some(150)),
            ("15E-1", 1, Some(15)),
            ("1e-9", 3, Some(0)),
            ("1e400", 0, Some(u64::MAX)),
            ("0e99999999999999999999", 0, Some(0)),
            ("18446744073709551616", 0, Some(u64::MAX)),
            (".", 0, None),
            ("", 0, None),
            ("-1", 0, None),
            ("1.2.3", 0, None),
            ("1e", 0, None),
            ("inf", 0, None),
        ] {
            assert_eq!(scaled(text, places), expected, "{text}");
        }
        assert_eq!((count("\"12\""), count("12.0"), count("twelve")), (Some(12), Some(12), None));
    }

    proptest! {
        #[test]
        fn a_number_is_finite_where_serde_json_reads_one(
            text in prop_oneof!["-?(0|[1-9][0-9]{0,5})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,4})?", "[0-9]\\.[0-9]{1,4}e30[789]", "0\\.0{0,3}[1-9]{1,3}e31[0-3]"]
        ) {
            prop_assert_eq!(is_finite(&text), serde_json::from_str::<f64>(&text).is_ok(), "{}", text);
        }
    }
}
