//! One call for an SDK: a request text in, a response head and bytes out, checked on the way.

use crate::convert;
use crate::driver::{Driver, Driving, Output, Shared};
use crate::health::Health;
use js_sys::{Array, Function, Uint8Array};
use sluicegate::Error;
use sluicegate::exchange::{Exchange, Forwarded};
use sluicegate::reply::{Deltas, error_body};
use sluicegate::time::Instant;
use wasm_bindgen::prelude::*;

/// A call whose answer is handed on. Dropping it aborts the request.
#[wasm_bindgen]
pub struct Forward {
    /// Or why the request cannot be sent: reported as an answer, since that is where SDKs look.
    driver: Result<Shared, Error>,
}

/// Delivers the head (`{status, headers, body}`; without `body` it is a stream), then the stream's bytes, then undefined.
#[derive(Default)]
struct Bytes {
    stage: Stage,
    chunk: Option<JsValue>,
    /// Deltas that nobody reads: notices about the request, the content of whole answers.
    unread: Deltas,
}

#[derive(Default)]
enum Stage {
    #[default]
    Head,
    Body,
    Over,
}

impl Output for Bytes {
    fn forwards(&self) -> bool {
        true
    }

    fn take(&mut self, exchange: &mut Exchange, now: Instant, attempt: u32, chunk: JsValue, bytes: &[u8]) {
        if !exchange.is_streaming() {
            return exchange.handle_bytes(now, attempt, bytes, &mut self.unread);
        }
        // What is here already has been delivered: of two attempts that race, the one that has something to say is the last.
        self.chunk = match exchange.forward(now, attempt, bytes) {
            Forwarded::Pass => Some(chunk),
            Forwarded::Bytes([]) => return,
            Forwarded::Bytes(bytes) => Some(Uint8Array::from(bytes).into()),
        };
    }

    fn deltas(&mut self) -> &mut Deltas {
        &mut self.unread
    }

    fn deliver(&mut self, call: &mut Driving, finished: bool) -> Option<JsValue> {
        match self.stage {
            Stage::Head if call.exchange.is_streaming() => {
                self.stage = Stage::Body;
                let (status, headers) = call.head();
                Some(convert::head_to_js(status, &convert::told(headers, &call.exchange), None))
            }
            Stage::Head => finished.then(|| {
                self.stage = Stage::Over;
                let error = call.exchange.end().and_then(|end| end.error.as_ref());
                let (status, headers) = call.head();
                let headers = convert::told(headers, &call.exchange);
                match error {
                    None => {
                        let headers = if call.exchange.is_recast() { convert::as_stream(&headers) } else { headers };
                        convert::head_to_js(status, &headers, Some(call.exchange.body()))
                    }
                    Some(error) => convert::error_head_to_js(error, &headers, error_body(error).as_bytes()),
                }
            }),
            Stage::Body if self.chunk.is_some() => self.chunk.take(),
            Stage::Body => finished.then(|| {
                self.stage = Stage::Over;
                match call.exchange.forward_tail() {
                    tail if tail.is_empty() => JsValue::UNDEFINED,
                    tail => Uint8Array::from(tail.as_slice()).into(),
                }
            }),
            Stage::Over => Some(JsValue::UNDEFINED),
        }
    }
}

#[wasm_bindgen]
impl Forward {
    /// A call for the request in `body`, a JSON text. Nothing is sent before the first [`Forward::pull`].
    #[wasm_bindgen(constructor)]
    pub fn new(body: &str, options: &JsValue, health: &Health) -> Forward {
        Forward { driver: Driver::new(body, options, health, Box::new(Bytes::default())) }
    }

    /// Asks for the next delivery: first `{status, headers, body}`, then, if that had no body, the stream's bytes, then undefined.
    pub fn pull(&self, deliver: Function) {
        match &self.driver {
            Ok(driver) => Driver::pull(driver, deliver),
            Err(error) => {
                let head = convert::error_head_to_js(error, &Array::new(), error_body(error).as_bytes());
                let _ = deliver.call1(&JsValue::UNDEFINED, &head);
            }
        }
    }

    /// What the platform said if there was no connection at all; undefined otherwise.
    pub fn cause(&self) -> JsValue {
        match &self.driver {
            Ok(driver) if driver.borrow().call.exchange.status() == 0 => driver.borrow().call.cause.clone(),
            _ => JsValue::UNDEFINED,
        }
    }

    /// Cancels the call; the request is aborted at once.
    pub fn cancel(&self) {
        if let Ok(driver) = &self.driver {
            Driver::cancel(driver);
        }
    }

    /// How the call ended: `{outcome, usage, timing, notices, source, attempts, timeline, error}`; undefined before.
    pub fn summary(&self) -> JsValue {
        let driver = match &self.driver {
            Ok(driver) => driver.borrow(),
            Err(error) => return convert::refusal_to_js(error),
        };
        let call = &driver.call;
        match (call.exchange.end(), call.exchange.reply()) {
            (Some(end), Some(reply)) => {
                let error = convert::failure_to_js(end, Some(&call.exchange), &call.cause);
                convert::summary_to_js(end, reply, Some(&call.exchange), &error)
            }
            _ => JsValue::UNDEFINED,
        }
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.cancel();
    }
}
