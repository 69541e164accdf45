//! WebSockets: each is a session of the core's, told what happens by `socket.js`. Its requests take the same way in as all others.

use crate::answer::Answers;
use crate::headers::Headers;
use crate::meter::Entry;
use crate::own::Behalf;
use crate::visit::Visit;
use crate::{auth, gate, js};
use js_sys::{Promise, Reflect};
use sluicegate::access::token::LEEWAY_S;
use sluicegate::access::{Caller, Operation, TICKET, Via, refused};
use sluicegate::guide::socket::{Action, Policy, Revoked, Session};
use sluicegate::time::Instant;
use sluicegate::{Error, ErrorKind};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::Response;
use worker::Env;

/// The binding of the objects' class.
pub(crate) const BINDING: &str = "SOCKETS";

/// The path at which an object asks for its session. From anywhere else there is nothing at it.
pub(crate) const PATH: &str = "/internal/socket";

/// The subprotocol that clients may ask for; a ticket stands beside it.
const PROTOCOL: &str = "sluicegate.v1";

/// The operation under which a socket's requests are made.
const VIA: Operation = Operation::Stream;

/// A socket that is to be opened.
pub(crate) struct Opening {
    about: Behalf,
    ticket: Option<(String, String, u64)>,
    protocol: String,
}

impl Opening {
    /// Reads the head of the request.
    pub(crate) fn new(visit: &Visit, caller: Option<&Caller>) -> Result<Self, Error> {
        if !visit.header("upgrade").is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket")) {
            let message = "This path is a WebSocket: send `Upgrade: websocket`.";
            return Err(Error::new(ErrorKind::InvalidRequest, message).with_param("upgrade"));
        }
        let protocols = visit.header("sec-websocket-protocol").unwrap_or_default();
        let mut protocols = protocols.split(',').map(str::trim).filter(|protocol| !protocol.is_empty());
        let mut protocol = "";
        let is_known = protocols.all(|wanted| {
            if wanted == PROTOCOL {
                protocol = PROTOCOL;
            }
            wanted == PROTOCOL || wanted.starts_with(TICKET)
        });
        if !is_known {
            let message = "The subprotocol here is sluicegate.v1.";
            return Err(Error::new(ErrorKind::InvalidRequest, message).with_param("sec-websocket-protocol"));
        }
        let ticket = caller.and_then(|caller| match &caller.via {
            Via::Ticket(token) => Some((caller.key.id.clone(), token.jti.clone(), token.expires_at)),
            _ => None,
        });
        let about = Behalf::of(visit, caller);
        Ok(Opening { about, ticket, protocol: protocol.to_owned() })
    }

    /// Opens it: in an object of its own where there are such.
    pub(crate) fn answer(self, env: Env, answers: Answers, mut entry: Entry) -> Promise {
        future_to_promise(async move {
            let opened = self.open(&env).await;
            let response = match opened {
                Ok(response) => {
                    entry.ended(101);
                    Ok(response)
                }
                Err(error) => {
                    entry.refused(&error);
                    answers.error(&error, &[])
                }
            };
            entry.write();
            response.map(JsValue::from)
        })
    }

    async fn open(self, env: &Env) -> Result<Response, Error> {
        if let Some((key, jti, expires_at)) = &self.ticket
            && !auth::use_once(env, key, jti, expires_at + LEEWAY_S + 1).await?
        {
            return Err(refused());
        }
        let failed = |_| Error::new(ErrorKind::Overloaded, "The socket could not be opened.");
        match gate::binding(env, BINDING).filter(|_| self.about.is_known()) {
            Some(namespace) => {
                let about = serde_json::to_string(&self.about).unwrap_or_default();
                let response =
                    js::settled(js::enter_socket(&namespace, &about, &self.protocol)).await.map_err(failed)?;
                response.dyn_into().map_err(failed)
            }
            None => {
                let session = Session::new(now(), Policy::default());
                js::open_socket(Wire { session, env: env.clone(), about: self.about }, &self.protocol).map_err(failed)
            }
        }
    }
}

/// Gives an object its session: who opened it, and what was kept of it, stand in the context, and the session is put there.
pub(crate) fn answer(env: &Env, context: &JsValue) -> Option<Result<Response, JsValue>> {
    let read = |name: &str| Reflect::get(context, &name.into()).ok()?.as_string();
    let (about, state) = (read("socket")?, read("state")?);
    let about: Behalf = serde_json::from_str(&about).ok()?;
    let kept = Session::from_json(Policy::default(), &state);
    let session = kept.unwrap_or_else(|| Session::new(now(), Policy::default()));
    let wire = Wire { session, env: env.clone(), about };
    let put = Reflect::set(context, &"wire".into(), &wire.into());
    Some(put.and_then(|_| js::respond(204, Headers::default().as_str(), &JsValue::NULL)))
}

