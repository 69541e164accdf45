//! What a token looks like when a model has written it, and whose it is.
//!
//! The shape is wide, for models change case, spaces, brackets and the dot; the check characters decide. A token in the double brackets
//! may have its label translated: then number and check must be those of exactly one value.

use super::reader::{Reader, Stop, fold};
use crate::redact::session::Session;

/// How many characters may stand in a gap that a model has put into a token.
const FILL: usize = 4;
/// The longest label that is not one of ours, in characters.
const FOREIGN: usize = 24;
/// The longest number, in digits.
const DIGITS: u32 = 9;

const PAIRS: [(char, char); 14] = [
    ('⟦', '⟧'),
    ('[', ']'),
    ('(', ')'),
    ('【', '】'),
    ('〚', '〛'),
    ('〖', '〗'),
    ('〔', '〕'),
    ('⟨', '⟩'),
    ('⟪', '⟫'),
    ('〈', '〉'),
    ('《', '》'),
    ('「', '」'),
    ('『', '』'),
    ('｢', '｣'),
];

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found<'s> {
    /// A token up to `end`.
    Value { value: &'s str, end: usize },
    /// What looks like one, but is nobody's.
    Forged { end: usize },
}

/// What can be given back, and what stands around.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'s> {
    pub(super) session: &'s Session,
    pub(super) labels: &'s [&'s str],
    /// The byte before.
    pub(super) before: u8,
    /// What is before is a bracket, spelled out.
    pub(super) spelled: bool,
    /// The line has nothing else before.
    pub(super) starts_line: bool,
    /// The text ends where it ends.
    pub(super) over: bool,
}

/// Whether a token may begin with an opening bracket such as this.
pub(super) fn closing(open: char) -> Option<char> {
    PAIRS.iter().find(|pair| pair.0 == open).map(|pair| pair.1)
}

