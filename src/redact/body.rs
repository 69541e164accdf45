//! Request bodies: what of them is text is masked, structure is left alone.
//!
//! Whatever is a string is masked, unless its place is known to be structure ([`place`]): a member that nobody has heard of is text.
//! Structure are all keys, and the values of members such as `model`, `role`, `type`, ids, `stop` and the names of tools: an upstream
//! matches them, so that they stay even if something private stands there. Of JSON schemas only descriptions, titles, defaults and
//! examples are text; `enum`, `const` and property names are structure. Images, sound and files as Base64 are neither changed nor searched.
//!
//! A text that is JSON itself (tool results, the arguments of tool calls) is masked inside: its strings, with their keys as context, its
//! keys, and numbers that are private by themselves, which become strings, so that it stays JSON. Texts of different members, parts and
//! messages never join. A masked `name` of a message keeps the form of an identifier: upstreams refuse others.
//!
//! Everything else is given back byte for byte. Time is linear: a text is read once for each level of JSON in JSON, four at most.

mod hint;
mod place;
mod walk;

use super::finding::Tally;
use super::policy::Action;
use super::redactor::Redactor;
use super::restore::Sink;
use super::session::Session;
use crate::error::{Error, ErrorKind};
use crate::limits::Limits;
use crate::request::span::{Span, find, members};
pub(super) use place::is_base64;
use walk::{Hidden, Means};
pub(super) use walk::{context, passed};

/// How a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// A JSON document of any endpoint: chat, completions, embeddings, rerank, moderation, the guides' `inputs`.
    Json,
    /// The same, of Anthropic's Messages, whose word for the model stands in `system` and in no message.
    Messages,
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
    /// What that is: the keys of its kinds, each once, in order of appearance.
    pub local_entities: Vec<String>,
}

/// Masks a body.
///
/// Errors: `private_data` if the policy blocks something in it, naming the path and the entity, never the value; `invalid_request` for
/// what is not JSON or nested deeper than [`Limits::json_depth`]; `payload_too_large` over [`Limits::request_body`]. An error means that
/// nothing may go out. A path within files by line begins with the line's index: `[2].messages[0].content`.
pub fn mask(
    redactor: &Redactor,
    session: &mut Session,
    format: Format,
    body: &str,
    limits: &Limits,
    tally: &mut Tally,
) -> Result<MaskedBody, Error> {
    if body.len() > limits.request_body {
        let message = ["The body is larger than the limit of ", &limits.request_body.to_string(), " bytes."].concat();
        return Err(Error::new(ErrorKind::PayloadTooLarge, message));
    }
    let tokens = tokens(tally);
    let mut means = Means { redactor, session, tally, depth: limits.json_depth, local: Vec::new() };
    let text = match format {
        Format::Json | Format::Messages => walk::document(&mut means, body)?,
        Format::JsonLines => lines(&mut means, body)?,
        Format::Text => match means.hide(body, "") {
            Ok(text) => text,
            Err(Hidden(entity)) => return Err(means.refused(entity)),
        },
    };
    let local_entities = means.local;
    let takes_hint = matches!(format, Format::Json | Format::Messages);
    let hinted = if takes_hint && redactor.policy().hint && self::tokens(tally) > tokens {
        hint::add(text.as_deref().unwrap_or(body), redactor.policy().language, format == Format::Messages)
    } else {
        None
    };
    let text = hinted.or(text);
    Ok(MaskedBody {
        changed: text.is_some(),
        text: text.unwrap_or_else(|| body.to_owned()),
        local_only: !local_entities.is_empty(),
        local_entities,
    })
}

/// What the answer to this request is to be: JSON if it asks for that, so that values are given back with their escapes.
pub fn answer_sink(body: &str) -> Sink {
    let whole = Span { start: 0, end: body.len() };
    let inside =
        |of: Span, name: &str| find(body, &members(body, of).unwrap_or_default(), name).map(|found| found.value);
    // Of chat, and of responses.
    let format = inside(whole, "response_format").or_else(|| inside(inside(whole, "text")?, "format"));
    let tag = format.and_then(|format| inside(format, "type")).map_or("", |tag| tag.of(body));
    if tag.is_empty() || tag == "\"text\"" { Sink::Text } else { Sink::Json }
}

/// Masks JSON documents by line; a blank line is left as it is.
fn lines(means: &mut Means<'_>, body: &str) -> Result<Option<String>, Error> {
    let (mut out, mut changed) = (String::new(), false);
    for (index, line) in body.split_inclusive('\n').enumerate() {
        let masked = match line.trim_ascii().is_empty() {
            true => None,
            false => walk::document(means, line).map_err(|error| {
                let path = error.param().unwrap_or_default();
                let dot = if path.is_empty() { "" } else { "." };
                let path = ["[", &index.to_string(), "]", dot, path].concat();
                error.with_param(path)
            })?,
        };
        changed |= masked.is_some();
        out.push_str(masked.as_deref().unwrap_or(line));
    }
    Ok(changed.then_some(out))
}

fn tokens(tally: &Tally) -> u32 {
    tally.counts.iter().filter(|count| count.1 == Action::Token).fold(0, |sum, count| sum.saturating_add(count.2))
}