fn now() -> Instant {
    Instant(js::now() as u64)
}

/// One socket's session, held by JavaScript until the socket is closed. Times are `Date.now()`; calls go by their numbers.
// Private: worker-build would publish it as an export of the Worker.
#[wasm_bindgen(private)]
pub struct Wire {
    session: Session,
    env: Env,
    about: Behalf,
}

#[wasm_bindgen]
impl Wire {
    /// A text message came.
    pub fn text(&mut self, now: f64, text: &str) {
        self.session.handle_text(instant(now), text);
    }

    /// A binary message came.
    pub fn binary(&mut self, now: f64) {
        self.session.handle_binary(instant(now));
    }

    /// Bytes of an answer came.
    pub fn answer(&mut self, now: f64, call: u32, bytes: &[u8]) {
        self.session.handle_answer(instant(now), call, bytes);
    }

    /// An answer is over.
    pub fn end(&mut self, now: f64, call: u32) {
        self.session.handle_answer_end(instant(now), call);
    }

    /// A call was refused, or failed.
    pub fn refuse(&mut self, now: f64, call: u32, body: &str) {
        self.session.handle_refusal(instant(now), call, body);
    }

    /// The key no longer counts, or no longer for this.
    pub fn revoked(&mut self, is_unauthorized: bool) {
        self.session.handle_revoked(if is_unauthorized { Revoked::Unauthorized } else { Revoked::Forbidden });
    }

    /// How many bytes wait to be sent.
    pub fn unsent(&mut self, bytes: f64) {
        self.session.handle_unsent(bytes as u64);
    }

    /// The client has closed the socket, or is gone.
    pub fn closed(&mut self) {
        self.session.handle_close();
    }

    /// The time of the deadline has come.
    pub fn expire(&mut self, now: f64) {
        self.session.expire(instant(now));
    }

    /// When to call [`Wire::expire`].
    pub fn deadline(&self) -> f64 {
        self.session.deadline().0 as f64
    }

    /// Whether nothing runs or waits.
    #[wasm_bindgen(js_name = isIdle)]
    pub fn is_idle(&self) -> bool {
        self.session.is_idle()
    }

    /// Whether the socket is closed.
    #[wasm_bindgen(js_name = isClosed)]
    pub fn is_closed(&self) -> bool {
        self.session.is_closed()
    }

    /// What is to be kept while it sleeps.
    pub fn state(&self) -> String {
        self.session.to_json()
    }

    /// The next thing to do, as [`js::step`] makes it; `undefined` if there is none.
    pub fn next(&mut self) -> JsValue {
        match self.session.next_action() {
            None => JsValue::UNDEFINED,
            Some(Action::Send(text)) => js::step(1, 0, &text),
            Some(Action::Call { call, body }) => js::step(2, call, &body),
            Some(Action::Abort(call)) => js::step(3, call, ""),
            Some(Action::Pause) => js::step(4, 0, ""),
            Some(Action::Resume) => js::step(5, 0, ""),
            Some(Action::Close { code, reason }) => js::step(6, code.into(), reason),
        }
    }

    /// Asks for an answer: a `Response`, or a promise of one.
    pub fn ask(&self, body: &str, signal: &JsValue) -> Result<JsValue, JsValue> {
        self.about.ask(&self.env, VIA, SOCKET, "/v1/complete", body, signal, None)
    }

    /// Whether the key still counts: a `Response` that says so by its status, or a promise of one.
    pub fn check(&self) -> Promise {
        let answered = self.about.ask(&self.env, VIA, CHECK, "/v1/complete", "", &JsValue::UNDEFINED, None);
        answered.map_or_else(|error| Promise::reject(&error), |answered| Promise::resolve(&answered))
    }
}

/// What a context says of a request that is a socket's.
const SOCKET: &str = "of_socket";
/// What it says of one that only asks whether its caller still counts.
const CHECK: &str = "check";

/// Whether a request is one of a socket's.
pub(crate) fn is_of_socket(context: &JsValue) -> bool {
    Reflect::get(context, &SOCKET.into()).is_ok_and(|of| of.is_truthy())
}

/// Whether a request only asks whether its caller still counts.
pub(crate) fn is_check(context: &JsValue) -> bool {
    Reflect::get(context, &CHECK.into()).is_ok_and(|check| check.is_truthy())
}

fn instant(now: f64) -> Instant {
    Instant(now as u64)
}
