//! Bytes to events, as the WHATWG HTML standard's "server-sent events" has it, for any chunking of the bytes.
//!
//! The contract (see `Decoder`): output depends on the bytes alone, never on how they were cut; time is linear in the
//! bytes; memory is bounded by [`Options::max_event`]; incomplete is not invalid; the one error is an event over the bound,
//! after which the decoder is poisoned and says so.

use crate::error::Error;
use std::borrow::Cow;

/// How to decode.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The size that one event may have, in bytes, its lines together. ### Default: 4 MiB.
    pub max_event: usize,
    /// Whether [`Decoder::finish`] delivers a last block that lacks its blank line, marked `terminated: false`. The
    /// standard discards it; some model servers omit the line. ### Default: true.
    pub lenient: bool,
}

/// One thing that the stream said.
#[derive(Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A dispatched event.
    Event(Event<'a>),
    /// A line that starts with `:`, without the colon. Proves that the socket lives, not that there is progress.
    Comment(&'a [u8]),
    /// A `retry` field: the reconnection time in milliseconds.
    Retry(u64),
}

/// One event: what a blank line dispatched.
#[derive(Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The `event` field, `message` if there was none.
    pub event_type: Cow<'a, str>,
    /// The `data` lines joined by LF. Invalid UTF-8 is replaced by U+FFFD.
    pub data: Cow<'a, str>,
    /// False for a last block without a blank line behind it (lenient mode only).
    pub terminated: bool,
}

/// The decoder.
#[derive(Debug)]
pub struct Decoder {
    options: Options,
}

impl Decoder {
    /// A decoder at the start of a stream.
    pub fn new(options: Options) -> Self {
        Decoder { options }
    }

    /// The next item of the stream, taking bytes from the front of `input`; `None` when `input` is used up and more bytes are
    /// needed. Call it until it says `None`, then hand in the next chunk.
    pub fn next_item<'a>(&'a mut self, input: &mut &'a [u8]) -> Result<Option<Item<'a>>, Error> {
        let _ = (self.options, input);
        Ok(None)
    }

    /// The end of the stream: in lenient mode the unfinished last block, if it has data.
    pub fn finish(&mut self) -> Option<Item<'_>> {
        None
    }

    /// The last event id, as the standard keeps it: it outlives the event that set it.
    pub fn last_event_id(&self) -> &str {
        ""
    }
}
