//! What the calls of one gate learn from each other: made by the gate, lent to each call.

use crate::convert;
use crate::options;
use sluicegate::exchange;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

pub(crate) type SharedHealth = Rc<RefCell<exchange::Health>>;

/// The health of a gate's routes.
#[wasm_bindgen]
pub struct Health {
    shared: SharedHealth,
}

#[wasm_bindgen]
impl Health {
    /// Every route is healthy. `breaker`: an object of `{failures, ratioPercent, least, windowMs, openMs}`, undefined, or false.
    #[wasm_bindgen(constructor)]
    pub fn new(breaker: &JsValue) -> Result<Health, JsValue> {
        let policy = options::breaker(breaker).map_err(|error| convert::error_to_js(&error))?;
        Ok(Health { shared: Rc::new(RefCell::new(exchange::Health::new(policy))) })
    }
}

impl Health {
    pub(crate) fn share(&self) -> SharedHealth {
        self.shared.clone()
    }
}
