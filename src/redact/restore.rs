//! Giving back what tokens stand for, in a text that comes in pieces.
//!
//! One pass: what was given back is not looked at again. What is held back is what may still become a token of this very session, a few
//! dozen characters at most; an ordinary text is not held at all.
//!
//! Not given back, unless the policy allows it, where something might carry it away: in addresses, the targets of Markdown's links and
//! images, HTML's tags, and fenced code. Forged and invented tokens stay as they are.

mod leads;
mod place;
mod reader;
mod token;

use super::finding::Tally;
use super::policy::Restoring;
use super::session::Session;
use crate::json::string::body;
use crate::json::write::quoted;
use leads::{JSON, LEAD, LINE, Leads, SIGN};
use place::Place;
use reader::{Reader, Stop, fold};
use token::{Around, Found, closing};

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sink {
    /// The answer's text, or the model's reasoning: Markdown as a rule.
    Text,
    /// JSON text: the arguments of a tool call, or a JSON answer. Values are written into its strings, escaped.
    Json,
}

/// One text on its way back. For every split of the text, what comes out is the same.
#[derive(Debug)]
pub struct Restorer {
    sink: Sink,
    restoring: Restoring,
    place: Place,
    /// Of JSON text: not in a string.
    outside: bool,
    held: String,
    leads: Option<Box<Leads>>,
}

impl Restorer {
    /// A text that begins.
    pub fn new(sink: Sink, restoring: Restoring) -> Restorer {
        let outside = sink == Sink::Json;
        Restorer { sink, restoring, place: Place::new(), outside, held: String::new(), leads: None }
    }

    /// The next piece; what may be shown is appended to `out`. A session without tokens lets everything pass.
    pub fn push(&mut self, session: &Session, text: &str, out: &mut String, tally: &mut Tally) {
        if self.held.is_empty() {
            let rest = self.run(session, text, false, out, tally);
            self.held.push_str(rest);
        } else {
            let mut whole = core::mem::take(&mut self.held);
            whole.push_str(text);
            let done = whole.len() - self.run(session, &whole, false, out, tally).len();
            whole.drain(..done);
            self.held = whole;
        }
    }

    /// The text is over: the rest comes out.
    pub fn finish(&mut self, session: &Session, out: &mut String, tally: &mut Tally) {
        let held = core::mem::take(&mut self.held);
        self.run(session, &held, true, out, tally);
    }

