//! One call of a model: parse, plan, and have it driven.
//!
//! No future of Rust's is on this way: each of its steps is a plain call from `pump.js`, where the promises are. A future
//! polled through wasm-bindgen's task queue costs a call as much as all of its rules together.

use crate::answer::Answers;
use crate::guides::{Guide, Guise};
use crate::headers::Headers;
use crate::limits::{Charge, First, Order};
use crate::live::Live;
use crate::meter::Entry;
use crate::sender::Sender;
use crate::tap::Tap;
use crate::visit::Visit;
use crate::{admin, gate, js, page};
use js_sys::Promise;
use sluicegate::access::{Caller, key};
use sluicegate::config::{Config, Cover, Covered, Credential, Redaction};
use sluicegate::exchange::{Exchange, Plan};
use sluicegate::redact::Tally;
use sluicegate::request::{Endpoint, Request};
use sluicegate::time::Instant;
use sluicegate::{Error, ErrorKind};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::Response;
use worker::Env;

/// The notice that a stream cannot be resumed, although its caller wanted to be able to.
pub(crate) const UNRESUMABLE: &str = "resume_unavailable";

/// The version of Anthropic's protocol for callers who name none.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// What the head of a request says about a call.
pub(crate) struct Ordered {
    /// Who calls, where the gate knows its callers.
    caller: Option<Caller>,
    endpoint: Endpoint,
    /// Whose form the body and the answer have, if not the endpoint's own.
    guide: Option<Guide>,
    idempotency_key: Option<String>,
    /// The caller's own credential, where it is the upstream's business.
    token: Option<String>,
    /// Headers of the endpoint's protocol, to be handed on.
    protocol: Headers,
    /// What the body is, with the boundary of a form.
    content_type: String,
    live: Live,
}

impl Ordered {
    /// Reads the head; refuses a body that is not JSON before any of it is read.
    pub(crate) fn new(
        visit: &Visit,
        caller: Option<Caller>,
        credential: Credential<'_>,
        endpoint: Endpoint,
        live: Live,
    ) -> Result<Self, Error> {
        let idempotency_key = visit.idempotency_key()?.map(|sent| own_to(caller.as_ref(), sent));
        visit.check_body(if endpoint.is_upload() { "multipart/form-data" } else { "application/json" })?;
        let mut protocol = Headers::default();
        if endpoint == Endpoint::Messages {
            let version = visit.protocol_header("anthropic-version");
            protocol.add("anthropic-version", version.as_deref().unwrap_or(ANTHROPIC_VERSION));
            if let Some(beta) = visit.protocol_header("anthropic-beta") {
                protocol.add("anthropic-beta", &beta);
            }
        }
        let content_type = visit.header("content-type").unwrap_or_default().to_owned();
        let token = match credential {
            Credential::Passed(token) => Some(token.to_owned()),
            _ => None,
        };
        Ok(Ordered { caller, endpoint, guide: None, idempotency_key, token, protocol, content_type, live })
    }

    /// The same in a guide's form.
    pub(crate) fn as_in(self, guide: Guide) -> Self {
        Ordered { guide: Some(guide), ..self }
    }
}

/// A caller's `Idempotency-Key`, as upstreams get it. All callers share the account there: of two that choose the same one, neither may be
/// given the other's answer.
fn own_to(caller: Option<&Caller>, sent: String) -> String {
    let Some(caller) = caller else { return sent };
    let address = caller.bucket().unwrap_or_default();
    key::to_hex(&key::digest(&["idempotency\n", &caller.key.id, "\n", &address, "\n", &sent].concat()))
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
    /// What gives back in the answer what was hidden in the request.
    cover: Option<Cover>,
    /// What gives the answer a guide's shape.
    guise: Option<Guise>,
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
        Door { ordered, host: visit.host().to_owned(), env, config, answers, entry, cover: None, guise: None }
    }

    /// Reads the body and makes the call; gives its response, sooner or later.
    pub(crate) fn call(mut self, visit: &Visit) -> Result<JsValue, JsValue> {
        let (limit, time) = (self.limit() as f64, self.config.body_time() as f64);
        let id = self.answers.id.clone();
        let (mut caller, mut seal, mut assets) = (JsValue::UNDEFINED, None, JsValue::UNDEFINED);
        if let Some(redaction) = self.config.redaction() {
            seal = match gate::token_secret(&self.env, redaction) {
                Ok(secret) => secret,
                Err(error) => return self.refuse(&error).map(JsValue::from),
            };
            // Tokens are a key's; where there are no keys, those of what the caller sends in their place.
            caller = match self.ordered.caller.as_ref().filter(|caller| caller.bucket().is_none()) {
                Some(caller) => ["key\n", &caller.key.id].concat().into(),
                None => visit.credentials().into(),
            };
            if redaction.wants_names() {
                assets = gate::binding(&self.env, page::ASSETS).map_or(JsValue::NULL, JsValue::from);
            }
        }
        let namespace = match &self.ordered.live {
            Live::Before(namespace) => namespace.clone(),
            _ => JsValue::UNDEFINED,
        };
        let seal = seal.unwrap_or_default();
        Ok(js::admit(self, visit.request(), limit, time, &namespace, &id, &caller, &seal, &assets).into())
    }
}

