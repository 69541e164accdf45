//! What to hand on of a stream that passes through: whole events, the same bytes wherever nothing has to change.
//!
//! The last, unfinished event of a chunk is held back until it is whole (a client could not use half an event anyway), so
//! that at any moment the stream can go on with an event of ours: an error event, a `[DONE]`, or nothing in place of a
//! usage chunk that the caller did not ask for. A chunk that ends between two events passes without being copied.

use crate::error::Error;
use crate::reply::{Deltas, End, Progress, Reader, error_event};
use crate::request::Endpoint;
use crate::sse::Item;

/// What to hand on for one chunk.
#[derive(Debug, PartialEq, Eq)]
pub enum Forwarded<'a> {
    /// The chunk as it came.
    Pass,
    /// These bytes instead; may be empty.
    Bytes(&'a [u8]),
}

/// What one chunk brought.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Events with content.
    pub(super) tokens: u32,
    pub(super) done: bool,
    pub(super) failed: Option<Error>,
}

#[derive(Debug)]
pub(super) struct Forward {
    endpoint: Endpoint,
    hide_usage: bool,
    max_held: usize,
    /// Bytes of the unfinished event, from earlier chunks.
    held: Vec<u8>,
    /// What to hand on in place of the current chunk, where it differs from it.
    out: Vec<u8>,
    /// How far the current chunk is to be handed on behind `out`.
    upto: usize,
    /// Up to where the current chunk has already been dealt with, by `out` or by leaving out.
    from: usize,
    /// Behind the `[DONE]` event of the current chunk, which is only handed on if the stream's end is a success.
    behind_done: Option<usize>,
    done_passed: bool,
    /// What is held is a whole event but for its blank line.
    held_is_whole: bool,
    /// The last bytes handed on were in the middle of a line.
    spilled: bool,
    scratch: Deltas,
    tail: Vec<u8>,
    finished: bool,
}

impl Forward {
    pub(super) fn new(endpoint: Endpoint, hide_usage: bool, max_held: usize) -> Self {
        Forward {
            endpoint,
            hide_usage,
            max_held,
            held: Vec::new(),
            out: Vec::new(),
            upto: 0,
            from: 0,
            behind_done: None,
            done_passed: false,
            held_is_whole: false,
            spilled: false,
            scratch: Deltas::new(),
            tail: Vec::new(),
            finished: false,
        }
    }

    /// Reads one chunk. Afterwards [`Forward::take`] says what to hand on for it.
    pub(super) fn read(&mut self, reader: &mut Reader, chunk: &[u8]) -> Seen {
        let Reader { decoder, assembler } = reader;
        let mut seen = Seen::default();
        self.out.clear();
        (self.upto, self.from, self.behind_done) = (0, 0, None);
        self.spilled = false;
        let mut input = chunk;
        loop {
            let failed = match decoder.next_item(&mut input) {
                Ok(None) => break,
                Ok(Some(Item::Event(event))) => {
                    self.scratch.clear();
                    let end = chunk.len() - input.len();
                    match assembler.handle_data(&event.event_type, &event.data, &mut self.scratch) {
                        Ok(step) => {
                            seen.tokens += u32::from(step.content);
                            if step.done {
                                seen.done = true;
                                self.behind_done = Some(end);
                                return seen;
                            }
                            if step.usage_only && self.hide_usage {
                                self.leave_out(chunk, end);
                            }
                            self.upto = end;
                            continue;
                        }
                        Err(error) => error,
                    }
                }
                Ok(Some(_)) => continue,
                Err(error) => error,
            };
            seen.failed = Some(failed);
            return seen;
        }
        if decoder.is_between_events() {
            self.upto = chunk.len();
        } else if self.held.len() + chunk.len() - self.upto > self.max_held {
            // The decoder bounds events; only a comment can be longer, and it may go out in pieces.
            self.upto = chunk.len();
            self.spilled = true;
        }
        seen
    }

    /// Hands on what is before the event that ends at `end`, and not the event.
    fn leave_out(&mut self, chunk: &[u8], end: usize) {
        if self.upto > 0 || self.from > 0 {
            self.out.append(&mut self.held);
            self.out.extend_from_slice(chunk.get(self.from..self.upto).unwrap_or_default());
        }
        self.held.clear();
        self.from = end;
    }

    /// Hands the `[DONE]` on with the chunk that it came in.
    pub(super) fn accept_done(&mut self) {
        if let Some(end) = self.behind_done.take() {
            self.upto = end;
            self.done_passed = true;
        }
    }

    /// The stream has ended behind a whole event that lacks its blank line; it is what is held. It is handed on unless it is
    /// a `[DONE]` (the tail has one of its own) or hidden usage.
    pub(super) fn keep_last(&mut self, progress: &Progress) {
        let is_done = progress.done && self.endpoint.is_completion();
        self.held_is_whole = !(is_done || progress.usage_only && self.hide_usage);
    }

    /// What to hand on for the chunk that was read last.
    pub(super) fn take(&mut self, chunk: &[u8]) -> Forwarded<'_> {
        if self.held.is_empty() && self.out.is_empty() && self.from == 0 && self.upto == chunk.len() {
            return Forwarded::Pass;
        }
        if self.upto > self.from || self.behind_done.is_some() {
            // Some event ended in this chunk, so what was held is whole (or is the start of the refused `[DONE]`).
            if self.upto > self.from {
                self.out.append(&mut self.held);
                self.out.extend_from_slice(chunk.get(self.from..self.upto).unwrap_or_default());
            }
            self.held.clear();
        }
        let rest = self.upto.max(self.from);
        if self.behind_done.is_none() {
            self.held.extend_from_slice(chunk.get(rest..).unwrap_or_default());
        }
        Forwarded::Bytes(&self.out)
    }

    pub(super) fn nothing(&mut self) -> Forwarded<'_> {
        self.out.clear();
        Forwarded::Bytes(&self.out)
    }

    /// The stream is over: what is still owed to the reader goes to the tail. `None`: nothing is.
    pub(super) fn finish(&mut self, end: Option<&End>) {
        if core::mem::replace(&mut self.finished, true) {
            return;
        }
        let Some(end) = end else { return };
        self.tail.extend_from_slice(self.gap());
        if let Some(error) = &end.error {
            self.tail.extend_from_slice(error_event(self.endpoint, error).as_bytes());
        } else if !self.done_passed {
            if self.held_is_whole {
                self.tail.append(&mut self.held);
                self.tail.extend_from_slice(b"\n\n");
            }
            // Only completions end so.
            if self.endpoint.is_completion() {
                self.tail.extend_from_slice(b"data: [DONE]\n\n");
            }
        }
    }

    /// What must be handed on before an event that is not this stream's: a last event that lacked only its blank line, the end of a
    /// comment that went out in pieces.
    pub(super) fn take_rest(&mut self) -> Vec<u8> {
        let mut rest = self.gap().to_vec();
        if core::mem::take(&mut self.held_is_whole) {
            rest.append(&mut self.held);
            rest.extend_from_slice(b"\n\n");
        }
        rest
    }

    /// The stream goes on over another connection: what is held of an unfinished event comes again. False if a part of a comment was
    /// handed on, which does not.
    pub(super) fn restart(&mut self) -> bool {
        self.held.clear();
        !self.spilled
    }

    /// The end of a comment that was handed on in pieces, if one was.
    fn gap(&self) -> &'static [u8] {
        if self.spilled { b"\n\n" } else { b"" }
    }

    pub(super) fn take_tail(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.tail)
    }
}
