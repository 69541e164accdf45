//! One call of a model: parse, route, send, and hand the answer on.
//!
//! No future of Rust's is on this way: each of its steps is a plain call from `pump.js`, where the promises are. A future
//! polled through wasm-bindgen's task queue costs a call as much as all of its rules together.

use crate::answer::Answers;
use crate::live::Live;
use crate::meter::Entry;
use crate::tap::{Sending, Tap};
use crate::visit::Visit;
use crate::{gate, headers, js};
use js_sys::Promise;
use sluicegate::config::{Config, Credential};
use sluicegate::exchange::{Action, Exchange, Plan};
use sluicegate::reply;
use sluicegate::request::{Dialect, Endpoint, Request, Target};
use sluicegate::time::Instant;
use sluicegate::{Error, ErrorKind};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::Response;
use worker::Env;

/// The notice that a stream cannot be resumed, although its caller wanted to be able to.
pub(crate) const UNRESUMABLE: &str = "resume_unavailable";

/// What the head of a request says about a call.
pub(crate) struct Ordered {
    endpoint: Endpoint,
    idempotency_key: Option<String>,
    /// The caller's own credential, where it is the upstream's business.
    token: Option<String>,
    live: Live,
}

impl Ordered {
    /// Reads the head; refuses a body that is not JSON before any of it is read.
    pub(crate) fn new(
        visit: &Visit,
        credential: Credential<'_>,
        endpoint: Endpoint,
        live: Live,
    ) -> Result<Self, Error> {
        let idempotency_key = visit.idempotency_key()?;
        visit.check_media()?;
        let token = match credential {
            Credential::Passed(token) => Some(token.to_owned()),
            _ => None,
        };
        Ok(Ordered { endpoint, idempotency_key, token, live })
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
        let id = self.answers.id.clone();
        let namespace = match &self.ordered.live {
            Live::Before(namespace) => namespace.clone(),
            _ => JsValue::UNDEFINED,
        };
        js::admit(self, visit.request(), limit, &namespace, &id)
    }
}

#[wasm_bindgen]
impl Door {
    /// The body is there. Gives a `Response`, or a promise of one. `enter` is the way into an object, if there is one.
    pub fn open(mut self, body: Vec<u8>, caller: &JsValue, enter: &JsValue) -> Result<JsValue, JsValue> {
        match self.prepare(body) {
            Ok((exchange, sending)) => Ok(self.start(exchange, sending, caller, enter).into()),
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
    fn start(mut self, exchange: Exchange, sending: Sending, caller: &JsValue, enter: &JsValue) -> Promise {
        let heartbeat = self.config.heartbeat() as f64;
        let live = match self.ordered.live {
            _ if !self.entry.stream => JsValue::UNDEFINED,
            Live::Unwanted => JsValue::UNDEFINED,
            Live::Unavailable => {
                self.answers.notices.push(UNRESUMABLE.to_owned());
                JsValue::UNDEFINED
            }
            Live::Before(_) => enter.clone(),
            Live::Inside(inside) => {
                self.answers.stream = Some(inside.id());
                inside.into()
            }
        };
        let tap = Tap::new(js::now(), exchange, sending, self.answers, self.entry, self.config.resume());
        js::drive(tap, caller, heartbeat, &live)
    }

    fn refuse(&mut self, error: &Error) -> Result<Response, JsValue> {
        self.entry.refused(error);
        let response = self.answers.error(error, &[]);
        self.entry.write();
        response
    }

    fn prepare(&mut self, body: Vec<u8>) -> Result<(Exchange, Sending), Error> {
        let Door { ordered, host, env, config, answers, entry } = self;
        let config: &Config = config;
        let request = Request::parse(ordered.endpoint, &body, &config.limits())?;
        drop(body);
        let model = request.model().ok_or_else(|| {
            let message = "Required: the model's id, as GET /v1/models lists it.";
            Error::new(ErrorKind::InvalidRequest, message).with_param("model")
        })?;
        let route = config.route(model)?;
        let upstream = route.upstream;
        entry.upstream = Some(upstream.name().to_owned());
        entry.model = Some(route.model.to_owned());
        entry.stream = request.is_stream();
        if upstream.base_url().host() == host {
            let message = "The upstream is this gate itself; calls would go round in circles.";
            return Err(Error::new(ErrorKind::Misconfigured, message).with_param("upstreams"));
        }
        let secret = gate::secret(env, config, upstream)?;
        let key = ordered.token.as_deref().or(secret.as_deref());
        let target = Target {
            dialect: upstream.dialect(),
            model: route.model,
            replay: route.replay,
            // DeepSeek and SiliconFlow send the usage unasked; it is hidden from callers who did not ask.
            add_usage: request.is_stream() && upstream.dialect() == Dialect::OpenAi,
        };
        let built = request.build(&target)?;
        let notices = built.changes.iter().map(|change| format!("request_changed:{}", change.field));
        answers.notices.extend(notices);
        let plan = Plan {
            budgets: upstream.budgets(),
            reply: reply::Options {
                limits: config.limits(),
                think_tags: upstream.think_tags(),
                collect: false,
                ..reply::Options::default()
            },
        };
        let now = Instant(js::now() as u64);
        let mut exchange = Exchange::new(now, plan, built);
        let Some(Action::Send(built)) = exchange.poll(now) else {
            return Err(Error::new(ErrorKind::Internal, "The exchange did not begin by sending."));
        };
        let accept = if built.stream { "text/event-stream" } else { "application/json" };
        let mut headers = headers::upward(key, accept, &entry.id, upstream.headers());
        headers.add("content-type", "application/json");
        if let Some(key) = &ordered.idempotency_key {
            headers.add("idempotency-key", key);
        }
        let sending = Sending {
            url: format!("{}{}", upstream.base_url().as_str(), built.path),
            headers,
            body: built.body,
            upstream: upstream.name().to_owned(),
        };
        Ok((exchange, sending))
    }
}
