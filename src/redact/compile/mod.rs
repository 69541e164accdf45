//! Patterns to one automaton: a small regular language over characters, made deterministic and minimal.
//!
//! The build script runs this over the built-in rules, so that what ships is tables; a policy's own rules go through the same code when
//! a redactor is made. A pattern is a regular expression without look-around or captures: literals, `\d` (ASCII and Chinese digits),
//! `\w` (`[0-9A-Za-z_]`), `\a` (`[A-Za-z]`), `\x` (lower-case hex), `\h` (Han), `\p` (other letters than ASCII's), `\s`, `.`, classes `[…]`,
//! groups, `|`, `?`, `*`, `+`, `{m}`, `{m,n}`. What stands on either side of a match is part of the automaton: one character before and
//! one after it, or the edge of the text.

mod dfa;
mod parse;
mod set;

pub(crate) use dfa::{DEAD, Dfa, Input, build};
pub(crate) use parse::parse;
pub(crate) use set::{EDGE, Set, in_order};

/// Why a pattern is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Not in the language; at which character.
    Syntax(usize),
    /// It matches the empty text.
    Empty,
    /// Too many states.
    TooLarge,
}

/// A pattern's tree.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Set(Set),
    Sequence(Vec<Node>),
    Either(Vec<Node>),
    /// At least, at most; `u16::MAX`: without end.
    Repeat(Box<Node>, u16, u16),
}
