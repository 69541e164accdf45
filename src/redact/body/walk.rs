//! One pass over a JSON document: its texts are masked where they stand, everything between them is copied.

use super::place::{Place, data_url, is_base64};
use crate::error::{Error, ErrorKind};
use crate::json::cursor::{Cursor, Read, parse};
use crate::json::shown_key;
use crate::json::string::unescaped;
use crate::json::write::push_quoted;
use crate::redact::entity::Entity;
use crate::redact::finding::Tally;
use crate::redact::policy::Action;
use crate::redact::redactor::Redactor;
use crate::redact::session::Session;
use std::borrow::Cow;

/// How many levels of JSON in strings of JSON are read as such; below them, it is plain text.
const LEVELS: usize = 4;
/// Nesting of JSON that is a text.
const TEXT_DEPTH: usize = 48;
/// The longest number that may be private, in bytes.
const NUMBER: usize = 64;
/// The longest path that an error names, in bytes.
const PATH: usize = 256;

/// What masking needs, and what it learns.
pub(super) struct Means<'a> {
    pub(super) redactor: &'a Redactor,
    pub(super) session: &'a mut Session,
    pub(super) tally: &'a mut Tally,
    pub(super) depth: usize,
    /// Kinds that are for a model on the device only.
    pub(super) local: Vec<String>,
}

/// What is put in front of a value, so that its key tells what it is; empty if the key says nothing.
pub(crate) fn context(redactor: &Redactor, key: &str) -> String {
    const LONGEST: usize = 64;
    let plain = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-');
    // A key that is private itself would be hidden with the value.
    let usable = !key.is_empty() && key.len() <= LONGEST && (key.bytes().all(plain) || redactor.find(key).is_empty());
    if usable { [key, ": "].concat() } else { String::new() }
}

/// How much of the context stands at the beginning of a text that is hidden: less than all if it was hidden with the value.
pub(crate) fn passed(context: &str, masked: &str) -> usize {
    context.chars().zip(masked.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
}

/// The policy refuses this kind.
pub(super) struct Hidden(pub(super) Entity);

impl Means<'_> {
    /// A text without what is private in it; `None` if it may stay as it is. `key` stands before it, if it tells what the text is.
    pub(super) fn hide(&mut self, text: &str, key: &str) -> Result<Option<String>, Hidden> {
        if text.is_empty() {
            return Ok(None);
        }
        let context = context(self.redactor, key);
        let joined = if context.is_empty() { Cow::Borrowed(text) } else { Cow::Owned([&context, text].concat()) };
        // Not by the findings, of which a long text may have more than are kept.
        let mut tally = Tally::default();
        let masked = self.redactor.mask(&joined, self.session, &mut tally);
        for &(entity, action, count) in &tally.counts {
            self.tally.add_many(entity, action, count);
            match action {
                Action::Block => return Err(Hidden(entity)),
                Action::LocalOnly => self.local_only(entity),
                _ => {}
            }
        }
        let passed = passed(&context, &masked.text);
        let rest = masked.text.get(passed..).unwrap_or_default();
        Ok((rest != text).then(|| rest.to_owned()))
    }

    fn local_only(&mut self, entity: Entity) {
        let key = self.redactor.policy().key(entity);
        if !self.local.iter().any(|known| known == key) {
            self.local.push(key.to_owned());
        }
    }

    /// The error for a kind that the policy refuses.
    #[cold]
    pub(super) fn refused(&self, entity: Entity) -> Error {
        let message =
            ["The request holds private data that the policy refuses: ", self.redactor.policy().key(entity), "."];
        Error::new(ErrorKind::PrivateData, message.concat())
    }
}

/// Masks a whole document; `None` if nothing has to change.
pub(super) fn document(means: &mut Means<'_>, text: &str) -> Result<Option<String>, Error> {
    let depth = means.depth;
    let mut walk = Walk::new(means, text, depth, 0);
    match walk.whole(Place::Text) {
        Ok(changed) => Ok(changed),
        Err(fault) => Err(walk.error(fault)),
    }
}

