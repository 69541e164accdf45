//! `POST /v1/complete`, and a request on the socket: `prompt` or `inputs`, and the fields of a chat request.

use super::Translated;
use super::body::Source;
use crate::error::Error;
use crate::json::write::quoted;
use crate::limits::Limits;
use crate::request::span::Kind;

/// What holds where a body says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Defaults<'a> {
    /// The model.
    pub model: &'a str,
    /// Whether the answer is streamed: yes on the socket, else no.
    pub stream: bool,
}

/// The chat request that a body stands for. `stop_sequences` is another name of `stop`.
///
/// Errors: `invalid_request` with the guide's name for the field; `payload_too_large`.
pub fn translate(body: &[u8], defaults: &Defaults<'_>, limits: &Limits) -> Result<Translated, Error> {
    let source = Source::read(body, limits)?;
    let quoted = quoted(defaults.model);
    let model = source.of_kind("model", Kind::String)?.unwrap_or(&quoted);
    source.translate(model, defaults.stream, &[])
}
