//! Hiding what is private in JSON text that comes in pieces: the arguments of a tool call.
//!
//! A string's text is looked at with its escapes resolved, and so is a number, which becomes a string where it is hidden. What stands in
//! front of a value, its key, is its context. Whatever is not JSON is taken as plain text from there on.

use crate::json::cursor::parse;
use crate::json::string::{Form, body, decode};
use crate::json::write::{push_quoted, quoted};
use crate::redact::body::{context, passed};
use crate::redact::finding::Tally;
use crate::redact::mask::Masker;
use crate::redact::redactor::Redactor;
use crate::redact::session::Session;

/// The longest number, and the longest key that is context, in bytes. A number that is longer is private to nobody.
const WORD: usize = 64;

/// One JSON text.
#[derive(Debug)]
pub(super) struct JsonMasker {
    state: State,
    /// The number or word that has begun; in a string, an escape that is not whole.
    word: String,
    /// The last string, or the beginning of a long one: a key, if a colon follows.
    last: String,
    /// The last key: the context of its value, and of the items of a list that is its value.
    key: String,
    half: u16,
    scratch: String,
}

#[derive(Debug)]
enum State {
    /// Between values.
    Outside,
    /// In a string.
    Inside(Valued),
    /// Not JSON.
    Plain(Masker),
}

/// A text with its context in front, which is taken off what comes out.
#[derive(Debug)]
struct Valued {
    masker: Masker,
    /// The context that has not come out yet, and what of it has been passed.
    context: String,
    passed: usize,
    text: String,
}

impl Valued {
    fn new(redactor: &Redactor, session: &mut Session, key: &str, tally: &mut Tally) -> Valued {
        let context = context(redactor, key);
        let mut valued = Valued { masker: Masker::for_answer(redactor), context, passed: 0, text: String::new() };
        if !valued.context.is_empty() {
            valued.masker.push(redactor, session, &valued.context, &mut valued.text, tally);
        }
        valued
    }

    fn push(&mut self, redactor: &Redactor, session: &mut Session, text: &str, out: &mut String, tally: &mut Tally) {
        self.masker.push(redactor, session, text, &mut self.text, tally);
        self.take(out);
    }

    fn finish(&mut self, redactor: &Redactor, session: &mut Session, out: &mut String, tally: &mut Tally) {
        self.masker.finish(redactor, session, &mut self.text, tally);
        self.take(out);
    }

    /// What has come out, without the context. If that was hidden with the value, the context has no more to take off.
    fn take(&mut self, out: &mut String) {
        let left = self.context.get(self.passed..).unwrap_or_default();
        let same = passed(left, &self.text);
        let rest = self.text.get(same..).unwrap_or_default();
        self.passed = if rest.is_empty() { self.passed + same } else { self.context.len() };
        out.push_str(rest);
        self.text.clear();
    }
}

/// A whole text.
pub(super) fn hide(redactor: &Redactor, session: &mut Session, text: &str, tally: &mut Tally) -> String {
    let mut masker = JsonMasker::new(redactor);
    let mut out = String::with_capacity(text.len());
    masker.push(redactor, session, text, &mut out, tally);
    masker.finish(redactor, session, &mut out, tally);
    out
}

impl JsonMasker {
    /// A text that begins.
    pub(super) fn new(redactor: &Redactor) -> JsonMasker {
        let _ = redactor;
        JsonMasker {
            state: State::Outside,
            word: String::new(),
            last: String::new(),
            key: String::new(),
            half: 0,
            scratch: String::new(),
        }
    }

    /// How many bytes are held back.
    pub(super) fn held(&self) -> usize {
        let masked = match &self.state {
            State::Outside => 0,
            State::Inside(valued) => valued.masker.held(),
            State::Plain(masker) => masker.held(),
        };
        self.word.len() + masked + usize::from(self.half != 0)
    }

    /// The next piece.
    pub(super) fn push(
        &mut self,
        redactor: &Redactor,
        session: &mut Session,
        text: &str,
        out: &mut String,
        tally: &mut Tally,
    ) {
        let mut rest = text;
        while !rest.is_empty() {
            rest = match &mut self.state {
                State::Plain(masker) => return masker.push(redactor, session, rest, out, tally),
                State::Outside => self.outside(redactor, session, rest, out, tally),
                State::Inside(_) => self.inside(redactor, session, rest, out, tally),
            };
        }
    }

    /// The text is over.
    pub(super) fn finish(&mut self, redactor: &Redactor, session: &mut Session, out: &mut String, tally: &mut Tally) {
        match core::mem::replace(&mut self.state, State::Outside) {
            State::Plain(mut masker) => masker.finish(redactor, session, out, tally),
            State::Outside => {
                self.end_word(redactor, session, out, tally);
                if let State::Plain(masker) = &mut self.state {
                    masker.finish(redactor, session, out, tally);
                }
            }
            inside @ State::Inside(_) => {
                // An escape that is cut short says nothing.
                self.word.clear();
                self.state = inside;
                self.close(redactor, session, out, tally);
            }
        }
    }

