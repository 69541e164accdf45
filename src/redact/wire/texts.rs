//! The texts of a stream, event by event.

use super::channels::{Channel, Channels, Key, text};
use super::edit::Edit;
use super::found::{self, Reading};
use super::lines::{self, Template};
use super::{is_almost_json, is_left_alone, json_text};
use crate::json::string::{body as inside, unescaped};
use crate::json::write::push_quoted;
use crate::redact::finding::Tally;
use crate::redact::policy::Answers;
use crate::redact::redactor::Redactor;
use crate::redact::session::Session;
use crate::request::span::Span;
use std::borrow::Cow;

/// What it takes to hand on an event.
pub(super) struct Hands<'a> {
    pub(super) redactor: &'a Redactor,
    pub(super) session: &'a mut Session,
    pub(super) tally: &'a mut Tally,
    pub(super) out: &'a mut Vec<u8>,
}

impl Hands<'_> {
    /// Whether new private data is to be hidden.
    pub(super) fn hides(&self) -> bool {
        self.redactor.policy().answers == Answers::Mask
    }
}

/// An event that is whole.
pub(super) struct Whole<'a> {
    pub(super) raw: &'a [u8],
    pub(super) event_type: &'a str,
    pub(super) data: &'a str,
    /// The stream ends behind it, and without its blank line.
    pub(super) last: bool,
}

/// The texts of a stream, and how to hand on the rest of each.
#[derive(Debug)]
pub(super) struct Texts {
    pub(super) channels: Channels,
    pub(super) templates: Vec<Template>,
}

/// The most bytes that are kept of an event to hand the rest of a text on by.
const TEMPLATE: usize = 8 << 10;

/// The text of a stream whose data is not JSON.
const PLAIN: Key = Key { choice: u32::MAX, channel: Channel::Other, lane: 0 };

impl Texts {
    /// Hands one event on; false if that cannot be, and nothing was.
    pub(super) fn event(&mut self, hands: &mut Hands<'_>, event: &Whole<'_>) -> bool {
        if event.data.trim_ascii() == "[DONE]" {
            self.flush(hands, None);
            hands.out.extend_from_slice(event.raw);
            return true;
        }
        let Some(reading) = found::read(event.data, true, hands.hides()) else {
            self.plain(hands, event);
            return true;
        };
        if reading.too_deep && hands.hides() {
            return false;
        }
        match self.texts(hands, event, &reading) {
            None if hands.hides() => return false,
            Some(edit) if !edit.changes.is_empty() => {
                let mut data = String::with_capacity(event.data.len());
                edit.write(event.data, &mut data);
                lines::rewrite(event.raw, Some(&data), hands.out);
            }
            _ => hands.out.extend_from_slice(event.raw),
        }
        true
    }

    /// What changes in an event of JSON. What its end lets go is handed on before it; `None` if there are too many texts.
    fn texts(&mut self, hands: &mut Hands<'_>, event: &Whole<'_>, reading: &Reading) -> Option<Edit> {
        let (mut edit, hides) = (Edit::default(), hands.hides());
        // Where each text's last piece stands, so that what an end lets go can be put behind it.
        let mut last: Vec<(Key, usize)> = Vec::new();
        let mut pieces = Vec::with_capacity(reading.found.len());
        for found in &reading.found {
            let raw = inside(found.span.of(event.data)).unwrap_or_default();
            let mut piece = String::new();
            let Hands { redactor, session, tally, .. } = hands;
            let changed = if is_left_alone(found, raw) {
                false
            } else if found.whole {
                let old = unescaped(raw)?;
                text(redactor, session, found.key.channel, self.channels.sink(), &old, &mut piece, tally);
                piece != old
            } else {
                last.retain(|(key, _)| *key != found.key);
                last.push((found.key, pieces.len()));
                match self.channels.push_json(redactor, session, found.key, raw, &mut piece, tally) {
                    Some(changed) => changed,
                    None if hides => return None,
                    None => false,
                }
            };
            pieces.push((piece, changed));
        }
        let all = reading.all_ended || event.last;
        for (key, at) in last {
            let (Some((piece, changed)), Some(found)) = (pieces.get_mut(at), reading.found.get(at)) else { continue };
            let mut ends = all || reading.ended.contains(&key.choice);
            if !ends && self.channels.holds(key) {
                let kept = self.keep_template(key, event, Some(found.span)).is_some();
                if !kept && hides {
                    return None;
                }
                ends = !kept;
            }
            if ends {
                let before = piece.len();
                let Hands { redactor, session, tally, .. } = hands;
                self.channels.finish_key(redactor, session, key, piece, tally);
                *changed |= piece.len() > before;
            }
        }
        if all {
            self.flush(hands, None);
        } else {
            for choice in &reading.ended {
                self.flush(hands, Some(*choice));
            }
        }
        for (found, (piece, changed)) in reading.found.iter().zip(&pieces) {
            if *changed {
                edit.replace(found, piece);
            }
        }
        edit.logprobs(reading, hides, event.data);
        Some(edit)
    }

