//! Streams that their callers can resume. Each is made in a Durable Object of its own (`live.js`), by the same way as any other
//! call; what is here is its log, its visitors, and who may have one.

use crate::answer::Answers;
use crate::meter::Entry;
use crate::visit::Visit;
use crate::{gate, js};
use js_sys::Reflect;
use sluicegate::config::Resume;
use sluicegate::exchange::Log;
use sluicegate::reply::error_body;
use sluicegate::{Error, ErrorKind};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::Response;
use worker::Env;

/// The binding of the objects' class.
pub(crate) const BINDING: &str = "LIVE_STREAMS";

/// Where a call is made, as far as resuming is concerned.
pub(crate) enum Live {
    /// Where it arrived: nobody wants to resume it.
    Unwanted,
    /// Where it arrived: this Worker has no such objects.
    Unavailable,
    /// In an object of this namespace, if it is a stream.
    Before(JsValue),
    /// In this object.
    Inside(Inside),
}

impl Live {
    /// Reads what the caller wants.
    pub(crate) fn read(visit: &Visit, env: &Env, context: &JsValue) -> Result<Live, Error> {
        match visit.header("x-sluicegate-resume") {
            None | Some("0") => Ok(Live::Unwanted),
            Some("1") => Ok(Live::of(env, context)),
            Some(_) => Err(Error::new(ErrorKind::InvalidRequest, "Expected 1: the stream is to be kept for resuming.")
                .with_param("x-sluicegate-resume")),
        }
    }

    fn of(env: &Env, context: &JsValue) -> Live {
        match inside(context) {
            Some(inside) => Live::Inside(inside),
            None => gate::binding(env, BINDING).map_or(Live::Unavailable, |namespace| Live::Before(namespace.into())),
        }
    }
}

/// The object that handles the request; no request from elsewhere has one for its context.
fn inside(context: &JsValue) -> Option<Inside> {
    let id = Reflect::get(context, &"live".into()).ok()?;
    id.is_string().then(|| context.clone().unchecked_into())
}

#[wasm_bindgen]
extern "C" {
    /// An object, and whose request it handles.
    pub(crate) type Inside;

    /// The id by which the stream is asked for.
    #[wasm_bindgen(method, getter, js_name = live)]
    pub(crate) fn id(this: &Inside) -> String;

    #[wasm_bindgen(method, catch)]
    fn visit(this: &Inside, visitor: Visitor, signal: &JsValue) -> Result<Response, JsValue>;
}

/// The log of one stream, held by its object.
// Private: worker-build would publish it as an export of the Worker.
#[wasm_bindgen(private)]
pub struct Record {
    log: Log,
    resume: Resume,
}

impl Record {
    pub(crate) fn new(resume: Resume) -> Self {
        Record { log: Log::new(resume.log), resume }
    }
}

#[wasm_bindgen]
impl Record {
    /// Takes bytes of the stream down; nothing from `floor` on is dropped for them.
    pub fn append(&mut self, floor: f64, bytes: &[u8]) {
        self.log.append(floor as u64, bytes);
    }

    /// At most `most` numbered bytes from `position` on.
    pub fn read(&self, position: f64, most: usize) -> Vec<u8> {
        self.log.read(position as u64, most).to_vec()
    }

    /// The position behind all of them.
    pub fn end(&self) -> f64 {
        self.log.end() as f64
    }

    /// How far a reader may be behind, in bytes, before it holds the upstream back: half of the log, the other half being for
    /// those who come back.
    pub fn slack(&self) -> f64 {
        (self.resume.log.bytes / 2) as f64
    }

    /// How long the call goes on without a reader, in milliseconds.
    pub fn grace(&self) -> f64 {
        self.resume.grace as f64
    }

    /// How long the log is kept when the call is over, in milliseconds.
    pub fn keep(&self) -> f64 {
        self.resume.keep as f64
    }

    /// The last event for a reader in whose place another has come. It has no number.
    pub fn replaced(&self) -> Vec<u8> {
        let error = Error::new(ErrorKind::StreamGone, "Another connection has taken this stream over.");
        ["data: ", &error_body(&error), "\n\n"].concat().into_bytes()
    }
}

