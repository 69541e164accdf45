//! Bytes to events, as the WHATWG HTML standard's "server-sent events" has it, for any chunking of the bytes.
//!
//! The contract (see [`Decoder`]): output depends on the bytes alone, never on how they were cut; time is linear in the
//! bytes; memory is bounded by [`Options::max_event`]; incomplete is not invalid; the one error is an event over the bound,
//! after which the decoder is poisoned and says so.
//!
//! Three stages, one file each: `line` cuts chunks into lines, `field` says what a line means, `block` gathers the fields
//! up to the blank line that dispatches them. `decoder` connects them, and copies only what a chunk's end forces it to.

mod block;
mod decoder;
mod field;
mod line;

pub use decoder::Decoder;

use std::borrow::Cow;

/// How to decode.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The size that one event may have, in bytes: its field lines together, their names included, line ends not. A field
    /// that means nothing counts as well; comments do not, and one longer than this is cut to its first `max_event` bytes.
    /// ### Default: 4 MiB.
    pub max_event: usize,
    /// Whether [`Decoder::finish`] delivers a last block that lacks its blank line, marked `terminated: false`. The
    /// standard discards it; some model servers omit the line. ### Default: true.
    pub lenient: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { max_event: 4 << 20, lenient: true }
    }
}

/// One thing that the stream said.
#[derive(Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A dispatched event.
    Event(Event<'a>),
    /// A line that starts with `:`, without the colon. Proves that the socket lives, not that there is progress.
    /// Reported where it stands: one inside a block comes before the block's event.
    Comment(&'a [u8]),
    /// A `retry` field: the reconnection time in milliseconds, `u64::MAX` if it does not fit.
    Retry(u64),
}

/// One event: what a blank line dispatched.
#[derive(Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The `event` field, `message` if there was none.
    pub event_type: Cow<'a, str>,
    /// The `data` lines joined by LF. Invalid UTF-8 is replaced by U+FFFD. Valid data of an event that lies wholly in its
    /// chunk and has one `data` line is a slice of the chunk; copied or not, valid data is never allocated per event.
    pub data: Cow<'a, str>,
    /// False for a last block without a blank line behind it (lenient mode only).
    pub terminated: bool,
}
