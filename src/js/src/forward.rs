//! One call for an SDK: a request text in, a response head and bytes out, checked on the way.

use crate::convert;
use crate::driver::{Driver, Step};
use crate::transport::now;
use js_sys::Uint8Array;
use sluicegate::Error;
use sluicegate::exchange::Forwarded;
use sluicegate::reply::error_body;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// A call whose answer is handed on. Dropping it aborts the request.
#[wasm_bindgen]
pub struct Forward {
    /// Or why the request cannot be sent: reported as an answer, since that is where SDKs look.
    driver: Result<Rc<RefCell<Driver>>, Error>,
    over: Rc<RefCell<bool>>,
}

#[wasm_bindgen]
impl Forward {
    /// A call for the request in `body`, a JSON text.
    #[wasm_bindgen(constructor)]
    pub fn new(body: &str, options: JsValue, fetch: JsValue) -> Forward {
        Forward { driver: Driver::new(body, options, fetch, true), over: Rc::default() }
    }

    /// Waits until it is known what to answer: `{status, headers, body}`; without `body` it is a stream, to be read by
    /// [`Forward::pull`]. Throws the platform's own error when there was no connection, as `fetch` does.
    pub async fn head(&self) -> Result<JsValue, JsValue> {
        let shared = match &self.driver {
            Ok(driver) => driver.clone(),
            Err(error) => return convert::error_head_to_js(error, None, error_body(error).as_bytes()),
        };
        loop {
            {
                let mut driver = shared.borrow_mut();
                driver.act();
                if driver.exchange.is_streaming() {
                    driver.exchange.pause(now());
                    return convert::head_to_js(driver.exchange.status(), driver.headers.as_ref(), None);
                }
                if driver.finished {
                    return Forward::answer(&driver);
                }
            }
            Driver::step(&shared, false).await;
        }
    }

    fn answer(driver: &Driver) -> Result<JsValue, JsValue> {
        match driver.exchange.end().and_then(|end| end.error.as_ref()) {
            None => {
                convert::head_to_js(driver.exchange.status(), driver.headers.as_ref(), Some(driver.exchange.body()))
            }
            Some(_) if driver.exchange.status() == 0 && !driver.cause.is_undefined() => Err(driver.cause.clone()),
            Some(error) => convert::error_head_to_js(error, driver.headers.as_ref(), error_body(error).as_bytes()),
        }
    }

    /// The next bytes of the stream; undefined when it is over.
    pub async fn pull(&self) -> JsValue {
        let Ok(shared) = self.driver.clone() else { return JsValue::UNDEFINED };
        let over = self.over.clone();
        shared.borrow_mut().exchange.resume(now());
        loop {
            {
                let mut driver = shared.borrow_mut();
                driver.act();
                if driver.finished {
                    if over.replace(true) {
                        return JsValue::UNDEFINED;
                    }
                    let tail = driver.exchange.forward_tail();
                    if !tail.is_empty() {
                        return Uint8Array::from(tail.as_slice()).into();
                    }
                    continue;
                }
            }
            let Step::Chunk(chunk) = Driver::step(&shared, true).await else { continue };
            let mut driver = shared.borrow_mut();
            let bytes = match driver.exchange.forward(now(), &chunk.to_vec()) {
                Forwarded::Pass => chunk,
                Forwarded::Bytes([]) => continue,
                Forwarded::Bytes(bytes) => Uint8Array::from(bytes),
            };
            driver.exchange.pause(now());
            return bytes.into();
        }
    }

    /// Cancels the call; the request is aborted at once.
    pub fn cancel(&self) {
        if let Ok(driver) = &self.driver {
            Driver::cancel(driver);
        }
    }

    /// How the call ended: `{outcome, usage, timing, notices, error}`; undefined before.
    pub fn summary(&self) -> Result<JsValue, JsValue> {
        let driver = match &self.driver {
            Ok(driver) => driver.borrow(),
            Err(error) => return convert::refusal_to_js(error),
        };
        match (driver.exchange.end(), driver.exchange.reply()) {
            (Some(end), Some(reply)) => {
                let (timing, trace_id) = (driver.exchange.timing(), driver.exchange.trace_id());
                let error = convert::failure_to_js(end, trace_id, &driver.cause)?;
                convert::summary_to_js(end.outcome.as_str(), Some(reply), timing, &driver.changes, &error)
            }
            _ => Ok(JsValue::UNDEFINED),
        }
    }
}