/// Somebody who asks for a stream by its id, or for its end.
// Private: worker-build would publish it as an export of the Worker.
#[wasm_bindgen(private)]
pub struct Visitor {
    answers: Answers,
    entry: Entry,
    /// The number of the last event that it has.
    last: u64,
    is_abort: bool,
    error: Option<Error>,
}

/// What is asked of a stream, read from a request's head.
pub(crate) struct Asked {
    id: String,
    last: u64,
    is_abort: bool,
}

impl Asked {
    pub(crate) fn new(visit: &Visit, id: &str) -> Result<Self, Error> {
        let is_abort = visit.method() == "DELETE";
        Ok(Asked { id: id.to_owned(), last: if is_abort { 0 } else { last_event(visit)? }, is_abort })
    }

    /// Answers from the object, in it or by asking it.
    pub(crate) fn answer(
        self,
        visit: &Visit,
        env: &Env,
        context: &JsValue,
        mut answers: Answers,
        mut entry: Entry,
    ) -> Result<JsValue, JsValue> {
        let signal = Reflect::get(visit.request(), &"signal".into()).unwrap_or_default();
        if let Some(inside) = inside(context) {
            answers.stream = Some(inside.id());
            let visitor = Visitor { answers, entry, last: self.last, is_abort: self.is_abort, error: None };
            return inside.visit(visitor, &signal).map(JsValue::from);
        }
        let Some(namespace) = gate::binding(env, BINDING) else {
            return refuse(&answers, &mut entry, &gone()).map(JsValue::from);
        };
        let entered = js::enter(&namespace, &self.id, visit.request(), &answers.id);
        Ok(future_to_promise(async move {
            match js::settled(entered).await {
                Ok(response) if !response.is_null() => Ok(response),
                Ok(_) => refuse(&answers, &mut entry, &gone()).map(JsValue::from),
                Err(_) => {
                    let error = Error::new(ErrorKind::Overloaded, "The object that keeps the stream did not answer.");
                    refuse(&answers, &mut entry, &error).map(JsValue::from)
                }
            }
        })
        .into())
    }
}

fn gone() -> Error {
    let message = "There is no such stream: it never was, is over for too long, was aborted, or is another caller's.";
    Error::new(ErrorKind::StreamGone, message)
}

fn refuse(answers: &Answers, entry: &mut Entry, error: &Error) -> Result<Response, JsValue> {
    entry.refused(error);
    entry.write();
    answers.error(error, &[])
}

/// The number in `Last-Event-ID`, else in the query's `after`: an `EventSource` keeps its address when it comes back.
fn last_event(visit: &Visit) -> Result<u64, Error> {
    let sent = visit.header("last-event-id").map(|number| (number, "last-event-id"));
    let Some((number, name)) = sent.or_else(|| visit.parameter("after").map(|number| (number, "after"))) else {
        return Ok(0);
    };
    let digits = Some(number).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|number| number.parse().ok()).ok_or_else(|| {
        let message = "Expected the number of the last event that arrived.";
        Error::new(ErrorKind::InvalidRequest, message).with_param(name)
    })
}

#[wasm_bindgen]
impl Visitor {
    /// Whose key was sent, where the gate knows its callers.
    pub fn key(&self) -> Option<String> {
        self.entry.caller.clone()
    }

    /// Whether the stream is to be ended.
    #[wasm_bindgen(js_name = isAbort)]
    pub fn is_abort(&self) -> bool {
        self.is_abort
    }

    /// The position from which to read on; -1 if there is none, and [`Visitor::refuse`] says why.
    pub fn place(&mut self, record: &Record) -> f64 {
        match record.log.after(self.last) {
            Ok(position) => position as f64,
            Err(error) => {
                self.error = Some(error);
                -1.0
            }
        }
    }

    /// The response with the rest of the stream; for `null`, that nothing is to come.
    pub fn accept(self, body: &JsValue) -> Result<Response, JsValue> {
        self.entry.write();
        if body.is_null() {
            return self.answers.empty(&[]);
        }
        self.answers.send(200, &self.answers.headers(Some("text/event-stream; charset=utf-8")), body)
    }

    /// The response to a visitor who gets nothing.
    pub fn refuse(mut self) -> Result<Response, JsValue> {
        let error = self.error.take().unwrap_or_else(gone);
        refuse(&self.answers, &mut self.entry, &error)
    }
}
