//! One answer: the bytes of an event stream.

use crate::convert;
use crate::redactor::{Redactor, Shared, State};
use sluicegate::redact::{Tally, wire};
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
        let mut state = self.shared.state()?;
        let mut out = Vec::with_capacity(bytes.len());
        self.stream.push(&self.shared.core, &mut state.session, bytes, &mut out, &mut self.tally);
        Ok(out)
    }

    /// The stream is over, well or not; gives the rest.
    pub fn finish(&mut self) -> Result<Vec<u8>, JsValue> {
        let mut state = self.shared.state()?;
        let State { session, total } = &mut *state;
        let mut out = Vec::new();
        self.stream.finish(&self.shared.core, session, &mut out, &mut self.tally);
        convert::add(total, &self.tally);
        Ok(out)
    }

    /// `{counts, restored}` of this answer.
    pub fn counts(&self) -> String {
        convert::tally(self.shared.core.policy(), &self.tally)
    }
}
