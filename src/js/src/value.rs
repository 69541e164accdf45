//! A value on its way between JavaScript and the core; out through serde. One type for all options, errors and replies: a struct for each,
//! with derived implementations, was 6 KB more wasm, 4 KB gzipped.

use js_sys::{Array, Object};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::borrow::Cow;
use wasm_bindgen::prelude::*;

/// A route's headers are a list of pairs, its budgets a list of objects; an object that holds itself must not be followed for ever.
const MAX_DEPTH: u32 = 4;

/// What JavaScript has, as far as options, errors and replies need it.
pub(crate) enum Value<'a> {
    /// `undefined`, or `null` from JavaScript.
    Nothing,
    Flag(bool),
    Number(f64),
    Text(Cow<'a, str>),
    List(Vec<Value<'a>>),
    Object(Vec<(Value<'a>, Value<'a>)>),
    /// A function, a symbol or the like.
    Odd,
}

impl Value<'static> {
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
            Value::Text(Cow::Owned(text))
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

impl<'a> Value<'a> {
    pub(crate) fn object() -> Self {
        Value::Object(Vec::new())
    }

    /// Adds a field to an object.
    #[inline(never)]
    pub(crate) fn push(&mut self, name: &'static str, value: Value<'a>) {
        if let Value::Object(fields) = self {
            fields.push((Value::Text(Cow::Borrowed(name)), value));
        }
    }

    /// Adds a text, or `undefined`.
    pub(crate) fn text(&mut self, name: &'static str, text: impl Into<Option<&'a str>>) {
        self.push_text(name, text.into());
    }

    #[inline(never)]
    fn push_text(&mut self, name: &'static str, text: Option<&'a str>) {
        self.push(name, text.map_or(Value::Nothing, |text| Value::Text(Cow::Borrowed(text))));
    }

    /// Adds a number, or `undefined`.
    #[inline(never)]
    pub(crate) fn number(&mut self, name: &'static str, number: Option<f64>) {
        self.push(name, number.map_or(Value::Nothing, Value::Number));
    }

    pub(crate) fn to_js(&self) -> Result<JsValue, JsValue> {
        let serializer =
            serde_wasm_bindgen::Serializer::new().serialize_missing_as_null(false).serialize_maps_as_objects(true);
        self.serialize(&serializer).map_err(JsValue::from)
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Nothing | Value::Odd => serializer.serialize_none(),
            Value::Flag(flag) => serializer.serialize_bool(*flag),
            Value::Number(number) => serializer.serialize_f64(*number),
            Value::Text(text) => serializer.serialize_str(text),
            Value::List(items) => serializer.collect_seq(items),
            Value::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}
