//! A stream's log: every event with its number, kept for a while, so that a reader whose connection broke can go on.
//!
//! [`Log::append`] takes a stream's bytes, cut anywhere, and writes each event down with a line `id: N` as its last, N counting from
//! 1: whoever has dispatched event N asks for what comes [`Log::after`] it. The line comes last, so that it overrules an id of the
//! upstream's own and is never read before the data. Comments between events and a byte order mark are left out: they carry
//! nothing, and a reader that joins in the middle could not use them.
//!
//! A position is a number of bytes from the beginning of the log, as if nothing had ever been dropped from it. Readers
//! follow it by [`Log::read`], each with a position of its own.

use crate::error::{Error, ErrorKind};
use memchr::memchr2;
use std::collections::VecDeque;

/// The bounds of a log: over either, the oldest events go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLimits {
    /// Bytes, numbers included. ### Default: 1 MiB, an answer of some 3,000 tokens as most vendors write them.
    pub bytes: usize,
    /// Events. ### Default: 10,000: each costs eight bytes besides its own.
    pub events: usize,
}

impl Default for LogLimits {
    fn default() -> Self {
        LogLimits { bytes: 1 << 20, events: 10_000 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Nothing of the next event has come.
    Between,
    /// In a comment between two events.
    Comment,
    /// At the start of a line of an event that has begun.
    LineStart,
    /// In a line of an event.
    Line,
}

const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// See the module's documentation. Time is linear in the bytes.
#[derive(Debug)]
pub struct Log {
    limits: LogLimits,
    place: Place,
    /// The last byte was a CR, whose LF may follow.
    after_cr: bool,
    /// How much of a byte order mark has been seen at the start; 3 when it cannot come any more.
    mark: usize,
    bytes: Vec<u8>,
    /// How many of `bytes`, from the first, are dropped already.
    dead: usize,
    /// The position of the first of `bytes`.
    base: u64,
    /// Where the kept events end, the oldest first.
    ends: VecDeque<u64>,
    last: u64,
}

impl Log {
    /// An empty log.
    pub fn new(limits: LogLimits) -> Self {
        Log {
            limits,
            place: Place::Between,
            after_cr: false,
            mark: 0,
            bytes: Vec::new(),
            dead: 0,
            base: 0,
            ends: VecDeque::new(),
            last: 0,
        }
    }

    /// Writes bytes of the stream down. Over a bound the oldest events are dropped, but none from `floor` on, which is the
    /// position of the reader that follows (`u64::MAX` if there is none), and never the newest event.
    pub fn append(&mut self, floor: u64, mut chunk: &[u8]) {
        while let Some(expected) = BYTE_ORDER_MARK.get(self.mark) {
            match chunk.split_first() {
                None => return,
                Some((first, rest)) if first == expected => {
                    self.mark += 1;
                    chunk = rest;
                }
                Some(_) => {
                    let seen = core::mem::replace(&mut self.mark, BYTE_ORDER_MARK.len());
                    self.scan(BYTE_ORDER_MARK.get(..seen).unwrap_or_default());
                }
            }
        }
        self.scan(chunk);
        self.trim(floor);
    }

    fn scan(&mut self, mut rest: &[u8]) {
        while let Some((&first, behind)) = rest.split_first() {
            if core::mem::take(&mut self.after_cr) && first == b'\n' {
                if self.place == Place::LineStart {
                    self.bytes.push(first);
                }
                rest = behind;
                continue;
            }
            let is_end = matches!(first, b'\r' | b'\n');
            match self.place {
                Place::Between | Place::LineStart if is_end => {
                    self.after_cr = first == b'\r';
                    if self.place == Place::LineStart {
                        self.close_event();
                    }
                    rest = behind;
                    continue;
                }
                Place::Between => self.place = if first == b':' { Place::Comment } else { Place::Line },
                Place::LineStart => self.place = Place::Line,
                Place::Comment | Place::Line => {}
            }
            let end = memchr2(b'\r', b'\n', rest);
            let (line, behind) = rest.split_at(end.map_or(rest.len(), |at| at + 1));
            if self.place == Place::Line {
                self.bytes.extend_from_slice(line);
            }
            if end.is_some() {
                self.after_cr = line.last() == Some(&b'\r');
                self.place = if self.place == Place::Line { Place::LineStart } else { Place::Between };
            }
            rest = behind;
        }
    }

    fn close_event(&mut self) {
        self.last += 1;
        self.bytes.extend_from_slice(b"id: ");
        self.bytes.extend_from_slice(self.last.to_string().as_bytes());
        self.bytes.extend_from_slice(b"\n\n");
        self.ends.push_back(self.end());
        self.place = Place::Between;
    }

    fn trim(&mut self, floor: u64) {
        while self.ends.len() > 1
            && (self.bytes.len() - self.dead > self.limits.bytes || self.ends.len() > self.limits.events)
        {
            let Some(end) = self.ends.front().copied().filter(|end| *end <= floor) else { break };
            self.ends.pop_front();
            self.dead = usize::try_from(end - self.base).unwrap_or(self.bytes.len());
        }
        // Moved only when at least as much is dropped as is moved, so that each byte is moved once on average.
        if self.dead > self.bytes.len() / 2 {
            self.bytes.drain(..self.dead);
            self.base += self.dead as u64;
            self.dead = 0;
        }
    }

    /// The number of the last whole event; 0 before the first.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// The position behind everything written down.
    pub fn end(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    /// The position of what follows event `number`; 0 asks for the beginning.
    ///
    /// Errors: `stream_gone` if the events that follow are dropped already, `invalid_request` if there was no such event yet.
    pub fn after(&self, number: u64) -> Result<u64, Error> {
        let dropped = self.last - self.ends.len() as u64;
        if number > self.last {
            let message = "The stream has not come to an event of this number.";
            return Err(Error::new(ErrorKind::InvalidRequest, message).with_param("last-event-id"));
        }
        let start = self.base + self.dead as u64;
        match number.checked_sub(dropped) {
            None => {
                let message = "The events behind this one are dropped already: the stream was longer than its log.";
                Err(Error::new(ErrorKind::StreamGone, message).with_param("last-event-id"))
            }
            Some(0) => Ok(start),
            Some(kept) => {
                let at = usize::try_from(kept - 1).unwrap_or(usize::MAX);
                Ok(self.ends.get(at).copied().unwrap_or(start))
            }
        }
    }

    /// At most `most` bytes from `position` on; empty at the end, and before what is kept.
    pub fn read(&self, position: u64, most: usize) -> &[u8] {
        let start = position.checked_sub(self.base).and_then(|at| usize::try_from(at).ok());
        match start.filter(|start| *start >= self.dead).and_then(|start| self.bytes.get(start..)) {
            Some(bytes) => bytes.get(..most).unwrap_or(bytes),
            None => &[],
        }
    }
}
