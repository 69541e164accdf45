//! What the user says: a `prompt`, or `inputs` of texts and images, as the content of one chat message.

use super::image;
use crate::error::Error;
use crate::json::write::Object;
use crate::request::fault::{invalid, wrong_or_missing, wrong_type};
use crate::request::span::{Kind, Member, Span, find, items, members, string};

/// How many inputs one request may have.
pub const MOST_INPUTS: usize = 64;
/// How many of them may be images.
pub const MOST_IMAGES: usize = 16;

/// The message's content as JSON text: a string if there are only texts (models without eyes take nothing else), else parts.
///
/// A prompt beside inputs comes first.
pub(super) fn content(text: &str, prompt: Option<Member>, inputs: Option<Member>) -> Result<String, Error> {
    let prompt = match prompt {
        Some(prompt) => Some(said(text, "prompt", prompt.value)?),
        None if inputs.is_none() => return Err(wrong_or_missing("prompt", "a string", None)),
        None => None,
    };
    let Some(inputs) = inputs else { return Ok(prompt.unwrap_or_default().to_owned()) };
    if inputs.kind(text) != Kind::Array {
        return Err(wrong_type("inputs", "an array", inputs.kind(text)));
    }
    let items = items(text, inputs.value)?;
    if items.is_empty() {
        return Err(invalid("inputs", "Must not be empty."));
    }
    if items.len() > MOST_INPUTS {
        return Err(invalid("inputs", ["At most ", &MOST_INPUTS.to_string(), " inputs are allowed."].concat()));
    }
    let mut content = Content { texts: prompt.into_iter().collect(), parts: Vec::new(), images: 0 };
    if let Some(prompt) = prompt {
        content.parts.push(part("text", "text", prompt));
    }
    for (index, item) in items.into_iter().enumerate() {
        content.add(text, &["inputs[", &index.to_string(), "]"].concat(), item)?;
    }
    Ok(content.finish())
}

/// A string that is not blank, as its JSON text.
fn said<'a>(text: &'a str, param: &str, value: Span) -> Result<&'a str, Error> {
    let raw = value.of(text);
    match Kind::of(raw) {
        Kind::String if string(raw).trim().is_empty() => Err(invalid(param, "Must not be empty.")),
        Kind::String => Ok(raw),
        kind => Err(wrong_type(param, "a string", kind)),
    }
}

struct Content<'a> {
    texts: Vec<&'a str>,
    parts: Vec<String>,
    images: usize,
}

impl<'a> Content<'a> {
    fn add(&mut self, text: &'a str, path: &str, item: Span) -> Result<(), Error> {
        let kind = Kind::of(item.of(text));
        if kind != Kind::Object {
            return Err(wrong_type(path, "an object", kind));
        }
        let members = members(text, item)?;
        let field = |name: &str, expected: &str| {
            let found = find(text, &members, name);
            found.filter(|found| found.kind(text) == Kind::String).ok_or_else(|| {
                wrong_or_missing([path, ".", name].concat(), expected, found.map(|found| found.kind(text)))
            })
        };
        let tag = field("type", "a string")?;
        let data = field("data", "a string")?.value;
        let param = [path, ".data"].concat();
        if tag.says(text, "text") {
            let raw = said(text, &param, data)?;
            self.texts.push(raw);
            self.parts.push(part("text", "text", raw));
        } else if tag.says(text, "image") {
            self.images += 1;
            if self.images > MOST_IMAGES {
                return Err(invalid(path, ["At most ", &MOST_IMAGES.to_string(), " images are allowed."].concat()));
            }
            let data = string(data.of(text));
            let (kind, base64) = image::read(&param, &data)?;
            let url = ["{\"url\":\"data:", kind, ";base64,", base64, "\"}"].concat();
            self.parts.push(part("image_url", "image_url", &url));
        } else {
            return Err(invalid([path, ".type"].concat(), "Not one of text, image."));
        }
        Ok(())
    }

    fn finish(self) -> String {
        if self.images > 0 {
            return ["[", &self.parts.join(","), "]"].concat();
        }
        // JSON texts of strings, joined within their quotes.
        let inside = |raw: &'a str| raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).unwrap_or_default();
        let texts: Vec<&str> = self.texts.into_iter().map(inside).collect();
        ["\"", &texts.join("\\n"), "\""].concat()
    }
}

fn part(tag: &str, name: &str, raw: &str) -> String {
    let mut part = Object::new();
    part.string("type", tag);
    part.raw(name, raw);
    part.finish()
}
