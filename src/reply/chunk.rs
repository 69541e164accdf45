//! One chunk, parsed: structs that borrow from the event's data and keep what they do not know.
//!
//! Values are kept as their text where vendors differ (a string, null, or something else), so that an odd field never fails the stream.

use super::json::{Cursor, Read};
use std::borrow::Cow;

/// Members that we do not know, in order; those that are null are left out.
pub(super) type Extra<'a> = Vec<(Cow<'a, str>, &'a str)>;

/// A struct of an object's members; null is as good as absent. Of a repeated member the last one counts.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty = $key:literal,)* }) => {
        $(#[$doc])*
        #[derive(Default)]
        pub(super) struct $name<'a> {
            $(pub(super) $field: Option<$type>,)*
            pub(super) extra: $crate::reply::chunk::Extra<'a>,
        }

        impl<'a> Read<'a> for $name<'a> {
            fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
                const KEYS: &[&str] = &[$($key),*];
                let mut object = $name::default();
                let mut extra = $crate::reply::chunk::Extra::new();
                $crate::reply::chunk::members(cursor, KEYS, &mut extra, &mut |_cursor, _known| {
                    let mut _at = 0;
                    $(
                        if _known == _at {
                            object.$field = Read::read(_cursor)?;
                            return Some(());
                        }
                        _at += 1;
                    )*
                    None
                })?;
                object.extra = extra;
                Some(object)
            }
        }
    };
}
pub(super) use object;

/// Reads an object's members: `member` those of `keys`, by their place there, the others into `extra`. One function for all structs, not
/// a copy of the loop for each.
pub(super) fn members<'a>(
    cursor: &mut Cursor<'a>,
    keys: &[&str],
    extra: &mut Extra<'a>,
    member: &mut dyn FnMut(&mut Cursor<'a>, usize) -> Option<()>,
) -> Option<()> {
    cursor.object(&mut |cursor, name| {
        match keys.iter().position(|key| *key == name) {
            Some(known) => member(cursor, known)?,
            None => {
                if let Some(value) = Read::read(cursor)? {
                    extra.push((name, value));
                }
            }
        }
        Some(())
    })
}

object! {
    /// A stream's chunk, a whole completion, or a vendor's error: told apart by what is in it.
    Chunk {
        id: &'a str = "id",
        object: &'a str = "object",
        created: &'a str = "created",
        model: &'a str = "model",
        system_fingerprint: &'a str = "system_fingerprint",
        choices: Vec<ChunkChoice<'a>> = "choices",
        usage: &'a str = "usage",
        error: &'a str = "error",
        code: &'a str = "code",
        message: &'a str = "message",
    }
}

object! {
    ChunkChoice {
        index: &'a str = "index",
        delta: ChunkDelta<'a> = "delta",
        message: ChunkDelta<'a> = "message",
        text: &'a str = "text",
        finish_reason: &'a str = "finish_reason",
        logprobs: &'a str = "logprobs",
    }
}

object! {
    ChunkDelta {
        role: &'a str = "role",
        content: &'a str = "content",
        reasoning_content: &'a str = "reasoning_content",
        reasoning: &'a str = "reasoning",
        refusal: &'a str = "refusal",
        tool_calls: Vec<ChunkCall<'a>> = "tool_calls",
        function_call: ChunkFunction<'a> = "function_call",
    }
}

object! {
    ChunkCall {
        index: &'a str = "index",
        id: &'a str = "id",
        kind: &'a str = "type",
        function: ChunkFunction<'a> = "function",
    }
}

object! {
    ChunkFunction {
        name: &'a str = "name",
        arguments: &'a str = "arguments",
    }
}

object! {
    /// One part of a `content` that is an array.
    Part {
        text: &'a str = "text",
        thinking: &'a str = "thinking",
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
        if self.error.is_some_and(|error| !matches!(error, "false" | "0" | "{}" | "\"\"")) {
            return true;
        }
        let said = self.message.is_some_and(|message| message.starts_with('"'));
        if !said || self.choices.as_ref().is_some_and(|choices| !choices.is_empty()) {
            return false;
        }
        self.object == Some("\"error\"")
            || self.code.is_some_and(|code| {
                !matches!(code.trim_matches('"'), "" | "0" | "200" | "20000" | "ok" | "success")
                    && code.starts_with(['"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
            })
    }
}

impl<'a> Chunk<'a> {
    /// The `message` of an object that has nothing of a chunk: SiliconFlow's rate limit is `{"message":…,"data":null}`.
    pub(super) fn bare_message(&self) -> Option<&'a str> {
        let chunk = self.choices.is_some() || self.object.is_some() || self.usage.is_some() || self.id.is_some();
        if chunk { None } else { self.message }
    }
}
