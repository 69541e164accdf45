//! One answer: deltas, or the bytes of an event stream.

use crate::convert;
use crate::redactor::{Redactor, Shared, State, sink};
use sluicegate::redact::{Restorer, Tally, wire};
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
    /// A stream that begins.
    #[wasm_bindgen(constructor)]
    pub fn new(redactor: &Redactor) -> AnswerBytes {
        AnswerBytes { shared: redactor.shared(), stream: wire::AnswerStream::new(), tally: Tally::default() }
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

    /// `{counts, restored}` of this answer.
    pub fn counts(&self) -> String {
        convert::tally(self.shared.core().policy(), &self.tally)
    }
}

/// An answer that is read as deltas.
#[wasm_bindgen]
pub struct AnswerDeltas {
    shared: Rc<Shared>,
    channels: Vec<((u8, u32, u32), Restorer)>,
    /// Of the whole texts: those in pieces are the same texts, and count once.
    tally: Tally,
}

#[wasm_bindgen]
impl AnswerDeltas {
    /// An answer that begins.
    #[wasm_bindgen(constructor)]
    pub fn new(redactor: &Redactor) -> AnswerDeltas {
        AnswerDeltas { shared: redactor.shared(), channels: Vec::new(), tally: Tally::default() }
    }

    /// The next piece of a channel: 0 text, 1 reasoning, 2 refusal, 3 the arguments of a tool call; gives what may be shown.
    pub fn push(&mut self, kind: u8, choice: u32, index: u32, text: &str) -> Result<String, JsValue> {
        let (core, state) = self.shared.open()?;
        let restoring = core.policy().restoring;
        if (kind == 1 && !restoring.reasoning) || (kind == 3 && !restoring.tool_arguments) {
            return Ok(text.to_owned());
        }
        let channel = (kind, choice, index);
        if !self.channels.iter().any(|(of, _)| *of == channel) {
            self.channels.push((channel, Restorer::new(sink(kind == 3), restoring)));
        }
        let mut out = String::with_capacity(text.len());
        if let Some((_, restorer)) = self.channels.iter_mut().find(|(of, _)| *of == channel) {
            restorer.push(&state.session, text, &mut out, &mut Tally::default());
        }
        Ok(out)
    }

    /// The answer is over, well or not; gives what is left of each channel: `[{kind, choice, index, text}, …]`.
    pub fn rest(&mut self) -> Result<String, JsValue> {
        let (core, state) = self.shared.open()?;
        let mut rest = Vec::new();
        for (channel, mut restorer) in core::mem::take(&mut self.channels) {
            let mut out = String::new();
            restorer.finish(&state.session, &mut out, &mut Tally::default());
            rest.push((channel, out));
        }
        Ok(convert::pieces(&rest))
    }

    /// The answer begins anew: what is held is forgotten.
    pub fn restart(&mut self) {
        self.channels.clear();
    }

    /// The whole text of a channel.
    pub fn whole(&mut self, kind: u8, text: &str) -> Result<String, JsValue> {
        let (core, mut state) = self.shared.open()?;
        let State { session, total } = &mut *state;
        let restoring = core.policy().restoring;
        if (kind == 1 && !restoring.reasoning) || (kind == 3 && !restoring.tool_arguments) {
            return Ok(text.to_owned());
        }
        let mut restorer = Restorer::new(sink(kind == 3), restoring);
        let (mut out, mut tally) = (String::with_capacity(text.len()), Tally::default());
        restorer.push(session, text, &mut out, &mut tally);
        restorer.finish(session, &mut out, &mut tally);
        convert::add(&mut self.tally, &tally);
        convert::add(total, &tally);
        Ok(out)
    }

    /// `{counts, restored}` of the whole texts.
    pub fn counts(&self) -> String {
        convert::tally(self.shared.core().policy(), &self.tally)
    }
}
