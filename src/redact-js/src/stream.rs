//! One text in pieces: on its way out, and on its way back.

use crate::redactor::{Redactor, Shared, State, sink};
use sluicegate::redact::{Masker, Restorer};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// A text on its way out.
#[wasm_bindgen]
pub struct MaskStream {
    shared: Rc<Shared>,
    masker: Masker,
}

#[wasm_bindgen]
impl MaskStream {
    /// A text that begins.
    #[wasm_bindgen(constructor)]
    pub fn new(redactor: &Redactor) -> MaskStream {
        let shared = redactor.shared();
        let masker = Masker::new(&shared.core());
        MaskStream { shared, masker }
    }

    /// The next piece; gives what may go out.
    pub fn push(&mut self, text: &str) -> Result<String, JsValue> {
        let (core, mut state) = self.shared.open()?;
        let State { session, total } = &mut *state;
        let mut out = String::with_capacity(text.len());
        self.masker.push(&core, session, text, &mut out, total);
        // Whoever wants findings has the whole text, and calls `redact`.
        drop(self.masker.take_findings());
        Ok(out)
    }

    /// The text is over; gives the rest.
    pub fn finish(&mut self) -> Result<String, JsValue> {
        let (core, mut state) = self.shared.open()?;
        let State { session, total } = &mut *state;
        let mut out = String::new();
        self.masker.finish(&core, session, &mut out, total);
        Ok(out)
    }

    /// How many bytes are held back.
    pub fn held(&self) -> usize {
        self.masker.held()
    }
}

/// A text on its way back.
#[wasm_bindgen]
pub struct RestoreStream {
    shared: Rc<Shared>,
    restorer: Restorer,
}

#[wasm_bindgen]
impl RestoreStream {
    /// A text that begins; `json` if it is JSON text.
    #[wasm_bindgen(constructor)]
    pub fn new(redactor: &Redactor, json: bool) -> RestoreStream {
        let shared = redactor.shared();
        let restorer = Restorer::new(sink(json), shared.core().policy().restoring);
        RestoreStream { shared, restorer }
    }

    /// The next piece; gives what may be shown.
    pub fn push(&mut self, text: &str) -> Result<String, JsValue> {
        let (_, mut state) = self.shared.open()?;
        let State { session, total } = &mut *state;
        let mut out = String::with_capacity(text.len());
        self.restorer.push(session, text, &mut out, total);
        Ok(out)
    }

    /// The text is over; gives the rest.
    pub fn finish(&mut self) -> Result<String, JsValue> {
        let (_, mut state) = self.shared.open()?;
        let State { session, total } = &mut *state;
        let mut out = String::new();
        self.restorer.finish(session, &mut out, total);
        Ok(out)
    }

    /// How many bytes are held back.
    pub fn held(&self) -> usize {
        self.restorer.held()
    }
}
