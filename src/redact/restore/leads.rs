//! Which bytes of a text must be looked at: those that may begin a token, and those that say where the text is.

use super::place::is_sign;

/// The byte may change the place.
pub(super) const SIGN: u8 = 1;
/// It may begin a token.
pub(super) const LEAD: u8 = 2;
/// It is of the syntax of JSON's strings.
pub(super) const JSON: u8 = 4;
/// A line's end.
pub(super) const LINE: u8 = 8;

const BRACKETS: [char; 18] =
    ['⟦', '[', '［', '(', '（', '【', '〚', '〖', '〔', '⟨', '⟪', '〈', '《', '「', '『', '｢', '&', '\\'];

/// For each first byte what it may be; for each that begins a character of three bytes, what may follow.
#[derive(Debug)]
pub(super) struct Leads {
    mark: u32,
    kinds: [u8; 256],
    more: [(u64, u64); 16],
}

impl Leads {
    /// `percent` if percent-encoded tokens count.
    pub(super) fn new(labels: &[&str], percent: bool) -> Leads {
        let mut leads = Leads { mark: mark(labels), kinds: [0; 256], more: [(0, 0); 16] };
        for (byte, kind) in (0u8..=255).zip(&mut leads.kinds) {
            *kind = if is_sign(byte) { SIGN } else { 0 };
        }
        for byte in [b'"', b'\\'] {
            leads.set(byte, JSON);
        }
        leads.set(b'\n', LINE);
        if percent {
            leads.set(b'%', LEAD);
        }
        for c in BRACKETS {
            leads.lead(c);
        }
        for c in labels.iter().filter_map(|label| label.chars().next()) {
            leads.lead(c);
            if c.is_ascii() {
                leads.lead(c.to_ascii_lowercase());
                leads.lead(c.to_ascii_uppercase());
            }
            if let c @ '!'..='~' = c {
                for c in [c.to_ascii_lowercase(), c.to_ascii_uppercase()] {
                    leads.lead(char::from_u32(c as u32 + 0xfee0).unwrap_or(c));
                }
            }
        }
        leads
    }

    /// Whether it is for other labels.
    pub(super) fn is_stale(&self, labels: &[&str]) -> bool {
        self.mark != mark(labels)
    }

    fn set(&mut self, byte: u8, kind: u8) {
        if let Some(kinds) = self.kinds.get_mut(usize::from(byte)) {
            *kinds |= kind;
        }
    }

    fn lead(&mut self, c: char) {
        let mut bytes = [0; 4];
        match c.encode_utf8(&mut bytes).as_bytes() {
            [first] => self.set(*first, LEAD),
            [first, second, third] => {
                self.set(*first, LEAD);
                if let Some(more) = self.more.get_mut(usize::from(first & 15)) {
                    more.0 |= 1 << (second & 63);
                    more.1 |= 1 << (third & 63);
                }
            }
            [first, ..] => self.set(*first, LEAD),
            [] => {}
        }
    }

    #[inline]
    fn kind(&self, byte: u8) -> u8 {
        self.kinds.get(usize::from(byte)).copied().unwrap_or_default()
    }

    #[inline]
    fn has(&self, first: u8, second: u8, third: u8) -> bool {
        let more = self.more.get(usize::from(first & 15)).copied().unwrap_or_default();
        more.0 >> (second & 63) & more.1 >> (third & 63) & 1 != 0
    }

    /// Whether a token may begin here.
    #[inline]
    pub(super) fn is_lead(&self, text: &[u8]) -> bool {
        match *text {
            [first @ 0xe0..0xf0, second, third, ..] => self.kind(first) & LEAD != 0 && self.has(first, second, third),
            [first, ..] => self.kind(first) & LEAD != 0,
            [] => false,
        }
    }

    /// How far nothing is to be looked at.
    #[inline]
    pub(super) fn run(&self, text: &[u8], kinds: u8) -> usize {
        let mut at = 0;
        // A label that is a word does not begin within one.
        let mut in_word = false;
        while let Some(&first) = text.get(at) {
            let kind = self.kind(first) & kinds;
            if kind == 0 {
                in_word = first.is_ascii_alphanumeric();
                at += 1;
            } else if kind != LEAD {
                break;
            } else if let (0xe0..0xf0, Some(&second), Some(&third)) = (first, text.get(at + 1), text.get(at + 2)) {
                if self.has(first, second, third) {
                    break;
                }
                in_word = false;
                at += 3;
            } else if in_word && first.is_ascii_alphanumeric() {
                at += 1;
            } else {
                break;
            }
        }
        at
    }
}

/// Tells labels that begin otherwise.
fn mark(labels: &[&str]) -> u32 {
    let mut mark = labels.len() as u32;
    for byte in labels.iter().flat_map(|label| label.bytes().take(4)) {
        mark = mark.wrapping_mul(0x0100_0193) ^ u32::from(byte);
    }
    mark
}
