//! The unified social credit code of Chinese organisations (GB 32100-2015).

use super::num::{at, shape};

/// The code's alphabet: digits and letters without I, O, S, V and Z. A character's place is its value.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Whether 18 places are a unified social credit code: registration department and kind, six digits of region, the
/// organisation's code, and the check character modulo 31.
pub(crate) fn uscc(s: &str) -> bool {
    let mut weight = 1;
    let mut sum = 0;
    for i in 0..18 {
        let Some(value) = ALPHABET.iter().position(|c| *c == at(s, i)) else { return false };
        // The check character has weight 1 whatever its place.
        sum += value * if i == 17 { 1 } else { weight };
        weight = weight * 3 % 31;
    }
    shape(s, "%%######%%%%%%%%%%") && sum % 31 == 0
}
