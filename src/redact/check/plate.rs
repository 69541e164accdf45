//! Number plates of the mainland (GA 36).

use super::num::{one_of, shape};

const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";
/// What the last place may hold instead of a letter or digit: trailers, learners, police, Hong Kong, Macao, consulates.
const LAST: &str = "挂学警港澳领";

/// Whether this is a number plate: province, office, and five places (with at least two digits) of which the last may
/// be one of [`LAST`]; or the six of a new-energy vehicle: small ones lead with a letter from A to K (first D and
/// F, the others since 2020), large ones end in D or F. Letters are never I or O. Whether the first character belongs to a word is the caller's to see.
pub(crate) fn plate_cn(s: &str) -> bool {
    let mut chars = s.chars();
    let Some(rest) = chars.next().filter(|c| one_of(PROVINCES, *c)).map(|_| chars.as_str()) else { return false };
    let mut chars = rest.chars();
    if chars.next_back().is_some_and(|c| one_of(LAST, c)) {
        let four = chars.as_str();
        return shape(four, "!%%%%") && plain(four, 2);
    }
    match rest.len() {
        6 => shape(rest, "!%%%%%") && plain(rest, 2),
        7 => {
            let kind =
                |at| rest.as_bytes().get(at).is_some_and(|b: &u8| b"ABCDEFGHJK".contains(&b.to_ascii_uppercase()));
            shape(rest, "!!%####") && kind(1) && plain(rest, 4) || shape(rest, "!#####D") || shape(rest, "!#####F")
        }
        _ => false,
    }
}

/// At least `least` digits, and no letter that looks like a digit.
fn plain(s: &str, least: usize) -> bool {
    s.bytes().filter(u8::is_ascii_digit).count() >= least && !s.bytes().any(|b| matches!(b, b'I' | b'O' | b'i' | b'o'))
}
