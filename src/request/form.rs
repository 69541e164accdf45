//! A form with a file: the body of transcriptions and translations.
//!
//! It is read once and written anew, fields first, so that an upstream finds the parts that were checked and no others. The fields are
//! kept as a JSON object besides, so that all rules for fields hold for them too; a list (`name[]`) is not among them.

use super::fault::invalid;
use super::span::{Member, Span, quoted};
use super::span::{find, members, string};
use crate::dataset::{Event, Multipart, Part};
use crate::error::{Error, ErrorKind};
use crate::limits::Limits;
use std::sync::Arc;

/// A field's text, in bytes.
const FIELD: usize = 64 << 10;
/// What the heads of a form usually come to, in bytes.
const HEADS: usize = 4 << 10;

/// A form that has been read.
#[derive(Clone)]
pub(crate) struct Form {
    boundary: String,
    /// Names and texts, in order.
    fields: Vec<(String, String)>,
    /// The parts of files as they are sent: heads, contents, boundaries.
    files: Arc<Vec<u8>>,
}

/// What is being read.
enum Open {
    Nothing,
    Field(String, Vec<u8>),
    /// Where the file's content begins in what is written.
    File(usize),
}

impl Form {
    /// Reads a form of this content type.
    ///
    /// Errors: `payload_too_large` over [`Limits::audio_body`]; `unsupported_media_type` for what is no form; `invalid_request` for one that
    /// is malformed or cut off, a field twice, a text that is not UTF-8, no `file` or more than one.
    pub(crate) fn read(content_type: &str, body: &[u8], limits: &Limits) -> Result<Form, Error> {
        if body.len() > limits.audio_body {
            let message = format!("The body is larger than the limit of {} bytes.", limits.audio_body);
            return Err(Error::new(ErrorKind::PayloadTooLarge, message));
        }
        let mut parser = Multipart::new(content_type)?;
        // The caller's own: it does not occur in what it parts.
        let boundary = parser.separator().to_owned();
        let mut reading =
            Reading { boundary: &boundary, open: Open::Nothing, fields: Vec::new(), files: Vec::new(), count: 0 };
        // Once, and not by doubling: it may be as large as an isolate bears.
        reading.files.reserve_exact(body.len() + HEADS);
        parser.push(body, &mut |event| reading.take(event))?;
        parser.finish()?;
        let Reading { fields, files, count, .. } = reading;
        if count == 0 {
            return Err(invalid("file", "Required: a file."));
        }
        Ok(Form { boundary, fields, files: Arc::new(files) })
    }

    /// The fields as a JSON object.
    pub(crate) fn to_json(&self) -> String {
        let mut text = "{".to_owned();
        for (name, value) in self.fields.iter().filter(|(name, _)| !name.ends_with("[]")) {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&quoted(name));
            text.push(':');
            text.push_str(&quoted(value));
        }
        text.push('}');
        text
    }

    /// The form with the texts of such an object in the place of its own.
    pub(crate) fn with_json(mut self, text: &str) -> Result<Form, Error> {
        let members: Vec<Member> = members(text, Span { start: 0, end: text.len() })?;
        for (name, value) in &mut self.fields {
            if let Some(member) = find(text, &members, name) {
                *value = string(member.value.of(text)).into_owned();
            }
        }
        Ok(self)
    }

    /// The content type and the body, with another model's id.
    pub(crate) fn write(&self, model: &str) -> (String, Vec<u8>) {
        let mut body = Vec::with_capacity(self.files.len() + HEADS);
        let mut field = |name: &str, value: &str| {
            for part in [
                "--",
                &self.boundary,
                "\r\nContent-Disposition: form-data; name=\"",
                &escaped(name),
                "\"\r\n\r\n",
                value,
                "\r\n",
            ] {
                body.extend_from_slice(part.as_bytes());
            }
        };
        field("model", model);
        for (name, value) in self.fields.iter().filter(|(name, _)| name != "model") {
            field(name, value);
        }
        body.extend_from_slice(&self.files);
        for part in ["--", &self.boundary, "--\r\n"] {
            body.extend_from_slice(part.as_bytes());
        }
        let is_token =
            self.boundary.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
        let quote = if is_token { "" } else { "\"" };
        (["multipart/form-data; boundary=", quote, &self.boundary, quote].concat(), body)
    }
}

struct Reading<'a> {
    boundary: &'a str,
    open: Open,
    fields: Vec<(String, String)>,
    files: Vec<u8>,
    count: usize,
}

impl Reading<'_> {
    fn take(&mut self, event: Event<'_>) -> Result<(), Error> {
        match (event, &mut self.open) {
            (Event::Begin(part), _) => self.begin(part)?,
            (Event::Data(bytes), Open::Field(name, value)) => {
                if value.len() + bytes.len() > FIELD {
                    return Err(invalid(crate::json::shown_key(name), "The text of a field is larger than 64 KB."));
                }
                value.extend_from_slice(bytes);
            }
            (Event::Data(bytes), _) => self.files.extend_from_slice(bytes),
            (Event::End, _) => self.end()?,
        }
        Ok(())
    }

    fn begin(&mut self, part: Part) -> Result<(), Error> {
        let Part { name, filename, content_type } = part;
        let Some(filename) = filename else {
            let is_list = name.ends_with("[]");
            if !is_list && self.fields.iter().any(|(known, _)| *known == name) {
                return Err(invalid(crate::json::shown_key(&name), "The field occurs twice."));
            }
            self.open = Open::Field(name, Vec::new());
            return Ok(());
        };
        if name != "file" || self.count > 0 {
            return Err(invalid("file", "Expected one file, in the field file."));
        }
        self.count += 1;
        for text in [
            "--",
            self.boundary,
            "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"",
            &escaped(&filename),
            "\"\r\n",
        ] {
            self.files.extend_from_slice(text.as_bytes());
        }
        let is_plain = |byte: u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'+' | b'-' | b';' | b'=' | b' ' | b'_')
        };
        if let Some(kind) = content_type.filter(|kind| kind.len() <= 128 && kind.bytes().all(is_plain)) {
            for text in ["Content-Type: ", &kind, "\r\n"] {
                self.files.extend_from_slice(text.as_bytes());
            }
        }
        self.files.extend_from_slice(b"\r\n");
        self.open = Open::File(self.files.len());
        Ok(())
    }

    fn end(&mut self) -> Result<(), Error> {
        match core::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing => {}
            Open::Field(name, value) => {
                let value = String::from_utf8(value)
                    .map_err(|_| invalid(crate::json::shown_key(&name), "The text of a field is not UTF-8."))?;
                self.fields.push((name, value));
            }
            Open::File(start) if start == self.files.len() => return Err(invalid("file", "Must not be empty.")),
            Open::File(_) => self.files.extend_from_slice(b"\r\n"),
        }
        Ok(())
    }
}

/// As browsers write names.
fn escaped(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '"' => escaped.push_str("%22"),
            '\r' => escaped.push_str("%0D"),
            '\n' => escaped.push_str("%0A"),
            c => escaped.push(c),
        }
    }
    escaped
}