    /// How many bytes of the text are held back.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Gives what must be held.
    fn run<'t>(
        &mut self,
        session: &Session,
        text: &'t str,
        over: bool,
        out: &mut String,
        tally: &mut Tally,
    ) -> &'t str {
        if session.is_empty() {
            out.push_str(text);
            return "";
        }
        let mut labels: Vec<&str> = Vec::new();
        for label in session.labels() {
            labels.push(label);
        }
        let leads = match self.leads.take() {
            Some(leads) if !leads.is_stale(&labels) => leads,
            _ => Box::new(Leads::new(&labels, self.restoring.urls)),
        };
        let json = self.sink == Sink::Json;
        // What is before `from` has come out, what is before `at` may.
        let (mut from, mut at) = (0, 0);
        while at < text.len() {
            let rest = text.as_bytes().get(at..).unwrap_or_default();
            let code = self.place.is_code() && !self.restoring.code;
            if self.outside {
                at += memchr::memchr(b'"', rest).map_or(rest.len(), |quote| quote + 1);
                if text.as_bytes().get(at - 1) == Some(&b'"') {
                    self.outside = false;
                    self.place = Place::new();
                }
                continue;
            }
            if self.place.is_plain() {
                let kinds = if code { LINE } else { SIGN | LEAD } | if json { JSON } else { 0 };
                let run = leads.run(rest, kinds);
                if run > 0 {
                    self.place.skip(rest.get(..run).unwrap_or_default());
                    at += run;
                    continue;
                }
            }
            if json && rest.first() == Some(&b'"') {
                self.outside = true;
                at += 1;
                continue;
            }
            let mut reader = Reader::new(text, at, json);
            let Ok(c) = reader.unit() else {
                if over {
                    at = text.len();
                }
                break;
            };
            let may = leads.is_lead(rest) || (json && rest.first() == Some(&b'\\'));
            if !code && may && may_begin(c, text.get(reader.at..).unwrap_or_default(), &labels) {
                let around = Around {
                    session,
                    labels: &labels,
                    before: self.place.before(),
                    spelled: self.place.is_spelled(),
                    starts_line: self.place.starts_line(),
                    over,
                };
                let encoded = c == '%' && self.restoring.urls;
                let start = Reader::new(text, at, json);
                let percent = encoded || (self.restoring.urls && self.place.is_url());
                let start = if percent { start.with_percent() } else { start };
                match around.find(start) {
                    Ok(Found::Value { value, end }) => {
                        if !self.place.is_url() || self.restoring.urls {
                            out.push_str(text.get(from..at).unwrap_or_default());
                            self.give(value, encoded, out);
                            tally.restored = tally.restored.saturating_add(1);
                            from = end;
                        }
                        self.place.pass();
                        at = end;
                        continue;
                    }
                    // It ends no address: another token may follow it there.
                    Ok(Found::Forged { end }) if self.place.is_url() => {
                        self.place.pass();
                        at = end;
                        continue;
                    }
                    Err(Stop::End) if !over => break,
                    _ => {}
                }
            }
            self.place.step(c);
            at = reader.at;
        }
        self.leads = Some(leads);
        out.push_str(text.get(from..at).unwrap_or_default());
        text.get(at..).unwrap_or_default()
    }

    /// Writes a value as its place demands.
    fn give(&self, value: &str, encoded: bool, out: &mut String) {
        let mut escaped = String::new();
        let value = if encoded {
            encode(value, |c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.' | '_' | '~'), &mut escaped);
            &escaped
        } else if self.place.is_tag() {
            for c in value.chars() {
                match c {
                    '"' => escaped.push_str("&quot;"),
                    '\'' => escaped.push_str("&#39;"),
                    '<' => escaped.push_str("&lt;"),
                    '>' => escaped.push_str("&gt;"),
                    c => escaped.push(c),
                }
            }
            &escaped
        } else if self.place.is_url() {
            encode(value, |c| c <= ' ' || matches!(c, '"' | '\'' | '<' | '>' | '(' | ')' | '\\'), &mut escaped);
            &escaped
        } else {
            value
        };
        if self.sink == Sink::Json {
            out.push_str(body(&quoted(value)).unwrap_or_default());
        } else {
            out.push_str(value);
        }
    }
}

/// Whether a token may begin with a character and what follows it. Quick, and right where it says no.
fn may_begin(c: char, rest: &str, labels: &[&str]) -> bool {
    if matches!(c, '&' | '\\' | '%') {
        return true;
    }
    let c = fold(c);
    let next = rest.chars().next();
    let is_label = |label: &&str| {
        let mut chars = label.chars();
        match (chars.next().is_some_and(|first| fold(first) == c), chars.next(), next) {
            (false, ..) => false,
            (_, None | Some(' '), _) | (_, _, None | Some('&' | '\\' | '%')) => true,
            (_, Some(second), Some(next)) => fold(second) == fold(next),
        }
    };
    closing(c).is_some() || labels.iter().any(is_label)
}

/// Percent-encodes some bytes.
fn encode(value: &str, is: fn(char) -> bool, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for c in value.chars() {
        if !is(c) {
            out.push(c);
            continue;
        }
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            out.push('%');
            for half in [byte >> 4, byte & 15] {
                out.push(HEX.get(usize::from(half)).map_or('0', |&digit| char::from(digit)));
            }
        }
    }
}
