//! One chunk, parsed: structs that borrow from the event's data and keep what they do not know.
//!
//! Values are kept as their text where vendors differ (a string, null, or something else), so that an odd field never fails the stream.

use super::json::{Cursor, Read};
use std::borrow::Cow;

/// Members that we do not know, in order; those that are null are left out.
pub(super) type Extra<'a> = Vec<(Cow<'a, str>, &'a str)>;

/// What a struct's member, or an item of a list in it, may be.
pub(super) trait Member<'a>: Read<'a> {
    /// The byte that such a value begins with; `None` for any.
    const START: Option<u8>;
}

/// Any value, as its text.
impl<'a> Member<'a> for &'a str {
    const START: Option<u8> = None;
}

/// The items of an array that are of the right type.
pub(super) struct List<T>(pub(super) Vec<T>);

impl<'a, T: Member<'a>> Member<'a> for List<T> {
    const START: Option<u8> = Some(b'[');
}

impl<'a, T: Member<'a>> Read<'a> for List<T> {
    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        let mut items = Vec::new();
        cursor.array(&mut |cursor| {
            items.extend(member(cursor)?);
            Some(())
        })?;
        Some(List(items))
    }
}

/// A value of the right type, or nothing: null and one of another type (`"tool_calls":""`) are skipped.
pub(super) fn member<'a, T: Member<'a>>(cursor: &mut Cursor<'a>) -> Option<Option<T>> {
    match T::START {
        Some(start) if cursor.peek()? != start => cursor.skip().map(|()| None),
        _ => Read::read(cursor),
    }
}

/// A struct of an object's members; null is as good as absent. Of a repeated member the last one counts.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty = $key:literal,)* }) => {
        $(#[$doc])*
        #[derive(Default)]
        pub(super) struct $name<'a> {
            $(pub(super) $field: Option<$type>,)*
            pub(super) extra: $crate::reply::chunk::Extra<'a>,
        }

        impl<'a> $crate::reply::chunk::Member<'a> for $name<'a> {
            const START: Option<u8> = Some(b'{');
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
                            object.$field = $crate::reply::chunk::member(_cursor)?;
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
        choices: List<ChunkChoice<'a>> = "choices",
        usage: &'a str = "usage",
        error: &'a str = "error",
        code: &'a str = "code",
        message: &'a str = "message",
        msg: &'a str = "msg",
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
        usage: &'a str = "usage",
    }
}

object! {
    ChunkDelta {
        role: &'a str = "role",
        content: &'a str = "content",
        reasoning_content: &'a str = "reasoning_content",
        reasoning: &'a str = "reasoning",
        refusal: &'a str = "refusal",
        tool_calls: List<ChunkCall<'a>> = "tool_calls",
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

impl<'a> Chunk<'a> {
    /// The choices.
    pub(super) fn choices(&self) -> &[ChunkChoice<'a>] {
        self.choices.as_ref().map_or(&[], |choices| &choices.0)
    }

    /// Whether this is a vendor's error and no chunk: `{"error":…}`; or, without choices, `{"object":"error","message":…}`, a flat
    /// `{"code","message"}` of which the code does not say "success", or a code that `is_known` as a failure and needs no words.
    pub(super) fn is_error(&self, is_known: fn(&str) -> bool) -> bool {
        if self.error.is_some_and(|error| !matches!(error, "false" | "0" | "{}" | "\"\"")) {
            return true;
        }
        if !self.choices().is_empty() {
            return false;
        }
        let said = [self.message, self.msg].into_iter().flatten().any(|words| words.starts_with('"'));
        let fails = |code: &str| {
            let bare = code.trim_matches('"');
            is_known(bare)
                || (said
                    && !matches!(bare, "" | "0" | "200" | "20000" | "ok" | "success")
                    && code.starts_with(['"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']))
        };
        (said && self.object == Some("\"error\"")) || self.code.is_some_and(fails)
    }

    /// The words of an object that has nothing of a chunk: SiliconFlow's rate limit is `{"message":…,"data":null}`. Choices that are
    /// empty are nothing, whatever is beside them.
    pub(super) fn bare_message(&self) -> Option<&'a str> {
        let named = self.choices.is_none() && (self.object.is_some() || self.id.is_some());
        let chunk = named || !self.choices().is_empty() || self.usage.is_some();
        if chunk { None } else { self.message.or(self.msg) }
    }
}
