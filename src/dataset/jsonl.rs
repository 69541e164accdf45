//! A file of training examples, line by line: each a strict JSON object, all of one shape.
//!
//! What a file may have that is no line is dropped and not handed on, so that what is stored is lines and nothing else: a byte order
//! mark at its start (editors on Windows put it there) and blank lines. They are not refused, because files end with some and people
//! put them between groups; they are not kept, because whoever reads a stored file with one `json.loads` a line fails on them. All
//! else is handed on byte for byte, the ends of lines too, and the last line needs none.
//!
//! After a fault nothing more is handed on, but judging goes on until [`FAULTS`] are found: whoever mends a file wants to know all of
//! them. A fault says the line and the place in it, never what stands there.

use super::hiding::Hiding;
use super::shape::{Shape, judge};
use super::{Limits, Sink, invalid, too_large};
use crate::error::Error;
use crate::json::{What, walk};
use crate::limits::Limits as JsonLimits;
use crate::text::{after, before};
use core::fmt;
use memchr::memchr;
use sha2::{Digest, Sha256};

/// How many faulty lines an error names.
const FAULTS: usize = 20;
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// What is wrong with a line: the place in it, which may be all of it (empty), and a sentence without its full stop.
pub(super) struct Wrong {
    place: String,
    message: String,
}

impl Wrong {
    pub(super) fn new(place: &str, message: String) -> Wrong {
        Wrong { place: place.to_owned(), message }
    }
}

/// What a whole file turned out to be.
#[derive(Debug)]
pub struct Checked {
    /// Bytes that were handed on.
    pub bytes: u64,
    /// Lines among them.
    pub lines: u64,
    /// The SHA-256 of those bytes.
    pub sha256: [u8; 32],
    /// What the lines are.
    pub shape: Shape,
    /// What hid their private data, if anything did.
    pub hiding: Option<Hiding>,
}

/// Judges lines as their bytes come.
pub struct Lines {
    limits: Limits,
    json: JsonLimits,
    /// The line that has begun, if it came in pieces.
    line: Vec<u8>,
    /// Whether it is over the bound, so that the rest of it is only skipped.
    skips: bool,
    /// Lines whose end was seen, blank ones too.
    ended: u64,
    lines: u64,
    bytes: u64,
    hash: Sha256,
    shape: Option<Shape>,
    /// What was wrong, as `line 17: messages[2].role`, and the sentence.
    faults: Vec<(String, String)>,
    hiding: Option<Hiding>,
}

impl Lines {
    /// For one file. With `hiding`, lines are handed on, counted and hashed as that leaves them.
    pub fn new(limits: Limits, hiding: Option<Hiding>) -> Lines {
        let (json, hash) = (JsonLimits::default(), Sha256::new());
        let (line, faults) = (Vec::new(), Vec::new());
        Lines { limits, json, line, skips: false, ended: 0, lines: 0, bytes: 0, hash, shape: None, faults, hiding }
    }

    /// Takes the next bytes and hands on the lines that end in them, until the first fault.
    ///
    /// Errors: `payload_too_large` for too many lines; [`Lines::fault`] after 20 faults; whatever `sink` refuses with.
    pub fn push(&mut self, bytes: &[u8], sink: &mut Sink<'_>) -> Result<(), Error> {
        let mut rest = bytes;
        while let Some(end) = memchr(b'\n', rest) {
            let (piece, tail) = rest.split_at_checked(end + 1).unwrap_or((rest, &[]));
            rest = tail;
            if self.line.is_empty() && !self.skips {
                self.line(piece, sink)?;
            } else {
                self.keep(piece);
                let mut line = core::mem::take(&mut self.line);
                let judged = self.line(&line, sink);
                line.clear();
                self.line = line;
                judged?;
            }
            self.skips = false;
        }
        self.keep(rest);
        Ok(())
    }

    /// The file is over: its last line need not end.
    ///
    /// Errors: those of [`Lines::push`]; [`Lines::fault`] if there was any; `invalid_request` for a file without lines.
    pub fn finish(mut self, sink: &mut Sink<'_>) -> Result<Checked, Error> {
        if !self.line.is_empty() || self.skips {
            let line = core::mem::take(&mut self.line);
            self.line(&line, sink)?;
        }
        if let Some(fault) = self.fault() {
            return Err(fault);
        }
        let shape = self.shape.ok_or_else(|| invalid("The file has no lines.", "file"))?;
        Ok(Checked {
            bytes: self.bytes,
            lines: self.lines,
            sha256: self.hash.finalize().into(),
            shape,
            hiding: self.hiding,
        })
    }

