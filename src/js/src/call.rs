//! One call of the package's own API: a request text in, batches of deltas out.

use crate::batch::Batch;
use crate::convert;
use crate::driver::{Driver, Driving, Output, Shared};
use crate::health::Health;
use js_sys::Function;
use sluicegate::exchange::Exchange;
use sluicegate::reply::Deltas;
use sluicegate::time::Instant;
use wasm_bindgen::prelude::*;

/// A call. Dropping it aborts the request.
#[wasm_bindgen]
pub struct Call {
    driver: Shared,
    /// The address of the batch header.
    header: u32,
}

/// Delivers the number of deltas in the batch; 0 when the reply is over.
struct Batches {
    /// What has come since the last delivery.
    next: Deltas,
    batch: Batch,
}

impl Output for Batches {
    fn forwards(&self) -> bool {
        false
    }

    fn take(&mut self, exchange: &mut Exchange, now: Instant, attempt: u32, _: JsValue, bytes: &[u8]) {
        exchange.handle_bytes(now, attempt, bytes, &mut self.next);
    }

    fn deltas(&mut self) -> &mut Deltas {
        &mut self.next
    }

    fn deliver(&mut self, _: &mut Driving, finished: bool) -> Option<JsValue> {
        if self.next.is_empty() {
            return finished.then(|| JsValue::from_f64(0.0));
        }
        core::mem::swap(&mut self.next, &mut self.batch.deltas);
        self.next.clear();
        Some(JsValue::from_f64(f64::from(self.batch.publish())))
    }
}

#[wasm_bindgen]
impl Call {
    /// A call for the chat request in `body`, a JSON text. Nothing is sent before the first [`Call::pull`].
    #[wasm_bindgen(constructor)]
    pub fn new(body: &str, options: &JsValue, health: &Health) -> Result<Call, JsValue> {
        let output = Batches { next: Deltas::new(), batch: Batch::new() };
        let header = output.batch.address();
        match Driver::new(body, options, health, Box::new(output)) {
            Ok(driver) => Ok(Call { driver, header }),
            Err(error) => Err(convert::error_to_js(&error)),
        }
    }

    /// The address of the batch header (see `batch.rs`).
    pub fn header(&self) -> u32 {
        self.header
    }

    /// Asks for the next deltas: `deliver` is called with their count, readable until the next pull; with 0 when the reply is over.
    pub fn pull(&self, deliver: Function) {
        Driver::pull(&self.driver, deliver);
    }

    /// The whole reply, or what was received of it; undefined before the end.
    pub fn reply(&self) -> JsValue {
        let exchange = &self.driver.borrow().call.exchange;
        match exchange.reply() {
            Some(reply) => convert::reply_to_js(reply, exchange.end(), Some(exchange)),
            None => JsValue::UNDEFINED,
        }
    }

    /// What went wrong; undefined for a success.
    pub fn error(&self) -> JsValue {
        let call = &self.driver.borrow().call;
        match call.exchange.end() {
            Some(end) => convert::failure_to_js(end, Some(&call.exchange), &call.cause),
            None => JsValue::UNDEFINED,
        }
    }

    /// Cancels the call; the request is aborted at once.
    pub fn cancel(&self) {
        Driver::cancel(&self.driver);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        Driver::cancel(&self.driver);
    }
}
