//! The texts of one answer: one for each choice and channel, each restored and hidden for itself.
//!
//! An entity or a token that is spread over two pieces of a text joins; what stands in two texts never does.

use super::json_text::JsonMasker;
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
    /// A text of a kind that is not known, by a number for its place: new private data is hidden in it, nothing is given back.
    Other(u32),
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
    choice: u32,
    channel: Channel,
    filter: Filter,
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
        if let Some(at) = self.at(choice, channel)
            && let Some(track) = self.tracks.get_mut(at)
        {
            return track.filter.push(redactor, session, piece, out, tally);
        }
        let mut filter = Filter::new(redactor, session, channel, self.text);
        if self.is_full() {
            if filter.masker.is_none() {
                out.push_str(piece);
            }
            return;
        }
        filter.push(redactor, session, piece, out, tally);
        self.tracks.push(Track { choice, channel, filter });
    }

    /// Whether no text more has room.
    pub(super) fn is_full(&self) -> bool {
        self.tracks.len() >= Channels::MAX
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
        if let Some(at) = self.at(choice, channel) {
            self.tracks.remove(at).filter.finish(redactor, session, out, tally);
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
        self.flush_some(redactor, session, &mut |_| true, each, tally);
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
        self.flush_some(redactor, session, &mut |of| of == choice, each, tally);
    }

    fn flush_some(
        &mut self,
        redactor: &Redactor,
        session: &mut Session,
        wanted: &mut dyn FnMut(u32) -> bool,
        each: &mut dyn FnMut(u32, Channel, &str),
        tally: &mut Tally,
    ) {
        let mut rest = String::new();
        for mut track in core::mem::take(&mut self.tracks) {
            if !wanted(track.choice) {
                self.tracks.push(track);
                continue;
            }
            rest.clear();
            track.filter.finish(redactor, session, &mut rest, tally);
            if !rest.is_empty() {
                each(track.choice, track.channel, &rest);
            }
        }
    }

    /// Whether something of this text is held.
    pub(super) fn holds(&self, choice: u32, channel: Channel) -> bool {
        self.at(choice, channel).and_then(|at| self.tracks.get(at)).is_some_and(|track| track.filter.held() > 0)
    }

    fn at(&self, choice: u32, channel: Channel) -> Option<usize> {
        self.tracks.iter().position(|track| track.choice == choice && track.channel == channel)
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
    Text(Masker),
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
            Channel::Other(_) => None,
        };
        let masker = (policy.answers == Answers::Mask).then(|| match (channel, text) {
            (Channel::Tool(_), _) | (Channel::Text, Sink::Json) => Hider::Json(Box::new(JsonMasker::new(redactor))),
            _ => Hider::Text(Masker::for_answer(redactor)),
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
