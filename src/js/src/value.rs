//! A value on its way between JavaScript and the core, through serde. One type for all options, errors and replies: a struct for each,
//! with derived implementations, was 6 KB more wasm, 4 KB gzipped.

use core::fmt;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::borrow::Cow;
use wasm_bindgen::prelude::*;

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
    pub(crate) fn from_js(value: JsValue) -> Self {
        serde_wasm_bindgen::from_value(value).unwrap_or(Value::Odd)
    }
}

impl<'a> Value<'a> {
    pub(crate) fn object<const N: usize>(fields: [(&'static str, Value<'a>); N]) -> Self {
        Value::Object(fields.into_iter().map(|(name, value)| (Value::from(name), value)).collect())
    }

    /// Adds a field to an object.
    pub(crate) fn push(&mut self, name: &'static str, value: Value<'a>) {
        if let Value::Object(fields) = self {
            fields.push((Value::from(name), value));
        }
    }

    pub(crate) fn to_js(&self) -> Result<JsValue, JsValue> {
        let serializer =
            serde_wasm_bindgen::Serializer::new().serialize_missing_as_null(false).serialize_maps_as_objects(true);
        self.serialize(&serializer).map_err(JsValue::from)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(Cow::Borrowed(text))
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Value::Nothing, Value::from)
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

impl<'de> Deserialize<'de> for Value<'static> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value<'static>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an option's value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(text)))
    }

    fn visit_byte_buf<E: serde::de::Error>(self, _: Vec<u8>) -> Result<Self::Value, E> {
        Err(E::custom("bytes"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(name) = map.next_key()? {
            // An odd value matters only to whoever asks for it.
            fields.push((name, map.next_value().unwrap_or(Value::Odd)));
        }
        Ok(Value::Object(fields))
    }
}
