//! The numbers and names in a vendor's sentence, and what the words around a number say of it. All words are in lower case, and bounded
//! ([`Vendor::MESSAGE_CHARS`](crate::error::Vendor::MESSAGE_CHARS)).

use crate::json::number::scaled;
use crate::text::{before, has};

/// Millionths in one, the unit in which numbers are compared: finer than any vendor's bound.
pub(super) const ONE: i64 = 1_000_000;
const PLACES: u8 = 6;

/// A number in a sentence, in millionths, with the words since the number before it and those up to the next.
#[derive(Clone, Copy)]
pub(super) struct Number<'a> {
    pub(super) left: &'a str,
    pub(super) micros: i64,
    pub(super) right: &'a str,
}

/// The numbers of a sentence, in order. Digits within a word (`gpt-4`, `r1`, `8k`) are none.
pub(super) fn numbers(words: &str) -> Vec<Number<'_>> {
    let bytes = words.as_bytes();
    let (mut found, mut at, mut behind): (Vec<Number<'_>>, usize, usize) = (Vec::new(), 0, 0);
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(b' ');
    while at < bytes.len() {
        if !byte(at).is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        let bracket = start > 0 && matches!(byte(start - 1), b'[' | b'(');
        while byte(at).is_ascii_digit()
            || (byte(at) == b'.' && byte(at + 1).is_ascii_digit())
            || (byte(at) == b','
                && !bracket
                && (1..=3).all(|ahead| byte(at + ahead).is_ascii_digit())
                && !byte(at + 4).is_ascii_digit())
        {
            at += 1;
        }
        let previous = if start == 0 { b' ' } else { byte(start - 1) };
        let minus = previous == b'-'
            && start >= 2
            && matches!(byte(start - 2), b' ' | b'[' | b'(' | b'`' | b'\'' | b'"' | b'=');
        let in_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let of_name = previous == b'-' && start >= 2 && byte(start - 2).is_ascii_alphabetic();
        if in_word(previous) || in_word(byte(at)) || of_name {
            continue;
        }
        let digits: String = words.get(start..at).unwrap_or_default().chars().filter(|c| *c != ',').collect();
        let Some(size) = scaled(&digits, PLACES).and_then(|size| i64::try_from(size).ok()) else { continue };
        let left = words.get(behind..start - usize::from(minus)).unwrap_or_default();
        if let Some(last) = found.last_mut() {
            last.right = left;
        }
        let right = words.get(at..).unwrap_or_default();
        found.push(Number { left, micros: if minus { -size } else { size }, right });
        behind = at;
    }
    found
}

/// Bounds of a value, in millionths, and whether the value itself is outside.
#[derive(Clone, Copy, Default)]
pub(super) struct Bounds {
    pub(super) least: Option<(i64, bool)>,
    pub(super) most: Option<(i64, bool)>,
}

const LESS: &[&str] = &["less than", "smaller than", "lower than", "be <", "value <", "小于"];
const MORE: &[&str] = &["greater than", "larger than", "higher than", "more than", "be >", "value >", "大于"];
const NOT: &[&str] = &["not be", "cannot be", "can't be", "can not be", "not", "no", "不能", "不得", "不可", "不"];
const AT_MOST: &[&str] = &[
    "less than or equal to",
    "less than or equal",
    "smaller than or equal to",
    "<=",
    "≤",
    "at most",
    "not exceed",
    "cannot exceed",
    "not to exceed",
    "maximum of",
    "maximum value of",
    "maximum value is",
    "maximum allowed value is",
    "maximum allowed is",
    "maximum is",
    "max is",
    "limit of",
    "up to",
    "不能超过",
    "不得超过",
    "不超过",
    "小于等于",
    "小于或等于",
    "最大值为",
    "最大值是",
    "最大为",
    "上限为",
    "上限是",
];
const AT_LEAST: &[&str] = &[
    "greater than or equal to",
    "greater than or equal",
    "larger than or equal to",
    ">=",
    "≥",
    "at least",
    "minimum of",
    "minimum value of",
    "minimum value is",
    "minimum is",
    "大于等于",
    "大于或等于",
    "最小值为",
    "最小值是",
    "最小为",
];
/// What stands somewhere before two numbers that are a range.
const RANGE: &[&str] =
    &["between", "range", "within", "from", "must be in", "should be in", "介于", "范围", "区间", "必须在", "应在"];
