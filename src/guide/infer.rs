//! `POST /v1/models/{model}/infer`: the parameter matrix of the R1 guide.
//!
//! | field | values | without it |
//! |---|---|---|
//! | `prompt` | a string that is not empty; or `inputs` | refused |
//! | `temperature` | 0 to 1 | 0.7 |
//! | `max_tokens` | 1 to 393,216, the largest output of any model that we know of | 2048 |
//! | `top_p` | over 0, up to 1 | 0.9 |
//! | `stop_sequences` | up to 16 strings, or as few as the upstream takes | none |
//! | `stream` | true or false | false |
//! | `preset` | `creative`, `reasoning`, `realtime` | none; what it sets takes the place of the defaults |
//! | `model` | the model in the path | the model in the path |

use super::Translated;
use super::body::Source;
use crate::error::Error;
use crate::json::number::scaled;
use crate::json::write::quoted;
use crate::limits::Limits;
use crate::request::fault::invalid;
use crate::request::span::{Kind, string};

const MOST_TOKENS: u32 = 393_216;

const DEFAULTS: &[(&str, &str)] = &[("temperature", "0.7"), ("max_tokens", "2048"), ("top_p", "0.9")];

/// The chat request that a body for `model`, the one in the path, stands for.
///
/// Errors: `invalid_request` with the guide's name for the field; `payload_too_large`.
pub fn translate(body: &[u8], model: &str, limits: &Limits) -> Result<Translated, Error> {
    let source = Source::read(body, limits)?;
    if let Some(said) = source.of_kind("model", Kind::String)?
        && string(said) != model
    {
        return Err(invalid("model", "Must be the model in the path, or left out."));
    }
    fraction(&source, "temperature", false, "Must be a number from 0 to 1.")?;
    fraction(&source, "top_p", true, "Must be a number over 0 and up to 1.")?;
    if let Some(tokens) = source.of_kind("max_tokens", Kind::Number)?
        && !tokens.parse::<u32>().is_ok_and(|tokens| (1..=MOST_TOKENS).contains(&tokens))
    {
        return Err(invalid("max_tokens", ["Must be an integer from 1 to ", &MOST_TOKENS.to_string(), "."].concat()));
    }
    source.translate(&quoted(model), false, DEFAULTS)
}

fn fraction(source: &Source<'_>, name: &str, above_zero: bool, message: &'static str) -> Result<(), Error> {
    const PLACES: u8 = 15;
    const ONE: u64 = 10u64.pow(PLACES as u32);
    let Some(number) = source.of_kind(name, Kind::Number)? else { return Ok(()) };
    let size = match number.strip_prefix('-') {
        // Minus zero.
        Some(size) => scaled(size, PLACES).filter(|size| *size == 0),
        None => scaled(number, PLACES),
    };
    match size {
        Some(size) if size <= ONE && (size > 0 || !above_zero) => Ok(()),
        _ => Err(invalid(name, message)),
    }
}