impl<'s> Around<'s> {
    /// The token that begins where `reader` is.
    pub(super) fn find(&self, reader: Reader<'_>) -> Result<Found<'s>, Stop> {
        let mut inner = reader.clone();
        let open = fold(inner.symbol()?);
        let Some(close) = closing(open) else { return self.bare(reader) };
        if open == '[' {
            let mut double = inner.clone();
            if fold(double.symbol()?) == '[' {
                match self.known(&double, Some((close, true)), false) {
                    Err(Stop::Not) => {}
                    found => return found,
                }
            }
        }
        if open == '(' && self.before == b']' {
            return Err(Stop::Not);
        }
        match self.known(&inner, Some((close, false)), open == '(') {
            Err(Stop::Not) if open == '⟦' => self.foreign(inner),
            found => found,
        }
    }

    /// Without brackets: nothing that goes on a word before or behind.
    fn bare(&self, reader: Reader<'_>) -> Result<Found<'s>, Stop> {
        if self.before.is_ascii_alphanumeric() && reader.peek(self.over)?.is_some_and(|c| c.is_ascii_alphanumeric()) {
            return Err(Stop::Not);
        }
        if self.spelled {
            return Err(Stop::Not);
        }
        self.known(&reader, None, false)
    }

    /// One of our labels, and so on. The first that is a token is it; else the first that looks like one.
    fn known(&self, reader: &Reader<'_>, close: Option<(char, bool)>, exact: bool) -> Result<Found<'s>, Stop> {
        let mut found = Err(Stop::Not);
        let mut inner = reader.clone();
        if close.is_some() {
            fill(&mut inner)?;
        }
        let first = fold(inner.clone().symbol()?);
        for label in self.labels {
            if label.chars().next().is_some_and(|begins| fold(begins) != first) {
                continue;
            }
            let mut rest = inner.clone();
            let this = spell(&mut rest, label, exact).and_then(|()| {
                fill(&mut rest)?;
                self.tail(rest, Some(label), close)
            });
            match this {
                Err(Stop::Not) => {}
                Ok(Found::Forged { .. }) => found = found.or(this),
                _ => return this,
            }
        }
        found
    }

    /// A label that is none of ours: in another language, or gone.
    fn foreign(&self, mut reader: Reader<'_>) -> Result<Found<'s>, Stop> {
        let mut digit = false;
        for _ in 0..=FOREIGN {
            let mark = reader.clone();
            let c = fold(reader.symbol()?);
            let begins = c.is_ascii_digit() && !digit;
            digit = c.is_ascii_digit();
            if begins {
                match self.tail(mark, None, Some(('⟧', false))) {
                    Err(Stop::Not) => {}
                    found => return found,
                }
            }
            if c.is_control() || c == '·' || PAIRS.iter().any(|pair| pair.0 == c || pair.1 == c) {
                break;
            }
        }
        Err(Stop::Not)
    }

    /// From the number on.
    fn tail(
        &self,
        mut reader: Reader<'_>,
        label: Option<&str>,
        close: Option<(char, bool)>,
    ) -> Result<Found<'s>, Stop> {
        let number = number(&mut reader)?;
        let mut length = 0;
        while next_if(&mut reader, is_dot)? {
            length += 1;
            if length > FILL + 2 {
                return Err(Stop::Not);
            }
        }
        let mut check = [0u8; 4];
        for place in &mut check {
            match fold(reader.symbol()?) {
                c if c.is_ascii_alphanumeric() && length > 0 => *place = c as u8,
                _ => return Err(Stop::Not),
            }
        }
        match close {
            Some((close, double)) => {
                fill(&mut reader)?;
                for _ in 0..=usize::from(double) {
                    if fold(reader.symbol()?) != close {
                        return Err(Stop::Not);
                    }
                }
                if close == ']' && !double {
                    // The brackets of a link are not the token's.
                    match reader.peek(self.over)? {
                        Some('(' | '[') => return Err(Stop::Not),
                        Some(':') if self.starts_line => return Err(Stop::Not),
                        _ => {}
                    }
                }
            }
            None => {
                if reader.peek(self.over)?.is_some_and(|c| fold(c).is_ascii_alphanumeric()) {
                    return Err(Stop::Not);
                }
            }
        }
        let end = reader.at;
        let check = core::str::from_utf8(&check).unwrap_or_default();
        Ok(match self.session.find(label, number, check) {
            Some(value) => Found::Value { value, end },
            None => Found::Forged { end },
        })
    }
}

/// The next character if it is such a one.
fn next_if(reader: &mut Reader<'_>, is: fn(char) -> bool) -> Result<bool, Stop> {
    let mark = reader.at;
    let fits = is(fold(reader.symbol()?));
    if !fits {
        reader.at = mark;
    }
    Ok(fits)
}

fn fill(reader: &mut Reader<'_>) -> Result<(), Stop> {
    for _ in 0..FILL {
        if !next_if(reader, is_fill)? {
            break;
        }
    }
    Ok(())
}

fn spell(reader: &mut Reader<'_>, label: &str, exact: bool) -> Result<(), Stop> {
    for wanted in label.chars() {
        let c = reader.symbol()?;
        let same = if exact { c == wanted } else { fold(c) == fold(wanted) || (wanted == ' ' && is_fill(fold(c))) };
        if !same {
            return Err(Stop::Not);
        }
    }
    Ok(())
}

fn number(reader: &mut Reader<'_>) -> Result<u32, Stop> {
    let mut number = 0;
    for length in 0..=DIGITS {
        let mark = reader.at;
        match fold(reader.symbol()?).to_digit(10) {
            Some(digit) if length < DIGITS && (length > 0 || digit > 0) => number = number * 10 + digit,
            None if length > 0 => {
                reader.at = mark;
                return Ok(number);
            }
            _ => break,
        }
    }
    Err(Stop::Not)
}

/// Spaces, what cannot be seen, and Markdown's marks.
fn is_fill(c: char) -> bool {
    matches!(c, ' ' | '*' | '_' | '`' | '~' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{2002}'..='\u{200a}')
}

/// What stands for the dot.
fn is_dot(c: char) -> bool {
    let dots = ['·', '•', '.', '・', '･', '‧', '∙', '⋅', '。', ':', '-', '|', '\u{2010}', '\u{2011}', '–', '—'];
    is_fill(c) || dots.contains(&c)
}
