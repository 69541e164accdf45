//! The parts of a multipart/form-data body (RFC 7578, RFC 2046), from pieces of any size.
//!
//! Our own and not a crate: the one in use, `multer`, reads an asynchronous stream, which a core without I/O has not got; it bounds
//! neither the number of parts nor the bytes of their heads; and it brings decoders for forty character sets. What is needed is the
//! search for one string and a dozen header lines.
//!
//! Strict where parsers disagree, because whoever else reads the same bytes must find the same parts: lines of a head end with CRLF; a
//! head has no folded lines, no header twice and no control characters; a line of data that begins with the boundary and goes on is an
//! error and not data. Lenient where the RFCs say so: padding behind a boundary, text before the first and behind the last one, all
//! bounded. Bodies that end before the last boundary are errors: a cut upload is never taken for a whole one.

use super::header::{Value, extended, is_token};
use super::{invalid, too_large};
use crate::error::{Error, ErrorKind};
use core::ops::ControlFlow;
use memchr::memchr;

/// Parts of one body.
const PARTS: usize = 16;
/// The head of one part, in bytes.
const HEAD: usize = 8 << 10;
/// A field's or a file's name, in bytes.
const NAME: usize = 255;
/// What may stand before the first and behind the last boundary, in bytes.
const AROUND: usize = 1 << 10;
/// Spaces behind a boundary.
const PADDING: usize = 64;
/// RFC 2046, section 5.1.1.
const BOUNDARY: usize = 70;

/// The head of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The field.
    pub name: String,
    /// The file's name, as the client wrote it.
    pub filename: Option<String>,
    /// What the client takes the content for.
    pub content_type: Option<String>,
}

/// What was found, in the order of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A part begins.
    Begin(Part),
    /// The next piece of its content; pieces are never empty.
    Data(&'a [u8]),
    /// It is over.
    End,
}

type Sink<'a> = dyn FnMut(Event<'_>) -> Result<(), Error> + 'a;

/// A parser that bytes are pushed into. After an error it is done.
#[derive(Debug)]
pub struct Multipart {
    /// CRLF, two hyphens and the boundary. It has one CR only, at its start, so that a failed match can begin anew only where it failed.
    delimiter: Vec<u8>,
    state: State,
    /// How much of the delimiter the bytes so far end with.
    matched: usize,
    /// How much of that is the CRLF before the first boundary or of the end of a head, which is no content.
    borrowed: usize,
    head: Vec<u8>,
    parts: usize,
    /// Bytes before the first, or behind the last boundary.
    around: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first boundary.
    Before,
    /// Right behind a boundary.
    Delimiter,
    /// Behind it and a hyphen.
    Hyphen,
    /// In spaces behind it.
    Padding(usize),
    /// Behind it and a CR.
    Cr,
    /// Behind the last boundary's hyphens, with so many spaces.
    Closed(usize),
    /// Behind those and a CR.
    ClosedCr,
    /// Behind the line of the last boundary.
    After,
    Head,
    Data,
}

impl Multipart {
    /// A parser for a body of this content type.
    ///
    /// Errors: `unsupported_media_type` for any other than multipart/form-data, `invalid_request` for one without a proper boundary.
    pub fn new(content_type: &str) -> Result<Multipart, Error> {
        const PARAM: &str = "content-type";
        let media = content_type.split(';').next().unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("multipart/form-data") {
            let message = "The body has to be multipart/form-data with the file in the field file.";
            return Err(Error::new(ErrorKind::UnsupportedMediaType, message).with_param(PARAM));
        }
        let value = Value::read(content_type).ok_or_else(|| invalid("The content type is malformed.", PARAM))?;
        let boundary = value.parameter("boundary").ok_or_else(|| invalid("The boundary is missing.", PARAM))?;
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
        let fits = (1..=BOUNDARY).contains(&boundary.len()) && !boundary.ends_with(' ');
        if !fits || !boundary.bytes().all(is_allowed) {
            let message = "The boundary has to be 1 to 70 of the characters that RFC 2046 allows.";
            return Err(invalid(message, PARAM));
        }
        let delimiter = ["\r\n--", boundary].concat().into_bytes();
        let (state, head) = (State::Before, Vec::new());
        Ok(Multipart { delimiter, state, matched: 2, borrowed: 2, head, parts: 0, around: 0 })
    }

    /// What stands between the parts, as the content type names it.
    pub fn separator(&self) -> &str {
        self.delimiter.get(4..).and_then(|boundary| core::str::from_utf8(boundary).ok()).unwrap_or_default()
    }