#[wasm_bindgen]
impl Door {
    /// The body is there. Gives a `Response`, or a promise of one. `enter` is the way into an object, if there is one; `key` is that of
    /// the caller's tokens.
    pub fn open(
        mut self,
        body: Vec<u8>,
        caller: &JsValue,
        enter: &JsValue,
        key: Option<Vec<u8>>,
    ) -> Result<JsValue, JsValue> {
        let ready = match self.prepare(body, key) {
            Ok(ready) => ready,
            Err(error) => return self.refuse(&error).map(JsValue::from),
        };
        let Some(order) = &ready.order else { return self.begin(ready, None, caller, enter) };
        match order.reserve(&self.env) {
            Ok(Ok(charge)) => self.begin(ready, Some(charge), caller, enter),
            Ok(Err(error)) => self.refuse_over(order, &error).map(JsValue::from),
            Err(first) => Ok(self.ask(ready, first, caller.clone(), enter.clone()).into()),
        }
    }

    /// The weights of the search for names are there, or cannot be had.
    pub fn learn(&self, weights: Option<Vec<u8>>) {
        // What they are not good for shows when the door is opened.
        if let (Some(redaction), Some(weights)) = (self.config.redaction(), weights) {
            let _ = redaction.load_names(&weights);
        }
    }

    /// The body has more bytes than it may.
    pub fn oversized(mut self) -> Result<Response, JsValue> {
        let message = format!("The body is larger than the limit of {} bytes.", self.limit());
        self.refuse(&Error::new(ErrorKind::PayloadTooLarge, message))
    }

    /// The body took longer than it may.
    pub fn slow(mut self) -> Result<Response, JsValue> {
        let error = admin::slow(self.config.body_time());
        self.refuse(&error)
    }

    /// The body did not come to its end.
    pub fn broken(mut self) -> Result<Response, JsValue> {
        self.refuse(&Error::new(ErrorKind::InvalidRequest, "The request's body broke off."))
    }
}

/// A call that is only to be let in.
struct Ready {
    request: Request,
    plan: Plan,
    seed: u64,
    order: Option<Order>,
}

impl Door {
    /// How many bytes the body may have.
    fn limit(&self) -> usize {
        let limits = self.config.limits();
        if self.ordered.endpoint.is_upload() { limits.audio_body } else { limits.request_body }
    }

    /// Has the key's limits asked about before the call begins.
    fn ask(mut self, ready: Ready, first: First, caller: JsValue, enter: JsValue) -> Promise {
        future_to_promise(async move {
            let Some(order) = &ready.order else { return Ok(JsValue::UNDEFINED) };
            match order.ask(&self.env, first).await {
                Ok(charge) => {
                    let begun = self.begin(ready, Some(charge), &caller, &enter)?;
                    js::settled(Promise::resolve(&begun)).await
                }
                Err(error) => self.refuse_over(order, &error).map(JsValue::from),
            }
        })
    }

    fn refuse_over(&mut self, order: &Order, error: &Error) -> Result<Response, JsValue> {
        self.answers.limits = Some(order.standing(&self.env));
        self.refuse(error)
    }

    /// The call is let in.
    fn begin(
        mut self,
        ready: Ready,
        charge: Option<Charge>,
        caller: &JsValue,
        enter: &JsValue,
    ) -> Result<JsValue, JsValue> {
        let Ready { request, mut plan, seed, order } = ready;
        if self.ordered.caller.is_some() {
            self.answers.limits = Some(order.map(|order| order.standing(&self.env)).unwrap_or_default());
        }
        if let Some(cap) = charge.as_ref().and_then(|charge| charge.cap) {
            plan.recovery.tokens = Some(plan.recovery.tokens.map_or(cap, |most| most.min(cap)));
        }
        match Exchange::new(Instant(js::now() as u64), seed, plan, request) {
            Ok(exchange) => Ok(self.start(exchange, charge, caller, enter).into()),
            Err(error) => {
                let error = self.guise.take().map_or(error.clone(), |guise| guise.named.named(error));
                self.refuse(&error).map(JsValue::from)
            }
        }
    }

