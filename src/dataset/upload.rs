//! One upload: the body's parts, of which one is the file.

use super::hiding::Hiding;
use super::jsonl::{Checked, Lines};
use super::multipart::{Event, Multipart, Part};
use super::name::label;
use super::shape::Shape;
use super::{Limits, Sink, invalid, too_large};
use crate::error::{Error, ErrorKind};
use crate::json::shown_key;

/// A field's value that is no file, in bytes.
const VALUE: usize = 64;
/// What a file may be for, if it is said: SDKs that know OpenAI's files say it.
const PURPOSE: &[u8] = b"fine-tune";

/// What was uploaded.
#[derive(Debug)]
pub struct Summary {
    /// Bytes that were handed on: those of the file but for a byte order mark and blank lines.
    pub bytes: u64,
    /// Lines among them.
    pub lines: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
    /// What the lines are.
    pub shape: Shape,
    /// The file's name, as a label: not a path, nothing invisible in it.
    pub filename: Option<String>,
    /// What hid private data, if anything did.
    pub hiding: Option<Hiding>,
}

/// A body of multipart/form-data with the file in the field `file`, and `purpose` (`fine-tune`) if it is said.
#[derive(Debug)]
pub struct Upload {
    multipart: Multipart,
    fields: Fields,
    received: u64,
    limit: u64,
    /// What ended it early.
    failed: Option<Error>,
}

#[derive(Debug)]
struct Fields {
    /// What has not begun yet.
    limits: Limits,
    hiding: Option<Hiding>,
    at: At,
    filename: Option<String>,
    checked: Option<Checked>,
    has_file: bool,
    has_purpose: bool,
}

/// In which part the parser is.
#[derive(Debug)]
enum At {
    Nowhere,
    File(Box<Lines>),
    Purpose(Vec<u8>),
}

impl Upload {
    /// An upload of this content type. With `hiding`, what is private in it is hidden before it is handed on.
    ///
    /// Errors: those of [`Multipart::new`].
    pub fn new(content_type: &str, limits: Limits, hiding: Option<Hiding>) -> Result<Upload, Error> {
        let multipart = Multipart::new(content_type)?;
        let (at, filename, checked) = (At::Nowhere, None, None);
        let fields = Fields { limits, hiding, at, filename, checked, has_file: false, has_purpose: false };
        Ok(Upload { multipart, fields, received: 0, limit: limits.body, failed: None })
    }

    /// Takes the next bytes of the body and hands on the lines of the file that end in them.
    ///
    /// After an error, every further call gives the same one. Errors: `payload_too_large` over a bound; `invalid_request` for what is
    /// malformed or no known field, and for the file's faults when there are 20; whatever `sink` refuses with.
    pub fn push(&mut self, bytes: &[u8], sink: &mut Sink<'_>) -> Result<(), Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let taken = self.take(bytes, sink);
        self.failed = taken.as_ref().err().cloned();
        taken
    }

    fn take(&mut self, bytes: &[u8], sink: &mut Sink<'_>) -> Result<(), Error> {
        self.received = self.received.saturating_add(bytes.len() as u64);
        if self.received > self.limit {
            let message = ["The body is larger than the limit of ", &self.limit.to_string(), " bytes."].concat();
            return Err(Error::new(ErrorKind::PayloadTooLarge, message));
        }
        let fields = &mut self.fields;
        self.multipart.push(bytes, &mut |event| fields.take(event, sink))
    }

    /// Whether a line of the file is faulty: nothing more is handed on, and [`Upload::finish`] will say what is wrong. Whoever stores
    /// lines may drop them at once, and should still read on for the other faults.
    pub fn is_faulty(&self) -> bool {
        self.failed.is_some() || matches!(&self.fields.at, At::File(lines) if lines.is_faulty())
    }

    /// The body is over.
    ///
    /// Errors: that of an earlier [`Upload::push`]; `invalid_request` for a body without its end or without a file. Of a body that is cut
    /// and faulty the faults are told: sending it again would not mend them.
    pub fn finish(self) -> Result<Summary, Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if let At::File(lines) = &self.fields.at
            && let Some(fault) = lines.fault()
        {
            return Err(fault);
        }
        self.multipart.finish()?;
        let checked = self.fields.checked.ok_or_else(|| invalid("Required: a JSONL file.", "file"))?;
        let Checked { bytes, lines, sha256, shape, hiding } = checked;
        Ok(Summary { bytes, lines, sha256, shape, filename: self.fields.filename, hiding })
    }
}

impl Fields {
    fn take(&mut self, event: Event<'_>, sink: &mut Sink<'_>) -> Result<(), Error> {
        match event {
            Event::Begin(part) => self.begin(part),
            Event::Data(bytes) => match &mut self.at {
                At::Nowhere => Ok(()),
                At::File(lines) => lines.push(bytes, sink),
                At::Purpose(value) if value.len() + bytes.len() > VALUE => {
                    Err(too_large(["A value is longer than ", &VALUE.to_string(), " bytes."].concat(), "purpose"))
                }
                At::Purpose(value) => {
                    value.extend_from_slice(bytes);
                    Ok(())
                }
            },
            Event::End => match core::mem::replace(&mut self.at, At::Nowhere) {
                At::File(lines) => lines.finish(sink).map(|checked| self.checked = Some(checked)),
                At::Purpose(value) if value != PURPOSE => Err(invalid("Only fine-tune is known.", "purpose")),
                _ => Ok(()),
            },
        }
    }

    fn begin(&mut self, part: Part) -> Result<(), Error> {
        let (seen, is_file) = match part.name.as_str() {
            "file" => (&mut self.has_file, true),
            "purpose" => (&mut self.has_purpose, false),
            other => return Err(invalid("There is no such field; send the file as file.", shown_key(other))),
        };
        if core::mem::replace(seen, true) {
            return Err(invalid("This field occurs twice.", shown_key(&part.name)));
        }
        self.at = if is_file {
            self.filename = part.filename.as_deref().and_then(label);
            if let Some(hiding) = &mut self.hiding
                && let Some(name) = self.filename.take()
            {
                self.filename = Some(hiding.name(name)?);
            }
            At::File(Box::new(Lines::new(self.limits, self.hiding.take())))
        } else if part.filename.is_some() {
            return Err(invalid("This field is not a file.", shown_key(&part.name)));
        } else {
            At::Purpose(Vec::new())
        };
        Ok(())
    }
}
