//! One call of a model: parse, plan, and have it driven.
//!
//! No future of Rust's is on this way: each of its steps is a plain call from `pump.js`, where the promises are. A future
//! polled through wasm-bindgen's task queue costs a call as much as all of its rules together.

use crate::answer::Answers;
use crate::js;
use crate::meter::Entry;
use crate::sender::Sender;
use crate::tap::Tap;
use crate::visit::Visit;
use js_sys::Promise;
use sluicegate::config::{Config, Credential};
use sluicegate::exchange::Exchange;
use sluicegate::request::{Endpoint, Request};
use sluicegate::time::Instant;
use sluicegate::{Error, ErrorKind};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::Response;
use worker::Env;

/// What the head of a request says about a call.
pub(crate) struct Ordered {
    endpoint: Endpoint,
    idempotency_key: Option<String>,
    /// The caller's own credential, where it is the upstream's business.
    token: Option<String>,
}

impl Ordered {
    /// Reads the head; refuses a body that is not JSON before any of it is read.
    pub(crate) fn new(visit: &Visit, credential: Credential<'_>, endpoint: Endpoint) -> Result<Self, Error> {
        let idempotency_key = visit.idempotency_key()?;
        visit.check_media()?;
        let token = match credential {
            Credential::Passed(token) => Some(token.to_owned()),
            _ => None,
        };
        Ok(Ordered { endpoint, idempotency_key, token })
    }
}

/// A call whose body is still to be read.
// Private: worker-build would publish it as an export of the Worker.
#[wasm_bindgen(private)]
pub struct Door {
    ordered: Ordered,
    host: String,
    env: Env,
    config: Rc<Config>,
    answers: Answers,
    entry: Entry,
}

impl Door {
    pub(crate) fn new(
        ordered: Ordered,
        visit: &Visit,
        env: Env,
        config: Rc<Config>,
        answers: Answers,
        entry: Entry,
    ) -> Self {
        Door { ordered, host: visit.host().to_owned(), env, config, answers, entry }
    }

    /// Reads the body and makes the call; gives its response, sooner or later.
    pub(crate) fn call(self, visit: &Visit) -> Promise {
        let limit = self.config.limits().request_body as f64;
        js::admit(self, visit.request(), limit)
    }
}

#[wasm_bindgen]
impl Door {
    /// The body is there. Gives a `Response`, or a promise of one.
    pub fn open(mut self, body: Vec<u8>, caller: &JsValue) -> Result<JsValue, JsValue> {
        match self.prepare(body) {
            Ok(exchange) => Ok(self.start(exchange, caller).into()),
            Err(error) => self.refuse(&error).map(JsValue::from),
        }
    }

    /// The body has more bytes than it may.
    pub fn oversized(mut self) -> Result<Response, JsValue> {
        let message = format!("The body is larger than the limit of {} bytes.", self.config.limits().request_body);
        self.refuse(&Error::new(ErrorKind::PayloadTooLarge, message))
    }

    /// The body did not come to its end.
    pub fn broken(mut self) -> Result<Response, JsValue> {
        self.refuse(&Error::new(ErrorKind::InvalidRequest, "The request's body broke off."))
    }
}

impl Door {
    fn start(self, exchange: Exchange, caller: &JsValue) -> Promise {
        let heartbeat = self.config.heartbeat() as f64;
        let sender = Sender {
            env: self.env,
            config: self.config,
            host: self.host,
            id: self.answers.id.clone(),
            token: self.ordered.token,
            idempotency_key: self.ordered.idempotency_key,
        };
        js::drive(Tap::new(exchange, sender, self.answers, self.entry), caller, heartbeat)
    }

    fn refuse(&mut self, error: &Error) -> Result<Response, JsValue> {
        self.entry.refused(error);
        let response = self.answers.error(error, &[]);
        self.entry.write();
        response
    }

    fn prepare(&mut self, body: Vec<u8>) -> Result<Exchange, Error> {
        let request = Request::parse(self.ordered.endpoint, &body, &self.config.limits())?;
        drop(body);
        let seed = (js::random() * SEEDS) as u64;
        let plan = self.config.plan(&request, seed)?;
        if let Some(first) = plan.routes.first() {
            self.entry.upstream = Some(first.source.clone());
            self.entry.model = Some(first.model.clone());
        }
        self.entry.stream = request.is_stream();
        Exchange::new(Instant(js::now() as u64), seed, plan, request)
    }
}

/// How many numbers `Math.random` gives: 2 to the power of 53.
const SEEDS: f64 = 9_007_199_254_740_992.0;