    /// Keeps an event to hand the rest of a text on by; `None` if it is too large for that. Most are replaced by the next one, so that
    /// nothing is made of a small one yet.
    fn keep_template(&mut self, key: Key, event: &Whole<'_>, target: Option<Span>) -> Option<()> {
        let (mut data, mut target) = (Cow::Borrowed(event.data), target);
        if let Some(span) = target.filter(|_| event.data.len() > TEMPLATE) {
            let (before, behind) = found::template(event.data, span)?;
            target = Some(Span { start: before.len(), end: before.len() + 2 });
            data = Cow::Owned([&before, "\"\"", &behind].concat());
        }
        if target.is_some() && data.len() > TEMPLATE || event.event_type.len() > TEMPLATE {
            return None;
        }
        let at = match self.templates.iter().position(|template| template.key == key) {
            Some(at) => at,
            None => {
                self.templates.push(Template { key, event_type: String::new(), data: String::new(), target });
                self.templates.len() - 1
            }
        };
        let template = self.templates.get_mut(at)?;
        template.event_type.clear();
        template.event_type.push_str(event.event_type);
        template.data.clear();
        if target.is_some() {
            template.data.push_str(&data);
        }
        template.target = target;
        Some(())
    }

    /// Hands on what is held of all texts, or of those of a choice.
    pub(super) fn flush(&mut self, hands: &mut Hands<'_>, choice: Option<u32>) {
        let Hands { redactor, session, tally, out } = hands;
        let templates = &self.templates;
        let mut each = |key: Key, rest: &str| {
            let Some(template) = templates.iter().find(|template| template.key == key) else { return };
            match template.target.and_then(|target| found::template(&template.data, target)) {
                Some((mut data, behind)) => {
                    push_quoted(&mut data, rest);
                    data.push_str(&behind);
                    lines::event(&template.event_type, &data, out);
                }
                None => lines::event(&template.event_type, rest, out),
            }
        };
        self.channels.flush_keys(redactor, session, choice, &mut each, tally);
        self.templates.retain(|template| choice.is_some_and(|choice| choice != template.key.choice));
    }

    /// Data that is not JSON: one text over all such events.
    fn plain(&mut self, hands: &mut Hands<'_>, event: &Whole<'_>) {
        if !hands.hides() {
            if event.last {
                self.flush(hands, None);
            }
            return hands.out.extend_from_slice(event.raw);
        }
        let mut piece = String::new();
        let Hands { redactor, session, tally, .. } = hands;
        if is_almost_json(event.data) {
            if !event.last {
                piece = json_text::hide(redactor, session, event.data, tally);
            }
        } else {
            self.channels.push(redactor, session, PLAIN.choice, PLAIN.channel, event.data, &mut piece, tally);
        }
        if event.last {
            let Hands { redactor, session, tally, .. } = hands;
            self.channels.finish(redactor, session, PLAIN.choice, PLAIN.channel, &mut piece, tally);
            self.flush(hands, None);
        } else {
            // Of an event whose type is that long, the rest is not shown.
            let _ = self.keep_template(PLAIN, event, None);
        }
        if piece == event.data {
            hands.out.extend_from_slice(event.raw);
        } else {
            lines::rewrite(event.raw, Some(&*piece).filter(|piece| !piece.is_empty()), hands.out);
        }
    }
}
