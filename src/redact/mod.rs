//! What is private in a text: finding it, hiding it before it leaves, and giving it back in the answer.
//!
//! ```text
//! symbol ─▶ compile ─▶ scan ─▶ mask ─▶ body          session ─▶ restore ─▶ wire
//! one form   patterns   who     what    where in      what a      tokens     where in
//! for all    to one     starts  goes    a request     token       to values  an answer
//! writings   automaton  where   out                   stands for
//! ```
//!
//! Everything is a stream: [`Masker`] and [`Restorer`] take a text in pieces of any size and say the same as for the whole of it. What
//! they hold back is derived from the automaton that detects, so that nothing that may still become private has gone out, and nothing
//! else waits.

mod alphabet;
mod assemble;
mod automaton;
pub mod body;
mod check;
mod compile;
mod entity;
mod finding;
mod machine;
mod mask;
pub mod ner;
mod policy;
mod redactor;
mod restore;
mod rules;
mod scan;
mod session;
mod symbol;
mod verify;
pub mod wire;
mod words;

pub use entity::{Entity, Pack};
pub use finding::{Finding, Tally};
pub use mask::Masker;
pub use policy::{Action, Answers, CustomRule, Language, Mode, Policy, Restoring};
pub use redactor::{Masked, Redactor};
pub use restore::{Restorer, Sink};
pub use session::Session;
