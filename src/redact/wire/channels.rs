//! The texts of one answer: one for each choice and channel, each restored and hidden for itself.
//!
//! An entity or a token that is spread over two pieces of a text joins; what stands in two texts never does.

use super::json_text::JsonMasker;
use crate::json::string::{decode, form};
use crate::redact::finding::Tally;
use crate::redact::mask::Masker;
use crate::redact::policy::Answers;
use crate::redact::redactor::Redactor;
use crate::redact::restore::{Restorer, Sink};
use crate::redact::session::Session;

/// Which text of a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Channel {
    /// The answer.
    Text,
    /// The model's reasoning.
    Reasoning,
    /// A refusal.
    Refusal,
    /// The arguments of a tool call, JSON text, by its index.
    Tool(u32),
    /// A text of a kind that is not known: new private data is hidden in it, nothing is given back.
    Other,
}

/// The texts of an answer that is under way.
///
/// Holds what each may not show yet, which masking and restoring bound, for [`Channels::MAX`] texts at most. Of a text beyond that
/// nothing is shown if new private data is to be hidden; else it passes as it is.
#[derive(Debug)]
pub struct Channels {
    tracks: Vec<Track>,
    text: Sink,
}

#[derive(Debug)]
struct Track {
    key: Key,
    /// The half of a character that a `\u` escape gave, whose other half is in the next piece.
    half: u16,
    filter: Filter,
}

/// Which text of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) choice: u32,
    pub(super) channel: Channel,
    /// Which of several texts of this channel, by its place in an event; 0 outside of events.
    pub(super) lane: u32,
}

impl Key {
    fn new(choice: u32, channel: Channel) -> Key {
        Key { choice, channel, lane: 0 }
    }
}

impl Default for Channels {
    fn default() -> Self {
        Channels::new()
    }
}

impl Channels {
    /// How many texts one answer may have at a time.
    pub const MAX: usize = 1024;

    /// An answer that begins.
    pub fn new() -> Channels {
        Channels { tracks: Vec::new(), text: Sink::Text }
    }

    /// What the text of the answer is. Default [`Sink::Text`]; JSON if the request asked for it, so that values are written escaped.
    pub fn with_text(self, text: Sink) -> Channels {
        Channels { text, ..self }
    }

    /// What the text of the answer is.
    pub(super) fn sink(&self) -> Sink {
        self.text
    }

    /// The next piece of a text; what may be shown is appended to `out`.
    #[allow(clippy::too_many_arguments)] // the same as for a masker, and where
    pub fn push(
        &mut self,
        redactor: &Redactor,
        session: &mut Session,
        choice: u32,
        channel: Channel,
        piece: &str,
        out: &mut String,
        tally: &mut Tally,
    ) {
        if piece.is_empty() {
            return;
        }
        match self.track(redactor, session, Key::new(choice, channel)) {
            Some(track) => track.filter.push(redactor, session, piece, out, tally),
            None if redactor.policy().answers == Answers::Mask => {}
            None => out.push_str(piece),
        }
    }

    /// The next piece of a text, as it stands between the quotes of a JSON string; its new text is appended to `out`. Whether that
    /// differs; `None` if there is no room for one text more.
    pub(super) fn push_json(
        &mut self,
        redactor: &Redactor,
        session: &mut Session,
        key: Key,
        body: &str,
        out: &mut String,
        tally: &mut Tally,
    ) -> Option<bool> {
        if body.is_empty() {
            return Some(false);
        }
        let track = self.track(redactor, session, key)?;
        let before = track.half;
        let mut scratch = String::new();
        let piece = decode(body, form(body.as_bytes()), &mut track.half, &mut scratch)?;
        let start = out.len();
        track.filter.push(redactor, session, piece, out, tally);
        Some(before != 0 || track.half != 0 || out.get(start..) != Some(piece))
    }

    fn track(&mut self, redactor: &Redactor, session: &Session, key: Key) -> Option<&mut Track> {
        let at = match self.at(key) {
            Some(at) => at,
            None if self.tracks.len() >= Channels::MAX => return None,
            None => {
                let filter = Filter::new(redactor, session, key.channel, self.text);
                self.tracks.push(Track { key, half: 0, filter });
                self.tracks.len() - 1
            }
        };
        self.tracks.get_mut(at)
    }

    /// A text is over: what is held of it is appended to `out`.
    pub fn finish(
        &mut self,
        redactor: &Redactor,
        session: &mut Session,
        choice: u32,
        channel: Channel,
        out: &mut String,
        tally: &mut Tally,
    ) {
        self.finish_key(redactor, session, Key::new(choice, channel), out, tally);
    }

    pub(super) fn finish_key(
        &mut self,
        redactor: &Redactor,
        session: &mut Session,
        key: Key,
        out: &mut String,
        tally: &mut Tally,
    ) {
        if let Some(at) = self.at(key) {
            self.tracks.remove(at).finish(redactor, session, out, tally);
        }
    }

    /// All texts are over: `each` is told of those of which something was held.
    pub fn flush(
        &mut self,
        redactor: &Redactor,
        session: &mut Session,
        each: &mut dyn FnMut(u32, Channel, &str),
        tally: &mut Tally,
    ) {
        self.flush_keys(redactor, session, None, &mut |key, rest| each(key.choice, key.channel, rest), tally);
    }