    /// Takes the next bytes of the body and says what they bring.
    ///
    /// Errors: `invalid_request` for what is malformed, `payload_too_large` over a bound; whatever `sink` refuses with.
    pub fn push(&mut self, bytes: &[u8], sink: &mut Sink<'_>) -> Result<(), Error> {
        let mut rest = bytes;
        while let Some(&byte) = rest.first() {
            rest = match self.state {
                State::Before | State::Data => self.content(rest, sink)?,
                State::Head => self.head(rest, sink)?,
                State::After => {
                    self.pass(rest.len())?;
                    &[]
                }
                _ => {
                    self.behind_boundary(byte)?;
                    rest.get(1..).unwrap_or_default()
                }
            };
        }
        Ok(())
    }

    /// The body is over.
    ///
    /// Errors: `invalid_request` if it has not got its last boundary.
    pub fn finish(self) -> Result<(), Error> {
        match self.state {
            State::Closed(_) | State::After => Ok(()),
            _ => Err(malformed("The body ends before its last boundary: the upload was cut off.")),
        }
    }

    /// Bytes before the first boundary, or of a part, up to the next boundary.
    fn content<'i>(&mut self, input: &'i [u8], sink: &mut Sink<'_>) -> Result<&'i [u8], Error> {
        let mut rest = input;
        if self.matched > 0 {
            let wanted = self.delimiter.get(self.matched..).unwrap_or_default();
            let same = common(wanted, rest);
            if same == wanted.len() {
                return self.boundary(rest.get(same..).unwrap_or_default(), sink);
            }
            self.matched += same;
            if same == rest.len() {
                return Ok(&[]);
            }
            // It was content after all: the same bytes as the delimiter's, whose CR is not among those that follow.
            let held = self.delimiter.get(self.borrowed..self.matched).unwrap_or_default();
            (self.matched, self.borrowed) = (0, 0);
            if self.state == State::Before {
                let held = held.len();
                self.pass(held)?;
            } else if !held.is_empty() {
                sink(Event::Data(held))?;
            }
            rest = rest.get(same..).unwrap_or_default();
        }
        let mut from = 0;
        let (content, found) = loop {
            let Some(cr) = rest.get(from..).and_then(|tail| memchr(b'\r', tail)) else { break (rest, None) };
            let (content, tail) = rest.split_at_checked(from + cr).unwrap_or((rest, &[]));
            let same = common(&self.delimiter, tail);
            if same == self.delimiter.len() {
                break (content, tail.get(same..));
            }
            if same == tail.len() {
                self.matched = same;
                break (content, None);
            }
            from += cr + 1;
        };
        if self.state == State::Before {
            self.pass(content.len())?;
        } else if !content.is_empty() {
            sink(Event::Data(content))?;
        }
        found.map_or(Ok(&[]), |rest| self.boundary(rest, sink))
    }

    fn boundary<'i>(&mut self, rest: &'i [u8], sink: &mut Sink<'_>) -> Result<&'i [u8], Error> {
        (self.matched, self.borrowed) = (0, 0);
        if self.state == State::Data {
            sink(Event::End)?;
        }
        self.state = State::Delimiter;
        Ok(rest)
    }

    fn behind_boundary(&mut self, byte: u8) -> Result<(), Error> {
        self.state = match (self.state, byte) {
            (State::Delimiter, b'-') => State::Hyphen,
            (State::Delimiter, b' ' | b'\t') => State::Padding(1),
            (State::Padding(spaces), b' ' | b'\t') if spaces < PADDING => State::Padding(spaces + 1),
            (State::Delimiter | State::Padding(_), b'\r') => State::Cr,
            (State::Hyphen, b'-') if self.parts > 0 => State::Closed(0),
            (State::Hyphen, b'-') => return Err(malformed("The body has no parts.")),
            (State::Closed(spaces), b' ' | b'\t') if spaces < PADDING => State::Closed(spaces + 1),
            (State::Closed(_), b'\r') => State::ClosedCr,
            (State::ClosedCr, b'\n') => {
                self.around = 0;
                State::After
            }
            (State::Cr, b'\n') if self.parts == PARTS => {
                return Err(too_large(["The body has more than ", &PARTS.to_string(), " parts."].concat(), "body"));
            }
            (State::Cr, b'\n') => {
                self.parts += 1;
                self.head.clear();
                State::Head
            }
            _ => return Err(malformed("A line begins with the boundary and goes on.")),
        };
        Ok(())
    }

