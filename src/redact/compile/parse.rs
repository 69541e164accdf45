//! Reads a pattern.

use super::set::Set;
use super::{Node, Refused};

/// Deepest nesting of groups.
const DEPTH: usize = 16;
/// Most repetitions that a count may ask for.
const COUNT: u16 = 256;

/// The tree of a pattern. `fold`: ASCII letters stand for both cases.
pub(crate) fn parse(pattern: &str, fold: bool) -> Result<Node, Refused> {
    let mut parser = Parser { text: pattern.chars().collect(), at: 0, fold };
    let node = parser.either(0)?;
    if parser.at < parser.text.len() {
        return Err(Refused::Syntax(parser.at));
    }
    Ok(node)
}

struct Parser {
    text: Vec<char>,
    at: usize,
    fold: bool,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    fn fault<T>(&self) -> Result<T, Refused> {
        Err(Refused::Syntax(self.at))
    }

    fn either(&mut self, depth: usize) -> Result<Node, Refused> {
        if depth > DEPTH {
            return self.fault();
        }
        let mut options = vec![self.sequence(depth)?];
        while self.take('|') {
            options.push(self.sequence(depth)?);
        }
        Ok(if options.len() == 1 { options.remove(0) } else { Node::Either(options) })
    }

    fn sequence(&mut self, depth: usize) -> Result<Node, Refused> {
        let mut nodes = Vec::new();
        while let Some(c) = self.peek().filter(|c| !matches!(c, '|' | ')')) {
            let node = match c {
                '(' => {
                    self.at += 1;
                    let node = self.either(depth + 1)?;
                    if !self.take(')') {
                        return self.fault();
                    }
                    node
                }
                '[' => Node::Set(self.class()?),
                '*' | '+' | '?' | '{' | '}' | ']' => return self.fault(),
                '.' => {
                    self.at += 1;
                    Node::Set(Set::one('\n').negated())
                }
                _ => {
                    let mut set = self.one()?;
                    if self.fold {
                        set.fold();
                    }
                    Node::Set(set)
                }
            };
            nodes.push(self.repeated(node)?);
        }
        Ok(Node::Sequence(nodes))
    }

    fn repeated(&mut self, node: Node) -> Result<Node, Refused> {
        let (least, most) = match self.peek() {
            Some('?') => (0, 1),
            Some('*') => (0, u16::MAX),
            Some('+') => (1, u16::MAX),
            Some('{') => {
                self.at += 1;
                let least = self.count()?;
                let most = match self.take(',') {
                    true if self.peek() == Some('}') => u16::MAX,
                    true => self.count()?,
                    false => least,
                };
                if self.peek() != Some('}') || most < least || most == 0 {
                    return self.fault();
                }
                (least, most)
            }
            _ => return Ok(node),
        };
        self.at += 1;
        if matches!(self.peek(), Some('?' | '*' | '+' | '{')) {
            return self.fault();
        }
        Ok(Node::Repeat(Box::new(node), least, most))
    }

    fn count(&mut self) -> Result<u16, Refused> {
        let mut count: Option<u16> = None;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            count = Some(count.unwrap_or(0).saturating_mul(10).saturating_add(digit as u16));
            self.at += 1;
        }
        match count {
            Some(count) if count <= COUNT => Ok(count),
            _ => self.fault(),
        }
    }

    /// One character, or an escape that stands for a set.
    fn one(&mut self) -> Result<Set, Refused> {
        let Some(c) = self.peek() else { return self.fault() };
        self.at += 1;
        if c != '\\' {
            return Ok(Set::one(c));
        }
        let Some(escaped) = self.peek() else { return self.fault() };
        let set = match named(escaped) {
            Some(set) => set,
            None => match escaped {
                'n' => Set::one('\n'),
                't' => Set::one('\t'),
                'r' => Set::one('\r'),
                c if c.is_alphanumeric() => return self.fault(),
                c => Set::one(c),
            },
        };
        self.at += 1;
        Ok(set)
    }

    fn class(&mut self) -> Result<Set, Refused> {
        self.at += 1;
        let negated = self.take('^');
        let mut set = Set::default();
        loop {
            match self.peek() {
                None => return self.fault(),
                Some(']') => break,
                Some(_) => {}
            }
            let from = self.one()?;
            let range = match (from.0.as_slice(), self.peek(), self.text.get(self.at + 1)) {
                (&[(low, high)], Some('-'), Some(next)) if low == high && *next != ']' => {
                    self.at += 1;
                    let to = self.one()?;
                    match to.0.as_slice() {
                        &[(last, end)] if last == end && low <= last => Some((low, last)),
                        _ => return self.fault(),
                    }
                }
                _ => None,
            };
            match range {
                Some((low, high)) => set.add(low, high),
                None => set.add_all(&from),
            }
        }
        self.at += 1;
        set.tidy();
        if set.0.is_empty() {
            return self.fault();
        }
        if self.fold {
            set.fold();
        }
        Ok(if negated { set.negated() } else { set })
    }
}

/// What an escaped letter stands for.
fn named(letter: char) -> Option<Set> {
    let chars = |text: &str| Set::of(&text.chars().map(|c| (c as u32, c as u32)).collect::<Vec<_>>());
    Some(match letter {
        'd' => {
            let mut set = chars("零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖");
            set.add('0' as u32, '9' as u32);
            set.tidy();
            set
        }
        'w' => Set::of(&[(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)]),
        'a' => Set::of(&[(0x41, 0x5A), (0x61, 0x7A)]),
        'x' => Set::of(&[(0x30, 0x39), (0x61, 0x66)]),
        'h' => Set::of(&[(0x3007, 0x3007), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x2_0000, 0x3_23AF)]),
        // Letters of other scripts, by blocks: Latin with marks to Hebrew and Arabic, Indic, kana, Hangul.
        'p' => Set::of(&[
            (0xC0, 0xD6),
            (0xD8, 0xF6),
            (0xF8, 0x2AF),
            (0x370, 0x6FF),
            (0x900, 0x1FFF),
            (0x3040, 0x30FA),
            (0x30FC, 0x312F),
            (0xAC00, 0xD7AF),
        ]),
        // Han, without those that are in no place's name but in most sentences.
        'k' => {
            let mut rest = named('h')?.negated();
            rest.add_all(&chars("的了是在有与不这我你他她它吗呢吧也很将被说及其就还但或把让请着么什哪怎谁因所则"));
            rest.tidy();
            rest.negated()
        }
        's' => chars(" \t\n\r"),
        _ => return None,
    })
}
