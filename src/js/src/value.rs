//! An option on its way from JavaScript to the core.

use js_sys::{Array, Object};
use wasm_bindgen::prelude::*;

/// A route's headers are a list of pairs, its budgets a list of objects; an object that holds itself must not be followed for ever.
const MAX_DEPTH: u32 = 4;

/// What JavaScript has, as far as options need it.
pub(crate) enum Value {
    /// `undefined` or `null`.
    Nothing,
    Flag(bool),
    Number(f64),
    Text(String),
    List(Vec<Value>),
    Object(Vec<(Value, Value)>),
    /// A function, a symbol or the like.
    Odd,
}

impl Value {
    /// Reads an option. By hand: serde-wasm-bindgen's reader brings 15 KB gzipped along, most of it to word errors that are ours.
    pub(crate) fn from_js(value: &JsValue) -> Self {
        Value::read(value, MAX_DEPTH)
    }

    fn read(value: &JsValue, depth: u32) -> Self {
        if value.is_undefined() || value.is_null() {
            Value::Nothing
        } else if let Some(flag) = value.as_bool() {
            Value::Flag(flag)
        } else if let Some(number) = value.as_f64() {
            Value::Number(number)
        } else if let Some(text) = value.as_string() {
            Value::Text(text)
        } else if depth == 0 || value.is_function() || !value.is_object() {
            Value::Odd
        } else if Array::is_array(value) {
            Value::List(Array::from(value).iter().map(|item| Value::read(&item, depth - 1)).collect())
        } else {
            let entries = Object::entries(value.unchecked_ref());
            let pair = |entry: JsValue| {
                let entry: Array = entry.unchecked_into();
                (Value::read(&entry.get(0), 0), Value::read(&entry.get(1), depth - 1))
            };
            Value::Object(entries.iter().map(pair).collect())
        }
    }
}
