//! Where in Markdown and HTML a text is: in words, or where something is fetched from, or in code.
//!
//! Known from what has passed alone, so that nothing is held back for it. Where a renderer might see a link and another might not, it is
//! one.

/// A place in a text.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The last eight bytes, in lower case; characters that are not ASCII are one byte.
    recent: u64,
    inline: Inline,
    line: Line,
    /// The fence that the code began with.
    fence: Option<(char, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inline {
    Words,
    /// A `<`.
    Angle,
    /// An address by itself; `leading` spaces belong to it. In its `query` Han letters do: what shows a link takes them for its part.
    Url {
        leading: bool,
        query: bool,
    },
    /// Behind `](`.
    Target {
        depth: u16,
        angle: bool,
    },
    TagName,
    /// In a tag; `equals` if a value follows, `blank` if the line has had nothing yet.
    Tag {
        quote: Option<char>,
        equals: bool,
        blank: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// Spaces, quotation marks and list marks.
    Start,
    /// What may be a fence.
    Run(char, usize),
    /// The rest of the line that opens a fence.
    Info,
    /// Behind a fence that closes.
    Closing,
    /// `[` at the start.
    Label,
    Past,
}

impl Place {
    /// The start of a text.
    pub(super) fn new() -> Place {
        Place { recent: 0, inline: Inline::Words, line: Line::Start, fence: None }
    }

    /// Whether all is in words up to the next byte that [`is_sign`] knows.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        let line = match self.line {
            Line::Past => true,
            Line::Label => self.before() != b'[',
            _ => false,
        };
        line && self.inline == Inline::Words
    }

    /// Within fenced code.
    pub(super) fn is_code(&self) -> bool {
        self.fence.is_some() || matches!(self.line, Line::Run(_, 3..))
    }

    /// Within an address or a tag.
    pub(super) fn is_url(&self) -> bool {
        !matches!(self.inline, Inline::Words | Inline::Angle)
    }

    /// Within a tag, not an address.
    pub(super) fn is_tag(&self) -> bool {
        matches!(self.inline, Inline::Tag { .. } | Inline::TagName)
    }

    /// Whether the line has had no words yet.
    pub(super) fn starts_line(&self) -> bool {
        self.line == Line::Start
    }

    /// The last byte.
    pub(super) fn before(&self) -> u8 {
        self.recent as u8
    }

    /// A run without signs in which all [is plain](Self::is_plain).
    pub(super) fn skip(&mut self, run: &[u8]) {
        for &byte in run.get(run.len().saturating_sub(8)..).unwrap_or_default() {
            self.remember(byte);
        }
    }

    /// A token, or what looks like one: it changes nothing.
    pub(super) fn pass(&mut self) {
        match self.line {
            Line::Start | Line::Run(..) | Line::Closing => self.line = Line::Past,
            Line::Info | Line::Label | Line::Past => {}
        }
        match &mut self.inline {
            Inline::Angle => self.inline = Inline::Words,
            Inline::Url { leading, .. } => *leading = false,
            Inline::Tag { equals, blank, .. } => (*equals, *blank) = (false, false),
            _ => {}
        }
        self.remember(0x80);
    }

    /// Behind a bracket whose escape was itself escaped: what follows is shown as it is spelled.
    pub(super) fn is_spelled(&self) -> bool {
        [b"#10214;".as_slice(), b"#x27e6;", b";lobrk;"].iter().any(|escape| self.ends_with(escape))
    }

    fn remember(&mut self, byte: u8) {
        self.recent = self.recent << 8 | u64::from(byte.to_ascii_lowercase());
    }

    fn ends_with(&self, word: &[u8]) -> bool {
        let mut recent = self.recent;
        word.iter().rev().all(|&byte| {
            let same = recent as u8 == byte;
            recent >>= 8;
            same
        })
    }

    /// The next character.
    pub(super) fn step(&mut self, c: char) {
        self.line(c);
        self.inline(c);
        self.remember(if c.is_ascii() { c as u8 } else { 0x80 });
    }

    fn line(&mut self, c: char) {
        if let Line::Run(mark, length) = self.line {
            if c == mark {
                self.line = Line::Run(mark, length.saturating_add(1));
                return;
            }
            self.line = match self.fence {
                _ if length < 3 => Line::Past,
                None => {
                    self.fence = Some((mark, length));
                    self.inline = Inline::Words;
                    Line::Info
                }
                Some((open, least)) if open == mark && length >= least => Line::Closing,
                Some(_) => Line::Past,
            };
        }
        if c == '\n' {
            if self.line == Line::Closing {
                self.fence = None;
                self.inline = Inline::Words;
            }
            self.line = Line::Start;
            return;
        }
        self.line = match (self.line, c) {
            (Line::Start, ' ' | '\t' | '\r' | '>') => Line::Start,
            (Line::Start, '-' | '*' | '+' | '.' | ')' | '0'..='9') if self.fence.is_none() => Line::Start,
            (Line::Start, '`' | '~') => Line::Run(c, 1),
            (Line::Start, '[') if self.fence.is_none() => Line::Label,
            // A footnote is no address.
            (Line::Label, '^') if self.before() == b'[' => Line::Past,
            (Line::Start, _) => Line::Past,
            (Line::Info, '`') if matches!(self.fence, Some(('`', _))) => {
                self.fence = None;
                Line::Past
            }
            (Line::Closing, ' ' | '\t' | '\r') => Line::Closing,
            (Line::Closing, _) => Line::Past,
            (line, _) => line,
        };
    }

    fn inline(&mut self, c: char) {
        self.inline = match self.inline {
            Inline::Words => self.words(c),
            Inline::Angle if c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?') => Inline::TagName,
            Inline::Angle => self.words(c),
            Inline::Url { leading: true, .. } if matches!(c, ' ' | '\t') => self.inline,
            Inline::Url { query, .. } if ends_url(c) && !(query && crate::redact::symbol::is_han(c)) => self.words(c),
            Inline::Url { query, .. } => {
                Inline::Url { leading: false, query: query || matches!(c, '?' | '=' | '&' | '#' | '%') }
            }
            Inline::Target { .. } if self.before() == b'\\' && c != '\n' => self.inline,
            Inline::Target { depth, angle } => match c {
                '\n' => Inline::Words,
                '<' if self.ends_with(b"](") => Inline::Target { depth, angle: true },
                '>' => Inline::Target { depth, angle: false },
                '(' if !angle => Inline::Target { depth: depth.saturating_add(1), angle },
                ')' if !angle && depth <= 1 => Inline::Words,
                ')' if !angle => Inline::Target { depth: depth - 1, angle },
                _ => self.inline,
            },
            Inline::TagName => match c {
                '>' => Inline::Words,
                ' ' | '\t' | '\r' | '\n' | '/' | ':' | '@' | '.' => {
                    Inline::Tag { quote: None, equals: false, blank: c == '\n' }
                }
                '-' => self.inline,
                c if c.is_ascii_alphanumeric() => self.inline,
                c => self.words(c),
            },
            Inline::Tag { quote, equals, blank } => match (quote, c) {
                (Some(quote), c) if c == quote => Inline::Tag { quote: None, equals: false, blank: false },
                (Some(_), _) => self.inline,
                (None, '>') => Inline::Words,
                (None, '"' | '\'') if equals => Inline::Tag { quote: Some(c), equals, blank },
                (None, '\n') if blank => Inline::Words,
                (None, '\n') => Inline::Tag { quote, equals, blank: true },
                (None, ' ' | '\t' | '\r') => self.inline,
                (None, c) => Inline::Tag { quote, equals: c == '=', blank: false },
            },
        };
    }

    /// What a character of words, or one that has ended something else, begins.
    fn words(&self, c: char) -> Inline {
        let url = Inline::Url { leading: false, query: false };
        match c {
            '<' => Inline::Angle,
            '/' if self.before() == b'/' || self.is_domain() => url,
            '?' if self.is_domain() => url,
            ':' if self.ends_with(b"mailto") => url,
            ':' if self.line == Line::Label && self.before() == b']' => Inline::Url { leading: true, query: false },
            '.' if self.ends_with(b"www") && !((self.recent >> 24) as u8).is_ascii_alphanumeric() => url,
            '(' if self.before() == b']' => Inline::Target { depth: 1, angle: false },
            _ => Inline::Words,
        }
    }

    /// Whether what has passed ends like the name of a host: `e.com`.
    fn is_domain(&self) -> bool {
        let mut recent = self.recent;
        let mut letters = 0;
        while (recent as u8).is_ascii_lowercase() {
            recent >>= 8;
            letters += 1;
        }
        letters >= 2 && recent as u8 == b'.' && ((recent >> 8) as u8).is_ascii_alphanumeric()
    }
}

/// Whether a byte may change the place where all is plain.
pub(super) fn is_sign(byte: u8) -> bool {
    matches!(byte, b'\n' | b'/' | b'?' | b':' | b'.' | b'(' | b'<')
}

/// What an address that stands by itself does not hold: spaces, quotes, and Chinese.
fn ends_url(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '"' | '\'' | '<' | '>' | '\u{a0}' | '\0'..='\u{1f}')
        || matches!(c, '\u{2000}'..='\u{200b}' | '\u{2014}' | '\u{2018}'..='\u{201f}' | '\u{2026}' | '\u{2028}'..='\u{202f}')
        || matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}')
        || matches!(c, '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
}
