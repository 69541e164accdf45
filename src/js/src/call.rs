//! One call of the package's own API: a request text in, batches of deltas out.

use crate::batch::Batch;
use crate::convert;
use crate::driver::Driver;
use crate::transport::now;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// A call. Dropping it aborts the request.
#[wasm_bindgen]
pub struct Call {
    driver: Rc<RefCell<Driver>>,
    batch: Rc<RefCell<Batch>>,
}

#[wasm_bindgen]
impl Call {
    /// A call for the chat request in `body`, a JSON text. Nothing is sent before the first [`Call::next`].
    #[wasm_bindgen(constructor)]
    pub fn new(body: &str, options: JsValue, fetch: JsValue) -> Result<Call, JsValue> {
        let driver = Driver::new(body, options, fetch, false).map_err(|error| convert::error_to_js(&error))?;
        Ok(Call { driver, batch: Rc::new(RefCell::new(Batch::new())) })
    }

    /// The address of the batch header (see `batch.rs`).
    pub fn header(&self) -> u32 {
        self.batch.borrow().address()
    }

    /// Waits for the next deltas and gives their count, readable until the next call; 0 when the reply is over.
    pub async fn next(&self) -> u32 {
        let (driver, batch) = (self.driver.clone(), self.batch.clone());
        driver.borrow_mut().exchange.resume(now());
        loop {
            {
                let mut call = driver.borrow_mut();
                call.act();
                if !call.deltas.is_empty() || call.finished {
                    let mut batch = batch.borrow_mut();
                    core::mem::swap(&mut call.deltas, &mut batch.deltas);
                    call.deltas.clear();
                    call.exchange.pause(now());
                    return batch.publish();
                }
            }
            Driver::step(&driver, false).await;
        }
    }

    /// The whole reply, or what was received of it; undefined before the end.
    pub fn reply(&self) -> Result<JsValue, JsValue> {
        let driver = self.driver.borrow();
        match driver.exchange.reply() {
            Some(reply) => convert::reply_to_js(
                reply,
                driver.exchange.end(),
                Some(driver.exchange.timing()),
                driver.exchange.trace_id(),
                &driver.changes,
            ),
            None => Ok(JsValue::UNDEFINED),
        }
    }

    /// What went wrong; undefined for a success.
    pub fn error(&self) -> Result<JsValue, JsValue> {
        let driver = self.driver.borrow();
        match driver.exchange.end() {
            Some(end) if end.error.is_some() => convert::failure_to_js(end, driver.exchange.trace_id(), &driver.cause),
            _ => Ok(JsValue::UNDEFINED),
        }
    }

    /// Cancels the call; the request is aborted at once.
    pub fn cancel(&self) {
        Driver::cancel(&self.driver);
    }
}
