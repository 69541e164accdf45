//! Events to deltas, and deltas to one whole reply with one typed end.
//!
//! [`Assembler`] takes the data of one stream event at a time and appends [`Delta`]s to a [`Deltas`] batch that the caller owns and
//! clears; nothing is allocated per event on the usual path. What it has seen so far is a [`Reply`]; when the stream is over,
//! [`Assembler::finish`] says which [`End`] it was. A stream without a finish reason is a truncation, whatever the socket says.
//!
//! [`read_body`] does the same for an unary answer, [`classify_failure`] makes one [`Error`](crate::Error) of an answer that is none,
//! and [`error_body`] is the form in which the edge passes an error on.

mod assembler;
mod body;
mod chunk;
mod delta;
mod end;
mod failure;
mod logprobs;
mod opaque;
mod parsed;
mod reader;
mod template;
mod think;
mod tool;
mod track;
mod usage;
mod whole;

pub use assembler::{Assembler, Options, Step};
pub use body::read_body;
pub use delta::{Delta, DeltaKind, Deltas, Notice, Record};
pub(crate) use end::openai_reason;
pub use end::{Budget, Cause, End, Outcome};
pub use failure::{FailureHead, RateWindow, classify_failure, error_body, error_event, rate_window, retry_after_ms};
pub use opaque::answer_type;
pub(crate) use opaque::read_opaque;
pub use reader::{Progress, Reader};
pub use think::ThinkTags;
pub use tool::ToolCall;
pub use usage::Usage;
pub use whole::{Choice, ExtraFields, Reply};

use crate::json::{cursor as json, string};
