//! A decoder and an assembler in one: bytes of an event stream in, deltas out.

use super::{Assembler, Cause, Deltas, Options, json};
use crate::error::{Error, ErrorKind};
use crate::sse::{self, Decoder, Item};

/// Reads one stream.
#[derive(Debug)]
pub struct Reader {
    pub(crate) decoder: Decoder,
    pub(crate) assembler: Assembler,
}

/// What some bytes brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Events with content: text, reasoning, a refusal or a piece of a tool call; usually a token each.
    pub tokens: u32,
    /// `[DONE]`: what follows is not read.
    pub done: bool,
    /// The last event was a usage chunk (`choices: []`).
    pub usage_only: bool,
}

impl Reader {
    /// A reader at the start of a stream.
    pub fn new(options: Options) -> Self {
        let decoder = Decoder::new(sse::Options { max_event: options.limits.event, lenient: true });
        Reader { decoder, assembler: Assembler::new(options) }
    }

    /// Reads a chunk, appending deltas to `out`. An error ends the stream: hand it to [`Assembler::finish`].
    ///
    /// # Errors
    ///
    /// Those of [`Assembler::handle_data`] and of [`Decoder::next_item`].
    pub fn feed(&mut self, chunk: &[u8], out: &mut Deltas) -> Result<Progress, Error> {
        let mut progress = Progress::default();
        let mut input = chunk;
        while let Some(item) = self.decoder.next_item(&mut input)? {
            let event = match item {
                Item::Event(event) => event,
                Item::Comment(text) if text.starts_with(b" sluicegate {") => {
                    self.assembler.handle_comment(text, out);
                    continue;
                }
                _ => continue,
            };
            let step = self.assembler.handle_data(&event.event_type, &event.data, out)?;
            progress.tokens += u32::from(step.content);
            progress.usage_only = step.usage_only;
            if step.done {
                progress.done = true;
                break;
            }
        }
        Ok(progress)
    }

    /// The bytes have ended: reads a last event that lacks its blank line. What a cut leaves of an event is not read: it
    /// is a truncation, not a malformed stream.
    pub fn feed_end(&mut self, out: &mut Deltas) -> (Cause, Progress) {
        let mut progress = Progress::default();
        let Some(Item::Event(event)) = self.decoder.finish() else { return (Cause::Eof, progress) };
        let data = event.data.trim();
        if data != "[DONE]" && json::parse::<&str>(data).is_none() {
            return (Cause::Eof, progress);
        }
        let cause = match self.assembler.handle_data(&event.event_type, &event.data, out) {
            Ok(step) => {
                progress = Progress { tokens: u32::from(step.content), done: step.done, usage_only: step.usage_only };
                Cause::Unterminated
            }
            Err(error) if error.kind() == ErrorKind::Protocol => Cause::Eof,
            Err(error) => Cause::Failed(error),
        };
        (cause, progress)
    }

    /// The assembler: what has been read so far, and the way to end it.
    pub fn into_assembler(self) -> Assembler {
        self.assembler
    }

    /// The assembler.
    pub fn assembler(&self) -> &Assembler {
        &self.assembler
    }

    /// The assembler, to end the stream with.
    pub fn assembler_mut(&mut self) -> &mut Assembler {
        &mut self.assembler
    }
}
