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

/// For each first byte what it may be; of characters of three bytes, the others, too.
#[derive(Debug)]
pub(super) struct Leads {
    kinds: [u8; 256],
    second: u64,
    third: u64,
}

impl Leads {
    /// `percent` if percent-encoded tokens count.
    pub(super) fn new(labels: &[&str], percent: bool) -> Leads {
        let mut leads = Leads { kinds: [0; 256], second: 0, third: 0 };
        for (byte, kind) in (0u8..=255).zip(&mut leads.kinds) {
            *kind = if is_sign(byte) { SIGN } else { 0 };
        }
        for byte in [b'"', b'\\'] {
            leads.mark(byte, JSON);
        }
        leads.mark(b'\n', LINE);
        if percent {
            leads.mark(b'%', LEAD);
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

    fn mark(&mut self, byte: u8, kind: u8) {
        if let Some(kinds) = self.kinds.get_mut(usize::from(byte)) {
            *kinds |= kind;
        }
    }

    fn lead(&mut self, c: char) {
        let mut bytes = [0; 4];
        match c.encode_utf8(&mut bytes).as_bytes() {
            [first] => self.mark(*first, LEAD),
            [first, second, third] => {
                self.mark(*first, LEAD);
                self.second |= 1 << (second & 63);
                self.third |= 1 << (third & 63);
            }
            [first, ..] => self.mark(*first, LEAD),
            [] => {}
        }
    }

    #[inline]
    fn kind(&self, byte: u8) -> u8 {
        self.kinds.get(usize::from(byte)).copied().unwrap_or_default()
    }

    /// Whether a token may begin here.
    #[inline]
    pub(super) fn is_lead(&self, text: &[u8]) -> bool {
        match *text {
            [first @ 0xe0..0xf0, second, third, ..] => {
                self.kind(first) & LEAD != 0
                    && self.second >> (second & 63) & 1 != 0
                    && self.third >> (third & 63) & 1 != 0
            }
            [first, ..] => self.kind(first) & LEAD != 0,
            [] => false,
        }
    }

    /// How far nothing is to be looked at.
    #[inline]
    pub(super) fn run(&self, text: &[u8], kinds: u8) -> usize {
        let mut at = 0;
        loop {
            let rest = text.get(at..).unwrap_or_default();
            let Some(run) = rest.iter().position(|&byte| self.kind(byte) & kinds != 0) else { return text.len() };
            at += run;
            let rest = rest.get(run..).unwrap_or_default();
            let first = rest.first().copied().unwrap_or_default();
            if self.kind(first) & kinds & !LEAD != 0 || self.is_lead(rest) {
                return at;
            }
            at += 1;
        }
    }
}
