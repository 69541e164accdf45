//! Files of training examples, taken as they arrive: a multipart body is split into its parts, the file into lines, and each
//! line is judged before anything of it is handed on to be stored.
//!
//! [`Upload`] is fed the body in pieces of any size and hands on whole, checked lines. It holds one line, one part's head and a
//! few numbers, never the file; work is linear in the bytes. What is wrong with a file is said by line and field, never by what
//! stands there.
//!
//! ```
//! use sluicegate::dataset::{Limits, Upload};
//!
//! let body = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\r\n{\"text\": \"Hello\"}\r\n--x--\r\n";
//! let mut upload = Upload::new("multipart/form-data; boundary=x", Limits::default(), None)?;
//! let mut stored = Vec::new();
//! for piece in body.chunks(7) {
//!     upload.push(piece, &mut |line| {
//!         stored.extend_from_slice(line);
//!         Ok(())
//!     })?;
//! }
//! let summary = upload.finish()?;
//! assert_eq!((summary.lines, summary.shape.as_str()), (1, "text"));
//! assert_eq!(stored, b"{\"text\": \"Hello\"}");
//! # Ok::<(), sluicegate::Error>(())
//! ```

mod header;
mod hiding;
mod jsonl;
mod multipart;
mod name;
mod shape;
mod upload;

pub use hiding::Hiding;
pub use jsonl::{Checked, Lines};
pub use multipart::{Event, Multipart, Part};
pub use name::attachment;
pub use shape::Shape;
pub use upload::{Summary, Upload};

use crate::error::{Error, ErrorKind};
use std::borrow::Cow;

/// Takes checked lines, each with the end that it has in the file; an error ends the upload.
pub type Sink<'a> = dyn FnMut(&[u8]) -> Result<(), Error> + 'a;

/// Bounds of one upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The whole body, in bytes, parts' heads and boundaries included. Over it: `payload_too_large`.
    /// Default 16 MiB: what a database row by row holds without trouble; a store of objects takes more.
    pub body: u64,
    /// One line, in bytes. Over it: `invalid_request`, the line is named. Default 1 MiB.
    pub line: usize,
    /// Lines that are not blank. Over it: `payload_too_large`. Default 1,000,000.
    pub lines: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { body: 16 << 20, line: 1 << 20, lines: 1_000_000 }
    }
}

fn invalid(message: impl Into<Cow<'static, str>>, param: &str) -> Error {
    Error::new(ErrorKind::InvalidRequest, message).with_param(param)
}

fn too_large(message: impl Into<Cow<'static, str>>, param: &str) -> Error {
    Error::new(ErrorKind::PayloadTooLarge, message).with_param(param)
}