enum Fault {
    Syntax,
    Depth,
    Hidden(Entity),
}

struct Walk<'w, 'a> {
    means: &'w mut Means<'a>,
    text: &'w str,
    cursor: Cursor<'w>,
    depth: usize,
    /// How many texts this one stands in.
    level: usize,
    out: String,
    /// Up to where the text is in `out`.
    done: usize,
    /// Where the fault is, innermost first: filled while the error travels out.
    trail: Vec<String>,
}

impl<'w, 'a> Walk<'w, 'a> {
    fn new(means: &'w mut Means<'a>, text: &'w str, depth: usize, level: usize) -> Self {
        Walk { means, text, cursor: Cursor::new(text), depth, level, out: String::new(), done: 0, trail: Vec::new() }
    }

    fn whole(&mut self, place: Place) -> Result<Option<String>, Fault> {
        self.value(place, "", 0)?;
        if self.cursor.peek().is_some() {
            return Err(Fault::Syntax);
        }
        if self.done == 0 {
            return Ok(None);
        }
        let mut out = core::mem::take(&mut self.out);
        out.push_str(self.text.get(self.done..).unwrap_or_default());
        Ok(Some(out))
    }

    fn value(&mut self, place: Place, key: &str, depth: usize) -> Result<(), Fault> {
        match self.cursor.peek() {
            Some(open @ (b'{' | b'[')) => {
                if depth >= self.depth {
                    return Err(Fault::Depth);
                }
                self.cursor.open(open).ok_or(Fault::Depth)?;
                if open == b'{' { self.object(place, depth + 1) } else { self.array(place, key, depth + 1) }
            }
            Some(b'"') => self.string(place, key),
            _ => {
                let start = self.cursor.at;
                self.cursor.skip().ok_or(Fault::Syntax)?;
                self.number(start, key)
            }
        }
    }

    fn object(&mut self, place: Place, depth: usize) -> Result<(), Fault> {
        if self.cursor.peek() == Some(b'}') {
            return self.cursor.close().ok_or(Fault::Syntax);
        }
        let opened = self.cursor.at - 1;
        let mut names_tool = None;
        loop {
            let start = self.cursor.peek().map(|_| self.cursor.at).unwrap_or_default();
            let (name, escaped) = self.cursor.key().ok_or(Fault::Syntax)?;
            let name = decoded(name, escaped)?;
            if self.level > 0
                && let Some(hidden) = self.means.hide(&name, "").map_err(|Hidden(entity)| Fault::Hidden(entity))?
            {
                self.replace(start, &hidden);
            }
            self.cursor.colon().ok_or(Fault::Syntax)?;
            let mut member = place.member(&name);
            if name == "name" && *names_tool.get_or_insert_with(|| self.names_tool(place, opened)) {
                member = Place::Structure;
            }
            if let Err(fault) = self.value(member, &name, depth) {
                self.trail.push([".", shown_key(&name)].concat());
                return Err(fault);
            }
            if self.cursor.next_or(b'}').ok_or(Fault::Syntax)? {
                return Ok(());
            }
        }
    }