    /// The error for all faults so far: `invalid_request`, its `param` the first of them as `line 17: messages[2].role`.
    pub fn fault(&self) -> Option<Error> {
        let (first, _) = self.faults.first()?;
        let mut message = String::new();
        for (place, what) in &self.faults {
            message.push_str(if message.is_empty() { "L" } else { " L" });
            message.push_str(place.get(1..).unwrap_or_default());
            message.push_str(": ");
            message.push_str(what);
            message.push('.');
        }
        if self.faults.len() == FAULTS {
            message.push_str(" There may be more: no further line was read.");
        }
        Some(invalid(message, first))
    }

    /// Whether any line so far is faulty, so that nothing more is handed on.
    pub fn is_faulty(&self) -> bool {
        !self.faults.is_empty()
    }

    /// Keeps a piece of a line, up to the bound and what may stand around it.
    fn keep(&mut self, piece: &[u8]) {
        if self.line.len() + piece.len() > self.limits.line + BOM.len() + 2 {
            self.line.clear();
            self.skips = true;
        }
        if !self.skips {
            self.line.extend_from_slice(piece);
        }
    }

    /// Judges a line with its end, which only the last one may lack, and hands it on.
    fn line(&mut self, line: &[u8], sink: &mut Sink<'_>) -> Result<(), Error> {
        let line = if self.ended == 0 { line.strip_prefix(BOM).unwrap_or(line) } else { line };
        self.ended += 1;
        // Judged by what stands before the end, blank or not, so that the pieces in which it came make no difference.
        let body = line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line));
        let is_long = self.skips || body.len() > self.limits.line;
        let content = body.trim_ascii();
        if content.is_empty() && !is_long {
            return Ok(());
        }
        if self.lines == self.limits.lines {
            return Err(too_large(["The file has more than ", &self.lines.to_string(), " lines."].concat(), "file"));
        }
        self.lines += 1;
        let judged = if is_long {
            Err(Wrong::new("", ["The line is longer than ", &self.limits.line.to_string(), " bytes"].concat()))
        } else {
            self.judge(content)
        };
        match judged {
            Err(wrong) => return self.wrong(wrong),
            Ok(shape) => self.shape = Some(shape),
        }
        if !self.faults.is_empty() {
            return Ok(());
        }
        let hidden = match &mut self.hiding {
            Some(hiding) => hiding.line(self.ended, line)?,
            None => None,
        };
        let line = hidden.as_deref().map_or(line, str::as_bytes);
        self.bytes += line.len() as u64;
        self.hash.update(line);
        sink(line)
    }

    fn judge(&self, content: &[u8]) -> Result<Shape, Wrong> {
        let text = core::str::from_utf8(content).map_err(|error| {
            Wrong::new("", ["Not UTF-8: invalid byte at column ", &(error.valid_up_to() + 1).to_string()].concat())
        })?;
        walk(text, &self.json, |_| false)
            .map_err(|fault| Wrong { message: self.sentence(&fault.what), place: fault.path })?;
        judge(text, self.shape, &self.json)
    }

    fn sentence(&self, what: &What) -> String {
        let with = |before: &str, number: usize, after: &str| [before, &number.to_string(), after].concat();
        match what {
            What::Syntax(detail) => {
                // The walk counts lines too, of which this is one.
                let place = (before(detail, " at line 1 "), after(detail, " at line 1 "));
                match place {
                    (Some(expected), Some(column)) => ["Not valid JSON: ", expected, " at ", column].concat(),
                    _ => ["Not valid JSON: ", detail].concat(),
                }
            }
            What::Depth => with("Nested deeper than ", self.json.json_depth, " levels"),
            What::Keys => with("An object has more than ", self.json.json_keys, " keys"),
            What::Items => with("An array has more than ", self.json.json_items, " items"),
            What::Duplicate => "A key occurs twice in the same object".to_owned(),
            What::Nul => "A string holds a NUL character".to_owned(),
            What::Refused => "This field is not allowed".to_owned(),
        }
    }

    #[cold]
    fn wrong(&mut self, wrong: Wrong) -> Result<(), Error> {
        let separator = if wrong.place.is_empty() { "" } else { ": " };
        let place = ["line ", &self.ended.to_string(), separator, &wrong.place].concat();
        self.faults.push((place, wrong.message));
        match self.fault() {
            Some(fault) if self.faults.len() >= FAULTS => Err(fault),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Lines {
    /// Counts only: a line is a training example.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines")
            .field("lines", &self.lines)
            .field("bytes", &self.bytes)
            .field("shape", &self.shape)
            .field("faults", &self.faults.len())
            .finish_non_exhaustive()
    }
}
