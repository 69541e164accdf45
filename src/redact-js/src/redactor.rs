//! A policy in; whole texts and request bodies in and out.

use crate::convert;
use sluicegate::limits::Limits;
use sluicegate::redact::ner::Model;
use sluicegate::redact::{self, Masker, Policy, Restorer, Session, Sink, Tally, body, wire};
use sluicegate::{Error, ErrorKind};
use std::cell::{Ref, RefCell, RefMut};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// What a redactor and the streams that it has opened work on.
pub(crate) struct Shared {
    core: RefCell<redact::Redactor>,
    key: [u8; 32],
    /// `None` once it is closed.
    state: RefCell<Option<State>>,
}

pub(crate) struct State {
    pub(crate) session: Session,
    /// Of all calls.
    pub(crate) total: Tally,
}

impl Shared {
    /// The core and the session, for one call.
    pub(crate) fn open(&self) -> Result<(Ref<'_, redact::Redactor>, RefMut<'_, State>), JsValue> {
        match RefMut::filter_map(self.state.borrow_mut(), Option::as_mut) {
            Ok(state) => Ok((self.core.borrow(), state)),
            Err(_) => {
                let error = Error::new(ErrorKind::RedactionFailed, "The redactor is closed.");
                Err(convert::error_to_js(&error))
            }
        }
    }

    pub(crate) fn core(&self) -> Ref<'_, redact::Redactor> {
        self.core.borrow()
    }
}

/// A policy made ready, and the session of its tokens.
#[wasm_bindgen]
pub struct Redactor {
    shared: Rc<Shared>,
    /// What the last call has to say beside its text.
    said: String,
}

