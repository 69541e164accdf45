//! One character after the other, whatever it is written as: JSON's escapes, HTML's, Markdown's backslashes, percent-encoding.

/// Why there is no character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It depends on what follows the text.
    End,
    /// What is here is something else.
    Not,
}

/// Names of characters that tokens are made of.
const NAMES: [(&str, char); 16] = [
    ("middot", '·'),
    ("centerdot", '·'),
    ("CenterDot", '·'),
    ("bull", '•'),
    ("lobrk", '⟦'),
    ("robrk", '⟧'),
    ("LeftDoubleBracket", '⟦'),
    ("RightDoubleBracket", '⟧'),
    ("lang", '⟨'),
    ("rang", '⟩'),
    ("lsqb", '['),
    ("lbrack", '['),
    ("rsqb", ']'),
    ("rbrack", ']'),
    ("nbsp", ' '),
    ("shy", '\u{ad}'),
];

/// Reads a text from a place in it.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    text: &'a str,
    /// The next byte.
    pub(super) at: usize,
    json: bool,
    percent: bool,
}

impl<'a> Reader<'a> {
    /// `json` if it is the inside of a JSON string.
    pub(super) fn new(text: &'a str, at: usize, json: bool) -> Reader<'a> {
        Reader { text, at, json, percent: false }
    }

    /// Percent-encoding counts, too.
    pub(super) fn with_percent(self) -> Reader<'a> {
        Reader { percent: true, ..self }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next character of the text; not the quote that ends a JSON string.
    #[inline]
    pub(super) fn unit(&mut self) -> Result<char, Stop> {
        let rest = self.rest();
        let c = rest.chars().next().ok_or(Stop::End)?;
        match c {
            '"' if self.json => Err(Stop::Not),
            '\\' if self.json => self.escape(rest.as_bytes()),
            '%' if self.percent => self.encoded(),
            _ => {
                self.at += c.len_utf8();
                Ok(c)
            }
        }
    }

    /// The next character of what is shown: escapes of HTML and Markdown are resolved if they may belong to a token.
    pub(super) fn symbol(&mut self) -> Result<char, Stop> {
        let c = self.unit()?;
        let mark = self.at;
        let meant = match c {
            '&' => self.entity(),
            '\\' => self.unit().and_then(|c| if is_escapable(c) { Ok(c) } else { Err(Stop::Not) }),
            _ => return Ok(c),
        };
        match meant {
            Err(Stop::Not) => {
                self.at = mark;
                Ok(c)
            }
            known => known,
        }
    }

    /// What follows, without moving. At the end of a JSON string there is `None`, as at the end of a text that is over.
    pub(super) fn peek(&self, over: bool) -> Result<Option<char>, Stop> {
        match self.clone().unit() {
            Ok(c) => Ok(Some(c)),
            Err(Stop::End) if !over => Err(Stop::End),
            Err(_) => Ok(None),
        }
    }

    fn escape(&mut self, rest: &[u8]) -> Result<char, Stop> {
        let (length, c) = match *rest.get(1).ok_or(Stop::End)? {
            b'u' => {
                let mut code = 0;
                for at in 2..6 {
                    match rest.get(at).map(|&byte| char::from(byte).to_digit(16)) {
                        Some(Some(digit)) => code = code * 16 + digit,
                        Some(None) => return self.alone(),
                        None => return Err(Stop::End),
                    }
                }
                // Half a character is none that a token has.
                (6, char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
            }
            b'n' => (2, '\n'),
            b'r' => (2, '\r'),
            b't' => (2, '\t'),
            byte @ (b'"' | b'\\' | b'/') => (2, char::from(byte)),
            b'b' | b'f' => (2, '\u{8}'),
            _ => return self.alone(),
        };
        self.at += length;
        Ok(c)
    }

    /// A backslash that escapes nothing.
    fn alone(&mut self) -> Result<char, Stop> {
        self.at += 1;
        Ok('\\')
    }

    /// What follows a `&`.
    fn entity(&mut self) -> Result<char, Stop> {
        let (mut code, mut radix) = (0u32, 0);
        let mut from = self.at;
        for length in 0.. {
            let c = self.unit()?;
            match (length, c) {
                (0, '#') => radix = 10,
                (1, 'x' | 'X') if radix == 10 => {
                    radix = 16;
                    from = self.at;
                }
                (2.., ';') if radix > 0 => return char::from_u32(code).ok_or(Stop::Not),
                (1..10, c) if radix > 0 => {
                    code =
                        c.to_digit(radix).and_then(|digit| Some(code.checked_mul(radix)? + digit)).ok_or(Stop::Not)?;
                }
                (_, ';') if radix == 0 => {
                    let name = self.text.get(from..self.at - 1).unwrap_or_default();
                    return NAMES.iter().find(|known| known.0 == name).map(|known| known.1).ok_or(Stop::Not);
                }
                _ => {
                    let name = self.text.get(from..self.at).unwrap_or_default();
                    if radix > 0 || !NAMES.iter().any(|known| known.0.starts_with(name)) {
                        return Err(Stop::Not);
                    }
                }
            }
        }
        Err(Stop::Not)
    }

    /// A character that is percent-encoded.
    fn encoded(&mut self) -> Result<char, Stop> {
        let mut bytes = [0u8; 4];
        let mut length = 1;
        for at in 0..4 {
            if at >= length {
                break;
            }
            let hex = self.rest().as_bytes();
            let mut byte = 0;
            for place in 0..3 {
                let digit = *hex.get(place).ok_or(Stop::End)?;
                match (place, char::from(digit).to_digit(16)) {
                    (0, _) if digit == b'%' => {}
                    (1 | 2, Some(digit)) => byte = byte << 4 | digit as u8,
                    _ => return Err(Stop::Not),
                }
            }
            self.at += 3;
            if at == 0 {
                length = match byte {
                    0..0x80 => 1,
                    0xc2..0xe0 => 2,
                    0xe0..0xf0 => 3,
                    0xf0..0xf5 => 4,
                    _ => return Err(Stop::Not),
                };
            }
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        let text = bytes.get(..length).and_then(|bytes| core::str::from_utf8(bytes).ok());
        text.and_then(|text| text.chars().next()).ok_or(Stop::Not)
    }
}

/// Whether Markdown, or a model that thinks so, puts a backslash before it.
fn is_escapable(c: char) -> bool {
    c.is_ascii_punctuation() || matches!(c, '⟦' | '⟧' | '·' | '【' | '】')
}

/// Full-width and upper case are the same as ASCII and lower case.
#[inline]
pub(super) fn fold(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c).to_ascii_lowercase(),
        '\u{3000}' | '\u{a0}' | '\t' => ' ',
        _ => c.to_ascii_lowercase(),
    }
}
