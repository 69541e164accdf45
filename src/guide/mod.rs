//! The wire formats of two guides for R1-class models, as stages of bytes around the usual pipeline: their bodies become chat bodies on
//! the way in, the answers get their shapes on the way out. What lies between (checks, limits, redaction, recovery) knows nothing of it.
//!
//! ```text
//! infer, complete, batch ─▶ a chat body ─▶ request … exchange … redaction ─▶ Face ─▶ the guide's JSON, events or messages
//! socket::Session        ─▶ bodies of complete, one after the other          ─▶ Face ─▶ messages
//! ```
//!
//! Errors name the guide's fields. Fields that a guide does not know are those of a chat request and mean what they mean there; checks
//! that hold for all requests are left to [`Request::parse`](crate::request::Request::parse).

pub mod batch;
mod body;
pub mod complete;
mod face;
mod image;
pub mod infer;
mod inputs;
mod message;
pub mod socket;

pub use body::Translated;
pub use face::{Face, Shape};
pub use image::IMAGE_BYTES;
pub use inputs::{MOST_IMAGES, MOST_INPUTS};