#[wasm_bindgen]
impl Redactor {
    /// Of a policy, a JSON text, and the key of its tokens, 32 bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(policy: &str, key: &[u8]) -> Result<Redactor, JsValue> {
        Redactor::open(policy, key).map_err(|error| convert::error_to_js(&error))
    }

    fn open(policy: &str, key: &[u8]) -> Result<Redactor, Error> {
        let key = <[u8; 32]>::try_from(key).map_err(|_| {
            Error::new(ErrorKind::Misconfigured, "The key must have 32 bytes.").with_param("redact.key")
        })?;
        let shared = Shared {
            core: RefCell::new(redact::Redactor::new(Policy::parse(policy, "redact")?)?),
            state: RefCell::new(Some(State { session: Session::new(&key), total: Tally::default() })),
            key,
        };
        Ok(Redactor { shared: Rc::new(shared), said: String::new() })
    }

    pub(crate) fn shared(&self) -> Rc<Shared> {
        Rc::clone(&self.shared)
    }

    /// What the last call has to say beside its text: findings of `redact`, `{changed, local, json, counts, restored}` of `maskBody`.
    pub fn said(&mut self) -> String {
        core::mem::take(&mut self.said)
    }

    /// Hides what is private in a text.
    pub fn redact(&mut self, text: &str) -> Result<String, JsValue> {
        let shared = self.shared();
        let (core, mut state) = shared.open()?;
        let State { session, total } = &mut *state;
        let masked = core.mask(text, session, total);
        self.said = convert::findings(&core, text, &masked.findings, Some((&masked.text, &masked.replaced)));
        Ok(masked.text)
    }

    /// What is private in a text; the session stays as it is.
    pub fn find(&self, text: &str) -> String {
        let core = self.shared.core();
        convert::findings(&core, text, &core.find(text), None)
    }

    /// Gives back what tokens in a text stand for.
    pub fn restore(&self, text: &str, json: bool) -> Result<String, JsValue> {
        let (core, mut state) = self.shared.open()?;
        let State { session, total } = &mut *state;
        let mut restorer = Restorer::new(sink(json), core.policy().restoring);
        let mut out = String::with_capacity(text.len());
        restorer.push(session, text, &mut out, total);
        restorer.finish(session, &mut out, total);
        Ok(out)
    }

    /// Masks a request body: 0 JSON, 1 JSON by line, 2 text.
    #[wasm_bindgen(js_name = maskBody)]
    pub fn mask_body(&mut self, format: u8, text: &str) -> Result<String, JsValue> {
        let format = match format {
            0 => body::Format::Json,
            1 => body::Format::JsonLines,
            _ => body::Format::Text,
        };
        let shared = self.shared();
        let (core, mut state) = shared.open()?;
        let State { session, total } = &mut *state;
        let mut tally = Tally::default();
        let masked = body::mask(&core, session, format, text, &Limits::default(), &mut tally)
            .map_err(|error| convert::error_to_js(&error))?;
        let json = format == body::Format::Json && body::answer_sink(text) == Sink::Json;
        self.said = convert::masked(core.policy(), &masked, json, &tally);
        convert::add(total, &tally);
        Ok(masked.text)
    }

    /// A whole answer, a JSON text; `json` if the request asked for JSON.
    pub fn answer(&self, text: &str, json: bool) -> Result<String, JsValue> {
        let (core, mut state) = self.shared.open()?;
        let State { session, total } = &mut *state;
        Ok(wire::whole_with(&core, session, sink(json), text, total))
    }

    /// Whether an answer can differ from what came at all.
    pub fn needs(&self) -> Result<bool, JsValue> {
        let (core, state) = self.shared.open()?;
        Ok(wire::needs(&core, &state.session))
    }

    /// Words that come from elsewhere and that may be logged: what is private in them gets labels, and tokens stay.
    pub fn scrub(&self, text: &str) -> Result<String, JsValue> {
        let (core, mut state) = self.shared.open()?;
        let (mut masker, mut out, mut tally) = (Masker::for_answer(&core), String::new(), Tally::default());
        masker.push(&core, &mut state.session, text, &mut out, &mut tally);
        masker.finish(&core, &mut state.session, &mut out, &mut tally);
        Ok(out)
    }

    /// Adds the model that finds names, for texts that begin from now on.
    #[wasm_bindgen(js_name = loadNames)]
    pub fn load_names(&self, weights: &[u8]) -> Result<(), JsValue> {
        self.shared.open()?;
        let model = Model::load(weights).map_err(|error| convert::error_to_js(&error))?;
        self.shared.core.borrow_mut().set_names(std::sync::Arc::new(model));
        Ok(())
    }

    /// Whether there is a model that finds names.
    #[wasm_bindgen(js_name = hasNames)]
    pub fn has_names(&self) -> bool {
        self.shared.core().has_names()
    }

    /// What was done so far, of all calls.
    pub fn counts(&self) -> Result<String, JsValue> {
        let (core, state) = self.shared.open()?;
        Ok(convert::tally(core.policy(), &state.total))
    }

    /// What the tokens stand for, a JSON text: it holds the values.
    #[wasm_bindgen(js_name = exportSession)]
    pub fn export_session(&self) -> Result<String, JsValue> {
        Ok(self.shared.open()?.1.session.to_json())
    }

    /// Goes on with an exported session of the same key.
    #[wasm_bindgen(js_name = importSession)]
    pub fn import_session(&self, json: &str) -> Result<(), JsValue> {
        let session = Session::from_json(&self.shared.key, json).map_err(|error| convert::error_to_js(&error))?;
        self.shared.open()?.1.session = session;
        Ok(())
    }

    /// Forgets what the tokens stand for. The counts stay.
    pub fn clear(&self) -> Result<(), JsValue> {
        self.shared.open()?.1.session = Session::new(&self.shared.key);
        Ok(())
    }

    /// Wipes the session, for streams that are still open too.
    pub fn close(&self) {
        *self.shared.state.borrow_mut() = None;
    }
}

pub(crate) fn sink(json: bool) -> Sink {
    if json { Sink::Json } else { Sink::Text }
}