    fn start(mut self, exchange: Exchange, charge: Option<Charge>, caller: &JsValue, enter: &JsValue) -> Promise {
        let heartbeat = self.config.heartbeat() as f64;
        // The map is this call's alone: who came back for the rest of the stream would get tokens.
        let gives_back = self.cover.as_ref().is_some_and(Cover::gives_back);
        let live = match self.ordered.live {
            _ if !self.entry.stream => JsValue::UNDEFINED,
            Live::Unwanted => JsValue::UNDEFINED,
            _ if gives_back => {
                self.answers.notices.push(UNRESUMABLE.to_owned());
                JsValue::UNDEFINED
            }
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
        let resume = self.config.resume();
        let sender = Sender {
            env: self.env,
            config: self.config,
            host: self.host,
            id: self.answers.id.clone(),
            hops: self.answers.hops,
            token: self.ordered.token,
            idempotency_key: self.ordered.idempotency_key,
            protocol: self.ordered.protocol,
        };
        let tap = Tap::new(exchange, sender, self.answers, self.entry, resume, self.cover, charge, self.guise);
        js::drive(tap, caller, heartbeat, &live)
    }

    fn refuse(&mut self, error: &Error) -> Result<Response, JsValue> {
        self.entry.refused(error);
        let response = self.answers.error(error, &[]);
        self.entry.write();
        response
    }

    fn prepare(&mut self, body: Vec<u8>, key: Option<Vec<u8>>) -> Result<Ready, Error> {
        let Some(guide) = self.ordered.guide.take() else { return self.planned(body, key) };
        let mut named = guide.translate(&body, self.ordered.caller.as_ref(), &self.config)?;
        drop(body);
        let chat = core::mem::take(&mut named.body);
        match self.planned(chat, key) {
            Ok(mut ready) => {
                if let Some(order) = ready.order.as_mut().filter(|_| named.uses_default_max_tokens()) {
                    order.may_be_shorter();
                }
                let face = guide.face(&self.answers.id, ready.request.model().unwrap_or_default());
                self.guise = Some(Guise { face, named });
                Ok(ready)
            }
            Err(error) => Err(named.named(error)),
        }
    }

    /// The call of a request in the endpoint's own form.
    fn planned(&mut self, body: Vec<u8>, key: Option<Vec<u8>>) -> Result<Ready, Error> {
        let seed = (js::random() * SEEDS) as u64;
        let (request, plan) = match self.config.clone().redaction() {
            Some(redaction) if redaction.wants_names() => return Err(Redaction::names_missing()),
            Some(redaction) => self.covered(redaction, &body, key, seed)?,
            None => {
                let (endpoint, limits) = (self.ordered.endpoint, self.config.limits());
                let request = match endpoint.is_upload() {
                    true => Request::parse_form(endpoint, &self.ordered.content_type, &body, &limits)?,
                    false => Request::parse(endpoint, &body, &limits)?,
                };
                self.may_ask(&request)?;
                let plan = self.config.plan(&request, seed)?;
                (request, plan)
            }
        };
        drop(body);
        self.may_ask(&request)?;
        if let Some(first) = plan.routes.first() {
            self.entry.upstream = Some(first.source.clone());
            self.entry.model = Some(first.model.clone());
        }
        self.entry.stream = request.is_stream();
        // Of a stream that is made in an object, the limits are seen to in there.
        let enters = self.entry.stream
            && matches!(self.ordered.live, Live::Before(_))
            && !self.cover.as_ref().is_some_and(Cover::gives_back);
        let order = match self.ordered.caller.as_ref().filter(|_| !enters) {
            Some(caller) => Order::new(&self.config, caller, self.entry.route, &request, &plan)?,
            None => None,
        };
        Ok(Ready { request, plan, seed, order })
    }

    /// Whether the caller may ask the model. Before it is looked for, so that those who may not are not told which there are.
    fn may_ask(&self, request: &Request) -> Result<(), Error> {
        let named = self.ordered.caller.as_ref().zip(request.model());
        named.map_or(Ok(()), |(caller, model)| caller.check_model(model))
    }

    /// Hides what is private in the body. Nobody but this reads it.
    fn covered(
        &mut self,
        redaction: &Redaction,
        body: &[u8],
        key: Option<Vec<u8>>,
        seed: u64,
    ) -> Result<(Request, Plan), Error> {
        let key: [u8; 32] = key.and_then(|key| key.try_into().ok()).ok_or_else(|| {
            Error::new(ErrorKind::RedactionFailed, "The key of the tokens could not be made; nothing was sent.")
        })?;
        let started = js::now();
        let mut tally = Tally::default();
        let Ordered { endpoint, content_type, .. } = &self.ordered;
        let covered = match endpoint.is_upload() {
            true => self.config.cover_form(redaction, &key, *endpoint, content_type, body, seed, &mut tally),
            false => self.config.cover(redaction, &key, *endpoint, body, seed, &mut tally),
        };
        self.answers.redact = Some((js::now() - started).max(0.0) as u64);
        self.answers.redacted = redaction.summary(&tally);
        self.entry.hid(redaction, &tally);
        let Covered { request, plan, cover } = match covered {
            // Those who may not ask it are told that, here as well.
            Err(error) if error.kind() == ErrorKind::ModelNotFound => {
                let limits = self.config.limits();
                let asked = match endpoint.is_upload() {
                    true => Request::parse_form(*endpoint, content_type, body, &limits),
                    false => Request::parse(*endpoint, body, &limits),
                };
                return Err(asked.and_then(|request| self.may_ask(&request)).err().unwrap_or(error));
            }
            covered => covered?,
        };
        self.cover = Some(cover);
        Ok((request, plan))
    }
}

/// How many numbers `Math.random` gives: 2 to the power of 53.
const SEEDS: f64 = 9_007_199_254_740_992.0;
