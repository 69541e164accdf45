//! Events to deltas, and deltas to one whole reply with one typed end.
//!
//! [`Assembler`] takes the data of one stream event at a time and appends [`Delta`]s to a [`Deltas`] batch that the caller owns and
//! clears; nothing is allocated per event on the usual path. What it has seen so far is a [`Reply`]; when the stream is over,
//! [`Assembler::finish`] says which [`End`] it was. A stream without a finish reason is a truncation, whatever the socket says.

mod delta;
mod end;

pub use delta::{Delta, DeltaKind, Deltas, Notice, Record};
pub use end::{Budget, End, Outcome};