    fn outside<'a>(
        &mut self,
        redactor: &Redactor,
        session: &mut Session,
        text: &'a str,
        out: &mut String,
        tally: &mut Tally,
    ) -> &'a str {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let run = text.bytes().position(|byte| !is_word(byte)).unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(run).unwrap_or((text, ""));
        self.word.push_str(word);
        if self.word.len() > WORD {
            self.plain(redactor, session, out, tally);
            return rest;
        }
        let Some(&byte) = rest.as_bytes().first() else { return rest };
        if !self.word.is_empty() {
            self.end_word(redactor, session, out, tally);
            if matches!(self.state, State::Plain(_)) {
                return rest;
            }
        }
        match byte {
            b'"' => {
                self.state = State::Inside(self.valued(redactor, session, tally));
                self.last.clear();
                out.push('"');
            }
            b':' => {
                let last = core::mem::take(&mut self.last);
                self.key = if last.len() <= WORD { last } else { String::new() };
                out.push(':');
            }
            b'{' | b'}' | b'[' | b']' | b',' | b' ' | b'\n' | b'\r' | b'\t' => {
                if matches!(byte, b'{' | b'}') {
                    self.key.clear();
                }
                out.push(char::from(byte));
            }
            _ => {
                self.plain(redactor, session, out, tally);
                return rest;
            }
        }
        rest.get(1..).unwrap_or_default()
    }

    fn inside<'a>(
        &mut self,
        redactor: &Redactor,
        session: &mut Session,
        text: &'a str,
        out: &mut String,
        tally: &mut Tally,
    ) -> &'a str {
        if !self.word.is_empty() {
            let mut chars = text.chars();
            self.word.extend(chars.next());
            let whole = if self.word.starts_with("\\u") { 6 } else { 2 };
            if self.word.len() >= whole {
                let mut escape = core::mem::take(&mut self.word);
                let mut scratch = core::mem::take(&mut self.scratch);
                match decode(&escape, Form::Escaped, &mut self.half, &mut scratch) {
                    Some(text) => {
                        self.feed(redactor, session, text, out, tally);
                        escape.clear();
                        self.word = escape;
                    }
                    None => {
                        self.word = escape;
                        self.plain(redactor, session, out, tally);
                    }
                }
                self.scratch = scratch;
            }
            return chars.as_str();
        }
        let run = text.bytes().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(text.len());
        let (plain, rest) = text.split_at_checked(run).unwrap_or((text, ""));
        if !plain.is_empty() {
            self.settle(redactor, session, out, tally);
            self.feed(redactor, session, plain, out, tally);
        }
        match rest.as_bytes().first() {
            Some(b'"') => {
                self.close(redactor, session, out, tally);
                out.push('"');
            }
            Some(_) => self.word.push('\\'),
            None => {}
        }
        rest.get(1..).unwrap_or_default()
    }

    /// The string is over.
    fn close(&mut self, redactor: &Redactor, session: &mut Session, out: &mut String, tally: &mut Tally) {
        self.settle(redactor, session, out, tally);
        if let State::Inside(mut valued) = core::mem::replace(&mut self.state, State::Outside) {
            self.scratch.clear();
            valued.finish(redactor, session, &mut self.scratch, tally);
            push_escaped(&self.scratch, out);
        }
    }

    /// The other half of a character did not come.
    fn settle(&mut self, redactor: &Redactor, session: &mut Session, out: &mut String, tally: &mut Tally) {
        if core::mem::take(&mut self.half) != 0 {
            self.feed(redactor, session, "\u{FFFD}", out, tally);
        }
    }

    /// Text of the string that is open.
    fn feed(&mut self, redactor: &Redactor, session: &mut Session, text: &str, out: &mut String, tally: &mut Tally) {
        if self.last.len() <= WORD {
            self.last.extend(text.chars().take(WORD + 1));
        }
        if let State::Inside(valued) = &mut self.state {
            let mut masked = String::new();
            valued.push(redactor, session, text, &mut masked, tally);
            push_escaped(&masked, out);
        }
    }

    /// A number or a word is over.
    fn end_word(&mut self, redactor: &Redactor, session: &mut Session, out: &mut String, tally: &mut Tally) {
        let is_number = self.word.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        if self.word.is_empty() {
            return;
        }
        if parse::<&str>(&self.word).is_none() {
            return self.plain(redactor, session, out, tally);
        }
        if is_number {
            let mut valued = self.valued(redactor, session, tally);
            let mut masked = String::new();
            valued.push(redactor, session, &self.word, &mut masked, tally);
            valued.finish(redactor, session, &mut masked, tally);
            if masked != self.word {
                push_quoted(out, &masked);
                self.word.clear();
            }
        }
        out.push_str(&self.word);
        self.word.clear();
    }

    /// What follows is not JSON.
    fn plain(&mut self, redactor: &Redactor, session: &mut Session, out: &mut String, tally: &mut Tally) {
        self.close(redactor, session, out, tally);
        let mut masker = Masker::for_answer(redactor);
        masker.push(redactor, session, &self.word, out, tally);
        self.word.clear();
        self.state = State::Plain(masker);
    }

    fn valued(&self, redactor: &Redactor, session: &mut Session, tally: &mut Tally) -> Valued {
        Valued::new(redactor, session, &self.key, tally)
    }
}

/// The inside of a JSON string.
fn push_escaped(text: &str, out: &mut String) {
    if !text.is_empty() {
        out.push_str(body(&quoted(text)).unwrap_or_default());
    }
}
