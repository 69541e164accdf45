//! Strings of a JSON text in the place of others; everything else byte for byte.

use super::found::{Found, Reading};
use crate::json::write::push_quoted;
use crate::request::span::Span;

/// Strings to be put in the place of others, in order.
#[derive(Default)]
pub(super) struct Edit {
    pub(super) changes: Vec<(Span, String)>,
    choices: Vec<u32>,
}

impl Edit {
    pub(super) fn replace(&mut self, found: &Found, with: &str) {
        let mut json = String::with_capacity(with.len() + 2);
        push_quoted(&mut json, with);
        self.changes.push((found.span, json));
        self.choices.push(found.key.choice);
    }

    /// Leaves the tokens of changed texts out, where something is to be hidden.
    pub(super) fn logprobs(&mut self, reading: &Reading, hides: bool, text: &str) {
        for (choice, span) in reading.logprobs.iter().filter(|_| hides) {
            if self.choices.contains(choice) {
                let none = if span.of(text).starts_with('[') { "[]" } else { "null" };
                let at =
                    self.changes.iter().position(|(other, _)| other.start > span.start).unwrap_or(self.changes.len());
                self.changes.insert(at, (*span, none.to_owned()));
            }
        }
    }

    pub(super) fn write(&self, text: &str, out: &mut String) {
        let mut done = 0;
        for (span, with) in &self.changes {
            out.push_str(text.get(done..span.start).unwrap_or_default());
            out.push_str(with);
            done = span.end;
        }
        out.push_str(text.get(done..).unwrap_or_default());
    }
}
