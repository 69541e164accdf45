//! Decides everything between an app and a large language model, and does nothing itself: no I/O, no clock, no
//! randomness, no platform crate. Bytes, times and random seeds come in as arguments; decisions come out as data.
//!
//! The modules are the stages of one call, in order:
//!
//! ```text
//! request ─▶ exchange ─▶ (a shell fetches) ─▶ sse ─▶ reply
//! build      budgets,                         bytes   events
//! validate   one typed end                    to      to deltas,
//!                                             events  usage, end
//! ```
//!
//! Two shells drive it: the browser package (`src/js`) and the edge Worker (`worker/`). A rule that either of them
//! needs belongs here, where native tests run it in virtual time.

pub mod access;
pub mod config;
pub mod dataset;
pub mod error;
pub mod exchange;
pub mod guide;
pub mod json;
pub mod limits;
pub mod quota;
pub mod redact;
pub mod reply;
pub mod request;
pub mod sse;
mod text;
pub mod time;

pub use error::{Error, ErrorKind, Party};
