//! One chunk, parsed: structs that borrow from the event's data and keep what they do not know.
//!
//! Values are kept raw where vendors differ (a string, null, or something else), so that an odd field never fails the stream, and
//! because a lone surrogate in a string is an error to serde_json and none to us (see `string`).

use core::fmt;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Members that we do not know, in order; those that are null are left out.
pub(super) type Extra<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member name")
            }
            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }
            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

/// serde's `flatten` would buffer every value; this reads each member once, in place. Of a repeated member the last one counts.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty = $key:literal,)* }) => {
        $(#[$doc])*
        #[derive(Default)]
        pub(super) struct $name<'a> {
            $(pub(super) $field: Option<$type>,)*
            pub(super) extra: Extra<'a>,
        }

        impl<'de> Deserialize<'de> for $name<'de> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct ObjectVisitor;
                impl<'de> Visitor<'de> for ObjectVisitor {
                    type Value = $name<'de>;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an object")
                    }
                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$name<'de>, A::Error> {
                        let mut object = $name::default();
                        while let Some(Name(name)) = map.next_key()? {
                            match &*name {
                                $($key => object.$field = map.next_value()?,)*
                                _ => {
                                    if let Some(value) = map.next_value()? {
                                        object.extra.push((name, value));
                                    }
                                }
                            }
                        }
                        Ok(object)
                    }
                }
                deserializer.deserialize_map(ObjectVisitor)
            }
        }
    };
}

object! {
    /// A stream's chunk, a whole completion, or a vendor's error: told apart by what is in it.
    Chunk {
        id: &'a RawValue = "id",
        object: &'a RawValue = "object",
        created: &'a RawValue = "created",
        model: &'a RawValue = "model",
        system_fingerprint: &'a RawValue = "system_fingerprint",
        choices: Vec<ChunkChoice<'a>> = "choices",
        usage: &'a RawValue = "usage",
        error: &'a RawValue = "error",
        code: &'a RawValue = "code",
        message: &'a RawValue = "message",
    }
}

object! {
    ChunkChoice {
        index: &'a RawValue = "index",
        delta: ChunkDelta<'a> = "delta",
        message: ChunkDelta<'a> = "message",
        text: &'a RawValue = "text",
        finish_reason: &'a RawValue = "finish_reason",
        logprobs: &'a RawValue = "logprobs",
    }
}

object! {
    ChunkDelta {
        role: &'a RawValue = "role",
        content: &'a RawValue = "content",
        reasoning_content: &'a RawValue = "reasoning_content",
        reasoning: &'a RawValue = "reasoning",
        refusal: &'a RawValue = "refusal",
        tool_calls: Vec<ChunkCall<'a>> = "tool_calls",
        function_call: ChunkFunction<'a> = "function_call",
    }
}

object! {
    ChunkCall {
        index: &'a RawValue = "index",
        id: &'a RawValue = "id",
        kind: &'a RawValue = "type",
        function: ChunkFunction<'a> = "function",
    }
}

object! {
    ChunkFunction {
        name: &'a RawValue = "name",
        arguments: &'a RawValue = "arguments",
    }
}

object! {
    /// One part of a `content` that is an array.
    Part {
        text: &'a RawValue = "text",
        thinking: &'a RawValue = "thinking",
    }
}

object! {
    /// An object of which every member is taken as it is.
    Members {}
}

impl Chunk<'_> {
    /// Whether this is a vendor's error and no chunk: `{"error":…}`, `{"object":"error","message":…}`, or a flat `{"code","message"}`
    /// without choices, of which the code does not say "success".
    pub(super) fn is_error(&self) -> bool {
        if self.error.is_some_and(|error| !matches!(error.get(), "false" | "0" | "{}" | "\"\"")) {
            return true;
        }
        let said = self.message.is_some_and(|message| message.get().starts_with('"'));
        if !said || self.choices.as_ref().is_some_and(|choices| !choices.is_empty()) {
            return false;
        }
        self.object.is_some_and(|object| object.get() == "\"error\"")
            || self.code.is_some_and(|code| {
                let code = code.get();
                !matches!(code.trim_matches('"'), "" | "0" | "200" | "20000" | "ok" | "success")
                    && code.starts_with(['"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
            })
    }
}

/// A whole number as vendors write it: `7`, `7.0`, `"7"`; `None` for anything else.
pub(super) fn number(raw: &str) -> Option<u64> {
    let text = raw.trim_matches('"');
    text.parse().ok().or_else(|| text.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0).map(|n| n as u64))
}