    /// As [`Channels::flush`], for one choice.
    pub fn flush_choice(
        &mut self,
        redactor: &Redactor,
        session: &mut Session,
        choice: u32,
        each: &mut dyn FnMut(u32, Channel, &str),
        tally: &mut Tally,
    ) {
        self.flush_keys(redactor, session, Some(choice), &mut |key, rest| each(key.choice, key.channel, rest), tally);
    }

    /// Of one choice, or of all.
    pub(super) fn flush_keys(
        &mut self,
        redactor: &Redactor,
        session: &mut Session,
        choice: Option<u32>,
        each: &mut dyn FnMut(Key, &str),
        tally: &mut Tally,
    ) {
        let mut rest = String::new();
        for track in core::mem::take(&mut self.tracks) {
            if choice.is_some_and(|choice| choice != track.key.choice) {
                self.tracks.push(track);
                continue;
            }
            rest.clear();
            let key = track.key;
            track.finish(redactor, session, &mut rest, tally);
            if !rest.is_empty() {
                each(key, &rest);
            }
        }
    }

    /// Whether something of this text is held.
    pub(super) fn holds(&self, key: Key) -> bool {
        self.at(key).and_then(|at| self.tracks.get(at)).is_some_and(|track| track.half != 0 || track.filter.held() > 0)
    }

    fn at(&self, key: Key) -> Option<usize> {
        self.tracks.iter().position(|track| track.key == key)
    }
}

impl Track {
    fn finish(mut self, redactor: &Redactor, session: &mut Session, out: &mut String, tally: &mut Tally) {
        if self.half != 0 {
            self.filter.push(redactor, session, "\u{FFFD}", out, tally);
        }
        self.filter.finish(redactor, session, out, tally);
    }
}

/// A whole text of an answer.
pub fn text(
    redactor: &Redactor,
    session: &mut Session,
    channel: Channel,
    sink: Sink,
    text: &str,
    out: &mut String,
    tally: &mut Tally,
) {
    let mut filter = Filter::new(redactor, session, channel, sink);
    filter.push(redactor, session, text, out, tally);
    filter.finish(redactor, session, out, tally);
}

/// One text: what is new in it is hidden first, then tokens are given back, so that what was given back is not hidden again.
#[derive(Debug)]
struct Filter {
    masker: Option<Hider>,
    restorer: Option<Restorer>,
    masked: String,
}

#[derive(Debug)]
enum Hider {
    Text(Box<Masker>),
    Json(Box<JsonMasker>),
}

impl Filter {
    fn new(redactor: &Redactor, session: &Session, channel: Channel, text: Sink) -> Filter {
        let policy = redactor.policy();
        let sink = match channel {
            Channel::Text => Some(text),
            Channel::Refusal => Some(Sink::Text),
            Channel::Reasoning => policy.restoring.reasoning.then_some(Sink::Text),
            Channel::Tool(_) => policy.restoring.tool_arguments.then_some(Sink::Json),
            Channel::Other => None,
        };
        let masker = (policy.answers == Answers::Mask).then(|| match (channel, text) {
            (Channel::Tool(_), _) | (Channel::Text, Sink::Json) => Hider::Json(Box::new(JsonMasker::new(redactor))),
            _ => Hider::Text(Box::new(Masker::for_answer(redactor))),
        });
        let restorer = sink.filter(|_| !session.is_empty()).map(|sink| Restorer::new(sink, policy.restoring));
        Filter { masker, restorer, masked: String::new() }
    }

    fn push(&mut self, redactor: &Redactor, session: &mut Session, piece: &str, out: &mut String, tally: &mut Tally) {
        let masked = match &mut self.masker {
            None => piece,
            Some(masker) => {
                self.masked.clear();
                match masker {
                    Hider::Text(masker) => masker.push(redactor, session, piece, &mut self.masked, tally),
                    Hider::Json(masker) => masker.push(redactor, session, piece, &mut self.masked, tally),
                }
                &self.masked
            }
        };
        match &mut self.restorer {
            Some(restorer) => restorer.push(session, masked, out, tally),
            None => out.push_str(masked),
        }
    }

    fn finish(&mut self, redactor: &Redactor, session: &mut Session, out: &mut String, tally: &mut Tally) {
        self.masked.clear();
        match &mut self.masker {
            Some(Hider::Text(masker)) => masker.finish(redactor, session, &mut self.masked, tally),
            Some(Hider::Json(masker)) => masker.finish(redactor, session, &mut self.masked, tally),
            None => {}
        }
        match &mut self.restorer {
            Some(restorer) => {
                restorer.push(session, &self.masked, out, tally);
                restorer.finish(session, out, tally);
            }
            None => out.push_str(&self.masked),
        }
    }

    fn held(&self) -> usize {
        let masked = match &self.masker {
            Some(Hider::Text(masker)) => masker.held(),
            Some(Hider::Json(masker)) => masker.held(),
            None => 0,
        };
        masked + self.restorer.as_ref().map_or(0, Restorer::held)
    }
}