    /// Lines of a part's head, up to the blank one.
    fn head<'i>(&mut self, input: &'i [u8], sink: &mut Sink<'_>) -> Result<&'i [u8], Error> {
        let end = memchr(b'\n', input).map_or(input.len(), |at| at + 1);
        let (piece, rest) = input.split_at_checked(end).unwrap_or((input, &[]));
        if self.head.len() + piece.len() > HEAD {
            let message = ["The head of a part is larger than ", &HEAD.to_string(), " bytes."].concat();
            return Err(too_large(message, "body"));
        }
        self.head.extend_from_slice(piece);
        if !piece.ends_with(b"\n") {
            return Ok(rest);
        }
        if !self.head.ends_with(b"\r\n") {
            return Err(malformed("A line in the head of a part does not end with CR and LF."));
        }
        if self.head == b"\r\n" || self.head.ends_with(b"\r\n\r\n") {
            sink(Event::Begin(part(&self.head)?))?;
            (self.state, self.matched, self.borrowed) = (State::Data, 2, 2);
        }
        Ok(rest)
    }

    /// Drops bytes that belong to no part.
    fn pass(&mut self, bytes: usize) -> Result<(), Error> {
        self.around = self.around.saturating_add(bytes);
        if self.around <= AROUND {
            return Ok(());
        }
        let message = match self.state {
            State::Before => "The first boundary is missing: the body does not begin with what the content type names.",
            _ => "Something follows the last boundary.",
        };
        Err(malformed(message))
    }
}

/// How many bytes two slices begin with alike.
fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

fn malformed(message: &'static str) -> Error {
    invalid(message, "body")
}

/// Reads a head: lines that end with CRLF, the last one blank.
fn part(head: &[u8]) -> Result<Part, Error> {
    let text = core::str::from_utf8(head).map_err(|_| malformed("The head of a part is not UTF-8."))?;
    let (mut disposition, mut content_type, mut encoding) = (None, None, None);
    let mut lines = text.split("\r\n").take_while(|line| !line.is_empty());
    let read = lines.try_for_each(|line| {
        let Some((name, value)) =
            memchr(b':', line.as_bytes()).and_then(|at| Some((line.get(..at)?, line.get(at + 1..)?)))
        else {
            return ControlFlow::Break("A header of a part is malformed.");
        };
        if !is_token(name) || value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
            return ControlFlow::Break("A header of a part is malformed.");
        }
        let place = match name.to_ascii_lowercase().as_str() {
            "content-disposition" => &mut disposition,
            "content-type" => &mut content_type,
            "content-transfer-encoding" | "content-encoding" => &mut encoding,
            _ => return ControlFlow::Continue(()),
        };
        match place.replace(value.trim_matches([' ', '\t'])) {
            None => ControlFlow::Continue(()),
            Some(_) => ControlFlow::Break("A header of a part occurs twice."),
        }
    });
    if let ControlFlow::Break(message) = read {
        return Err(malformed(message));
    }
    let encoded =
        |value: &str| !["binary", "8bit", "7bit", "identity"].iter().any(|plain| value.eq_ignore_ascii_case(plain));
    if encoding.is_some_and(encoded) {
        return Err(malformed("A part is encoded; send it as it is."));
    }
    let is_nested = |value: &str| value.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"));
    if content_type.is_some_and(is_nested) {
        return Err(malformed("A part has parts of its own; send each file as a part of the body."));
    }
    let value = disposition.and_then(Value::read).filter(|value| value.value.eq_ignore_ascii_case("form-data"));
    let value = value.ok_or_else(|| malformed("A part has no proper Content-Disposition: form-data."))?;
    let name = value.parameter("name").ok_or_else(|| malformed("A part has no name."))?;
    let filename = match value.parameter("filename*") {
        Some(name) => Some(extended(name).ok_or_else(|| malformed("A file's name is not in UTF-8."))?),
        None => value.parameter("filename").map(str::to_owned),
    };
    if name.len() > NAME || filename.as_ref().is_some_and(|name| name.len() > NAME) {
        return Err(malformed("A name is longer than 255 bytes."));
    }
    if filename.as_ref().is_some_and(|name| name.bytes().any(|byte| byte.is_ascii_control())) {
        return Err(malformed("A file's name holds control characters."));
    }
    Ok(Part { name: name.to_owned(), filename, content_type: content_type.map(str::to_owned) })
}
