//! One answer: deltas, or the bytes of an event stream.

use crate::convert;
use crate::redactor::{Redactor, Shared, State, sink};
use sluicegate::redact::wire::{self, Channel, Channels};
use sluicegate::redact::{Sink, Tally};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// An answer that is handed on as an event stream.
#[wasm_bindgen]
pub struct AnswerBytes {
    shared: Rc<Shared>,
    stream: wire::AnswerStream,
    tally: Tally,
}

#[wasm_bindgen]
impl AnswerBytes {
    /// A stream that begins; `json` if the request asked for JSON.
    #[wasm_bindgen(constructor)]
    pub fn new(redactor: &Redactor, json: bool) -> AnswerBytes {
        let stream = wire::AnswerStream::new().with_text(sink(json));
        AnswerBytes { shared: redactor.shared(), stream, tally: Tally::default() }
    }

    /// The next bytes; gives what may be handed on.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<u8>, JsValue> {
        let (core, mut state) = self.shared.open()?;
        let mut out = Vec::with_capacity(bytes.len());
        self.stream.push(&core, &mut state.session, bytes, &mut out, &mut self.tally);
        Ok(out)
    }

    /// The stream is over, well or not; gives the rest.
    pub fn finish(&mut self) -> Result<Vec<u8>, JsValue> {
        let (core, mut state) = self.shared.open()?;
        let State { session, total } = &mut *state;
        let mut out = Vec::new();
        self.stream.finish(&core, session, &mut out, &mut self.tally);
        convert::add(total, &self.tally);
        Ok(out)
    }
}

/// An answer that is read as deltas.
#[wasm_bindgen]
pub struct AnswerDeltas {
    shared: Rc<Shared>,
    channels: Channels,
    text: Sink,
    /// Of the whole texts: those in pieces are the same texts, and count once.
    tally: Tally,
}

#[wasm_bindgen]
impl AnswerDeltas {
    /// An answer that begins; `json` if the request asked for JSON.
    #[wasm_bindgen(constructor)]
    pub fn new(redactor: &Redactor, json: bool) -> AnswerDeltas {
        let text = sink(json);
        let channels = Channels::new().with_text(text);
        AnswerDeltas { shared: redactor.shared(), channels, text, tally: Tally::default() }
    }

    /// The next piece of a channel: 0 text, 1 reasoning, 2 refusal, 3 the arguments of the tool call `index`; gives what may be shown.
    pub fn push(&mut self, kind: u8, choice: u32, index: u32, text: &str) -> Result<String, JsValue> {
        let (core, mut state) = self.shared.open()?;
        let mut out = String::with_capacity(text.len());
        let channel = channel(kind, index);
        self.channels.push(&core, &mut state.session, choice, channel, text, &mut out, &mut Tally::default());
        Ok(out)
    }

    /// The answer is over, well or not; gives what is left of each channel: `[{kind, choice, index, text}, …]`.
    pub fn rest(&mut self) -> Result<String, JsValue> {
        let (core, mut state) = self.shared.open()?;
        let mut pieces = convert::List::new();
        let mut each = |choice, channel, text: &str| {
            let (kind, index) = match channel {
                Channel::Text => (0, 0),
                Channel::Reasoning => (1, 0),
                Channel::Refusal => (2, 0),
                Channel::Tool(index) => (3, index),
                _ => return,
            };
            pieces.push(&convert::piece(kind, choice, index, text));
        };
        self.channels.flush(&core, &mut state.session, &mut each, &mut Tally::default());
        Ok(pieces.finish())
    }

    /// The answer begins anew: what is held is forgotten.
    pub fn restart(&mut self) {
        self.channels = Channels::new().with_text(self.text);
    }

    /// The whole text of a channel.
    pub fn whole(&mut self, kind: u8, text: &str) -> Result<String, JsValue> {
        let (core, mut state) = self.shared.open()?;
        let State { session, total } = &mut *state;
        let (mut out, mut tally) = (String::with_capacity(text.len()), Tally::default());
        wire::text(&core, session, channel(kind, 0), self.text, text, &mut out, &mut tally);
        convert::add(&mut self.tally, &tally);
        convert::add(total, &tally);
        Ok(out)
    }

    /// `{counts, restored}` of the whole texts.
    pub fn counts(&self) -> Result<String, JsValue> {
        let (core, _) = self.shared.open()?;
        Ok(convert::tally(core.policy(), &self.tally))
    }
}

fn channel(kind: u8, index: u32) -> Channel {
    match kind {
        0 => Channel::Text,
        1 => Channel::Reasoning,
        2 => Channel::Refusal,
        _ => Channel::Tool(index),
    }
}