const TO: &[&str] = &["and", "to", "-", "~", "–", "—", "..", "到", "至", "和", "与"];

fn is_quote(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\'' | '"' | '`' | ':' | '：' | '“' | '”')
}

/// The words without spaces and quotes at either end.
pub(super) fn bare(words: &str) -> &str {
    words.trim_matches(is_quote)
}

/// Whether the words end with one of these.
pub(super) fn ends(words: &str, with: &[&str]) -> bool {
    with.iter().any(|end| words.ends_with(end))
}

/// The bounds that the numbers of a sentence state. The first of each kind counts.
pub(super) fn bounds(numbers: &[Number<'_>]) -> Bounds {
    let mut bounds = Bounds::default();
    let mut previous: Option<Number<'_>> = None;
    for number in numbers {
        let left = bare(number.left);
        if let Some(from) = previous.filter(|from| is_range(from.left, left)) {
            let open = |bracket: &str| bare(from.left).ends_with(bracket);
            let closed = bare(number.right).starts_with(')') && (open("(") || open("["));
            bounds.least = Some((from.micros, open("(")));
            bounds.most = Some((number.micros, closed));
            break;
        }
        let (most, least) = (
            |bounds: &mut Bounds, open| bounds.most = bounds.most.or(Some((number.micros, open))),
            |bounds: &mut Bounds, open| {
                bounds.least = bounds.least.or(Some((number.micros, open)));
            },
        );
        let compared = |words: &[&str]| {
            words.iter().find_map(|word| left.strip_suffix(word)).map(|before| ends(bare(before), NOT))
        };
        if ends(left, AT_MOST) || (left == ">" && previous.is_some()) {
            most(&mut bounds, false);
        } else if ends(left, AT_LEAST) || (left == "<" && previous.is_some()) {
            least(&mut bounds, false);
        } else if let Some(negated) = compared(LESS) {
            if negated { least(&mut bounds, false) } else { most(&mut bounds, true) }
        } else if let Some(negated) = compared(MORE) {
            if negated { most(&mut bounds, false) } else { least(&mut bounds, true) }
        }
        previous = Some(*number);
    }
    bounds
}

/// Whether two numbers are a range: `[1, 8192]`, `between 0 and 2`, `range of 1 to 4`.
fn is_range(before: &str, between: &str) -> bool {
    let opened = bare(before).ends_with(['[', '(']);
    match between {
        "," | "，" | ", " => opened,
        _ => TO.contains(&between) && (opened || RANGE.iter().any(|word| has(before, word))),
    }
}

/// Where a sentence first speaks of a field: its name by itself, or with a path behind it. A name that is also a word counts only where it
/// is quoted or enumerated.
pub(super) fn mention(words: &str, name: &str) -> Option<usize> {
    const PLAIN: &[&str] = &["temperature", "logprobs", "seed"];
    let plain = has(name, "_") || PLAIN.contains(&name);
    let mut from = 0;
    while let Some(found) = words.get(from..).and_then(|rest| before(rest, name)).map(str::len) {
        let at = from + found;
        let ahead = words.get(..at).unwrap_or_default();
        let after = words.get(at + name.len()..).unwrap_or_default();
        let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let whole = !ahead.ends_with(|c| part(c) || c == '.') && !after.starts_with(part);
        let marked = ahead.ends_with(['\'', '"', '`'])
            || ends(ahead, &[": ", "supplied: ", "parameter ", "argument ", "参数 ", "参数"]);
        if whole && (plain || marked) {
            return Some(at);
        }
        from = at + name.len();
    }
    None
}

/// A JSON number in millionths.
pub(super) fn micros(value: &str) -> Option<i64> {
    let size = |text: &str| scaled(text, PLACES).map(|size| i64::try_from(size).unwrap_or(i64::MAX));
    match value.strip_prefix('-') {
        Some(rest) => size(rest).map(|size| -size),
        None => size(value),
    }
}

/// A number of millionths as JSON has it.
pub(super) fn decimal(micros: i64) -> String {
    let size = micros.unsigned_abs();
    let (whole, rest) = (size / ONE.unsigned_abs(), size % ONE.unsigned_abs());
    let mut text = String::from(if micros < 0 { "-" } else { "" });
    text.push_str(&whole.to_string());
    if rest > 0 {
        let digits = (rest + ONE.unsigned_abs()).to_string();
        text.push('.');
        text.push_str(digits.get(1..).unwrap_or_default().trim_end_matches('0'));
    }
    text
}