    /// Whether a `name` in the object that begins at `start` is that of a tool.
    fn names_tool(&self, place: Place, start: usize) -> bool {
        let mut found = false;
        let object = self.text.get(start..).unwrap_or_default();
        let _ = Cursor::new(object).object(&mut |cursor: &mut Cursor<'_>, name| {
            let value = <&str>::read(cursor)?;
            found |= name == "type" && place.names_tool(value);
            Some(())
        });
        found
    }

    fn array(&mut self, place: Place, key: &str, depth: usize) -> Result<(), Fault> {
        if self.cursor.peek() == Some(b']') {
            return self.cursor.close().ok_or(Fault::Syntax);
        }
        let mut index = 0usize;
        loop {
            if let Err(fault) = self.value(place, key, depth) {
                self.trail.push(["[", &index.to_string(), "]"].concat());
                return Err(fault);
            }
            index += 1;
            if self.cursor.next_or(b']').ok_or(Fault::Syntax)? {
                return Ok(());
            }
        }
    }

    fn string(&mut self, place: Place, key: &str) -> Result<(), Fault> {
        let start = self.cursor.at;
        let (body, escaped) = self.cursor.string().ok_or(Fault::Syntax)?;
        if place.is_structure() {
            return Ok(());
        }
        let text = decoded(body, escaped)?;
        if place == Place::Binary && is_base64(&text)
            || data_url(&text).is_some_and(|(head, _)| self.means.redactor.find(head).is_empty())
        {
            return Ok(());
        }
        let hidden = match self.within(&text)? {
            Some(inside) => inside,
            None => {
                let context = if place.has_context() || self.level > 0 { key } else { "" };
                self.means.hide(&text, context).map_err(|Hidden(entity)| Fault::Hidden(entity))?
            }
        };
        if let Some(mut hidden) = hidden {
            if place == Place::Speaker {
                hidden = ["hidden-", &self.means.session.hash(&text)].concat();
            }
            self.replace(start, &hidden);
        }
        Ok(())
    }

    /// If a text is JSON itself: whether and how it changes.
    fn within(&mut self, text: &str) -> Result<Option<Option<String>>, Fault> {
        let opens = matches!(text.trim_ascii_start().as_bytes().first(), Some(b'{' | b'[' | b'"'));
        if !opens || parse::<&str>(text).is_none() {
            return Ok(None);
        }
        let inside = match self.level < LEVELS {
            true => Walk::new(self.means, text, TEXT_DEPTH, self.level + 1).whole(Place::Data),
            false => Err(Fault::Depth),
        };
        match inside {
            // Without an escape, what is too deep can be read as it is.
            Err(Fault::Depth) if memchr::memchr(b'\\', text.as_bytes()).is_none() => Ok(None),
            inside => inside.map(Some),
        }
    }

    /// A number, `true`, `false` or `null`. Only in a text a number is data.
    fn number(&mut self, start: usize, key: &str) -> Result<(), Fault> {
        let text = self.text;
        let literal = text.get(start..self.cursor.at).unwrap_or_default();
        if self.level == 0 || literal.len() > NUMBER || literal.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return Ok(());
        }
        if let Some(hidden) = self.means.hide(literal, key).map_err(|Hidden(entity)| Fault::Hidden(entity))? {
            self.replace(start, &hidden);
        }
        Ok(())
    }

    /// Puts a string in the place of what was read since `start`.
    fn replace(&mut self, start: usize, with: &str) {
        self.out.push_str(self.text.get(self.done..start).unwrap_or_default());
        push_quoted(&mut self.out, with);
        self.done = self.cursor.at;
    }

    #[cold]
    fn error(&self, fault: Fault) -> Error {
        let error = match fault {
            Fault::Syntax => Error::new(ErrorKind::InvalidRequest, "The body is not valid JSON."),
            Fault::Depth => {
                let message =
                    ["JSON is nested deeper than ", &self.depth.to_string(), " levels, or too often in strings."]
                        .concat();
                Error::new(ErrorKind::InvalidRequest, message)
            }
            Fault::Hidden(entity) => self.means.refused(entity),
        };
        let mut path = String::new();
        for step in self.trail.iter().rev() {
            path.push_str(step);
            if path.len() > PATH {
                path.push('…');
                break;
            }
        }
        let path = path.strip_prefix('.').unwrap_or(&path);
        if path.is_empty() { error } else { error.with_param(path) }
    }
}

fn decoded(body: &str, escaped: bool) -> Result<Cow<'_, str>, Fault> {
    if escaped { unescaped(body).map(Cow::Owned).ok_or(Fault::Syntax) } else { Ok(Cow::Borrowed(body)) }
}
