//! The decoder: lines to fields to items, with the data of a whole event left where it lies in the chunk.

use super::block::Block;
use super::field::Field;
use super::line::{Lines, Scan};
use super::{Item, Options};
use crate::error::{Error, ErrorKind};

/// Decodes one stream.
///
/// For each chunk, call [`next_item`](Decoder::next_item) until it says `None`; at the end of the stream call
/// [`finish`](Decoder::finish). Holds at most a small multiple of [`Options::max_event`]; most chunks leave nothing behind.
///
/// ```
/// use sluicegate::sse::{Decoder, Item, Options};
///
/// # fn main() -> Result<(), sluicegate::Error> {
/// let mut decoder = Decoder::new(Options::default());
/// let mut seen = Vec::new();
/// for chunk in [b": hi\n\ndata: {\"n\":1}\n\nda".as_slice(), b"ta: [DONE]"] {
///     let mut input = chunk;
///     while let Some(item) = decoder.next_item(&mut input)? {
///         let text = match item {
///             Item::Event(event) => event.data.into_owned(),
///             Item::Comment(text) => format!("comment{}", String::from_utf8_lossy(text)),
///             Item::Retry(millis) => format!("retry in {millis} ms"),
///         };
///         seen.push((text, chunk.len() - input.len()));
///     }
/// }
/// assert_eq!(seen, [("comment hi".to_owned(), 5), ("{\"n\":1}".to_owned(), 21)]);
///
/// // This server closed without the blank line.
/// let Some(Item::Event(last)) = decoder.finish() else { panic!("the last block is delivered") };
/// assert_eq!((&*last.data, last.terminated), ("[DONE]", false));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Decoder {
    options: Options,
    state: State,
    lines: Lines,
    block: Block,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// An event was over the bound.
    Poisoned,
    Finished,
}

/// Why [`Decoder::next_item`] stopped reading. What it returns borrows from the decoder, so it is made after the loop.
enum Stop<'i> {
    ChunkUsedUp,
    Comment(&'i [u8]),
    BufferedComment,
    Retry(u64),
    Dispatch,
}

impl Decoder {
    /// A decoder at the start of a stream.
    pub fn new(options: Options) -> Self {
        Decoder { options, state: State::Open, lines: Lines::default(), block: Block::default() }
    }

    /// The next item of the stream, taking bytes from the front of `input`; `None` when `input` is used up and more bytes are
    /// needed. Call it until it says `None`, then hand in the next chunk. An item lives until the next call.
    ///
    /// After an item, `input` stands right behind the line that gave it (for an event: the blank line that dispatched it),
    /// so `chunk.len() - input.len()` is the item's end in the chunk. Of a CRLF, the LF belongs to the line if it is in the
    /// same chunk; at the start of the next chunk it is skipped without an item.
    ///
    /// After [`finish`](Decoder::finish), bytes are taken and ignored.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::EventTooLarge`] as soon as a block is over [`Options::max_event`], and the same on every later call.
    pub fn next_item<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Result<Option<Item<'s>>, Error> {
        match self.state {
            State::Open => {}
            State::Poisoned => return Err(self.too_large()),
            State::Finished => {
                *input = &[];
                return Ok(None);
            }
        }
        self.block.clear_if_spent();

        // The block's data, as long as it is one line of this chunk; moved into the block when the call ends without it.
        let mut held: Option<&'i [u8]> = None;
        let stop = loop {
            let room = self.options.max_event.saturating_sub(self.block.size());
            let (line, field) = match self.lines.next(input, room, self.options.max_event) {
                Scan::Whole(line) => match Field::parse(line) {
                    Field::Data(value) if held.is_none() && !self.block.has_data() => {
                        held = Some(value);
                        self.block.count(line);
                        continue;
                    }
                    Field::Comment(text) => break Stop::Comment(text),
                    field => (line, field),
                },
                Scan::Buffered => (self.lines.buffered(), Field::parse(self.lines.buffered())),
                Scan::Incomplete => break Stop::ChunkUsedUp,
                Scan::TooLong => {
                    self.state = State::Poisoned;
                    return Err(self.too_large());
                }
            };
            if matches!(field, Field::Comment(_)) {
                break Stop::BufferedComment;
            }
            self.block.count(line);
            match field {
                Field::Blank => {
                    self.block.commit_id();
                    if held.is_some() || self.block.has_data() {
                        break Stop::Dispatch;
                    }
                    self.block.clear();
                }
                Field::Data(value) => {
                    if let Some(first) = held.take() {
                        self.block.push_data(first);
                    }
                    self.block.push_data(value);
                }
                Field::Event(value) => self.block.set_type(value),
                Field::Id(value) => self.block.set_id(value),
                Field::Retry(millis) => break Stop::Retry(millis),
                Field::Comment(_) | Field::Ignored => {}
            }
        };

        if matches!(stop, Stop::Dispatch) {
            return Ok(Some(Item::Event(self.block.dispatch(held, true))));
        }
        if let Some(data) = held {
            self.block.push_data(data);
        }
        Ok(match stop {
            Stop::Comment(text) => Some(Item::Comment(text.get(..self.options.max_event).unwrap_or(text))),
            Stop::BufferedComment => Some(Item::Comment(self.lines.buffered().get(1..).unwrap_or_default())),
            Stop::Retry(millis) => Some(Item::Retry(millis)),
            Stop::ChunkUsedUp | Stop::Dispatch => None,
        })
    }

    /// The end of the stream: in lenient mode the unfinished last block, if it has data that is not empty (a stream cut
    /// behind `data:` says nothing), its last line counted even without an end. `None` in strict mode, after an error, and
    /// when called again.
    ///
    /// Such a block leaves the last event id alone: the id may have been cut as well, and resuming behind an event that
    /// may be incomplete would lose its rest.
    pub fn finish(&mut self) -> Option<Item<'_>> {
        if self.state != State::Open {
            return None;
        }
        self.state = State::Finished;
        self.block.clear_if_spent();
        if !self.options.lenient {
            return None;
        }
        match Field::parse(self.lines.unfinished()) {
            Field::Data(value) => self.block.push_data(value),
            Field::Event(value) => self.block.set_type(value),
            _ => {}
        }
        let event = self.block.dispatch(None, false);
        (!event.data.is_empty()).then_some(Item::Event(event))
    }

    /// The stream goes on over another connection, from the event behind the last one: what has come of an unfinished event is forgotten,
    /// and the last event id is kept.
    pub fn restart(&mut self) {
        self.lines = Lines::default();
        self.block.drop_unfinished();
    }

    /// Whether the bytes so far end between two events: nothing is held that a later byte could complete or change. A proxy
    /// may put an event of its own there.
    pub fn is_between_events(&self) -> bool {
        self.lines.is_at_start_of_line() && self.block.is_empty()
    }

    /// The last event id, as the standard keeps it: set by the blank line behind an `id` field, with or without data in
    /// the block, and kept until another one comes. To be sent as `Last-Event-ID` on reconnecting.
    pub fn last_event_id(&self) -> &str {
        self.block.last_event_id()
    }

    fn too_large(&self) -> Error {
        let message = format!("An event of the stream is over {} bytes.", self.options.max_event);
        Error::new(ErrorKind::EventTooLarge, message)
    }
}
