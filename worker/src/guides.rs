//! The guides' paths: the call that every path makes, with their bodies before it and their answers behind it.

use crate::js;
use sluicegate::access::Caller;
use sluicegate::config::{Config, Models};
use sluicegate::guide::{Face, Shape, Translated, complete, infer};
use sluicegate::{Error, ErrorKind};

/// Which guide's path was asked.
pub(crate) enum Guide {
    /// `/v1/models/{model}/infer`, with the model.
    Infer(String),
    /// `/v1/complete`.
    Complete,
    /// The same, asked on a WebSocket.
    Socket,
}

impl Guide {
    /// The chat request that a body stands for.
    pub(crate) fn translate(&self, body: &[u8], caller: Option<&Caller>, config: &Config) -> Result<Translated, Error> {
        match self {
            Guide::Infer(model) => infer::translate(body, model, &config.limits()),
            Guide::Complete | Guide::Socket => {
                let model = default_model(caller, config);
                let defaults =
                    complete::Defaults { model: model.unwrap_or_default(), stream: matches!(self, Guide::Socket) };
                let translated = complete::translate(body, &defaults, &config.limits())?;
                // Nobody is asked for a model without a name.
                if model.is_none() && translated.uses_default_model() {
                    let message = "Required: the model's id, as GET /v1/models lists it.";
                    return Err(Error::new(ErrorKind::InvalidRequest, message).with_param("model"));
                }
                Ok(translated)
            }
        }
    }

    /// The shape of the answer to the request `id` for `model`.
    pub(crate) fn face(&self, id: &str, model: &str) -> Face {
        let shape = match self {
            Guide::Infer(_) => Shape::Infer,
            Guide::Complete => Shape::Complete,
            Guide::Socket => Shape::Socket,
        };
        Face::new(shape, id, model, (js::now() / 1000.0) as u64)
    }
}

/// The model for bodies that name none, as guide A's programs do: the first in the configuration that the caller may use.
fn default_model<'a>(caller: Option<&Caller>, config: &'a Config) -> Option<&'a str> {
    let listed = config.upstreams().iter().filter_map(|upstream| match upstream.models() {
        Models::Listed(models) => Some(models),
        Models::Upstream => None,
    });
    listed
        .flatten()
        .filter_map(|model| model.id())
        .find(|id| caller.is_none_or(|caller| caller.check_model(id).is_ok()))
}

/// What an answer goes through to a guide's program, beside what its errors are to be named.
pub(crate) struct Guise {
    pub(crate) face: Face,
    pub(crate) named: Translated,
}
