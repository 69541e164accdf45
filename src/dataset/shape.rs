//! What one line may be: the shapes of training examples, as data.

use super::jsonl::Wrong;
use crate::error::Error;
use crate::limits::Limits;
use crate::request::read_messages;
use crate::request::span::{Kind, Member, Span, find, members};

/// The shape of all lines of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// `{"messages": […]}`, the conversations of chat models.
    Messages,
    /// `{"prompt", "chosen", "rejected"}`, two answers of which one is the better.
    Preference,
    /// `{"prompt", "completion"}`.
    Completion,
    /// `{"prompt", "response"}`.
    Response,
    /// `{"instruction", "output"}`, with an `input` or without.
    Instruction,
    /// `{"text"}`.
    Text,
}

struct Row {
    shape: Shape,
    name: &'static str,
    /// Fields that a line has: texts, but for `messages`. Of those marked, an empty one would teach nothing.
    required: &'static [(&'static str, bool)],
    optional: &'static [&'static str],
}

const MAY_BE_EMPTY: bool = false;
const NOT_EMPTY: bool = true;

/// The first row that fits a file's first line is the file's.
const ROWS: [Row; 6] = [
    Row { shape: Shape::Messages, name: "messages", required: &[("messages", NOT_EMPTY)], optional: &[] },
    Row {
        shape: Shape::Preference,
        name: "preference",
        required: &[("prompt", MAY_BE_EMPTY), ("chosen", NOT_EMPTY), ("rejected", NOT_EMPTY)],
        optional: &[],
    },
    Row {
        shape: Shape::Completion,
        name: "completion",
        required: &[("prompt", MAY_BE_EMPTY), ("completion", NOT_EMPTY)],
        optional: &[],
    },
    Row {
        shape: Shape::Response,
        name: "response",
        required: &[("prompt", MAY_BE_EMPTY), ("response", NOT_EMPTY)],
        optional: &[],
    },
    Row {
        shape: Shape::Instruction,
        name: "instruction",
        required: &[("instruction", NOT_EMPTY), ("output", NOT_EMPTY)],
        optional: &["input"],
    },
    Row { shape: Shape::Text, name: "text", required: &[("text", NOT_EMPTY)], optional: &[] },
];

/// In the order of the rows.
const EXPECTED: &str =
    "Expected messages, prompt and completion (or response, or chosen and rejected), instruction and output, or text";

impl Shape {
    /// A word for it: `messages`, `preference`, `completion`, `response`, `instruction`, `text`.
    pub fn as_str(self) -> &'static str {
        self.row().map_or("", |row| row.name)
    }

    fn row(self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.shape == self)
    }
}

/// Judges a document that is strict JSON; `shape` is that of the lines before it.
pub(super) fn judge(text: &str, shape: Option<Shape>, limits: &Limits) -> Result<Shape, Wrong> {
    let kind = Kind::of(text);
    if kind != Kind::Object {
        return Err(Wrong::new("", ["Expected an object, found ", kind.name()].concat()));
    }
    let members = members(text, Span { start: 0, end: text.len() }).map_err(wrong)?;
    let row = match shape.and_then(Shape::row) {
        Some(row) if row.fits(text, &members) => row,
        Some(row) => match ROWS.iter().find(|other| other.fits(text, &members)) {
            Some(_) => return Err(Wrong::new("", ["Has another shape than the lines before, ", row.name].concat())),
            None => row,
        },
        None => {
            let touches = |row: &&Row| row.required.iter().any(|(name, _)| find(text, &members, name).is_some());
            let row = ROWS.iter().find(|row| row.fits(text, &members));
            // Of a line that lacks something, the shape that most have: `prompt` alone lacks a completion.
            let near = |row: &&Row| row.shape != Shape::Preference && touches(row);
            let row = row.or_else(|| ROWS.iter().find(near)).or_else(|| ROWS.iter().find(touches));
            row.ok_or_else(|| Wrong::new("", EXPECTED.to_owned()))?
        }
    };
    row.check(text, &members, limits)?;
    Ok(row.shape)
}

impl Row {
    /// Whether all is there that the shape needs, of whatever type.
    fn fits(&self, text: &str, members: &[Member]) -> bool {
        self.required.iter().all(|(name, _)| find(text, members, name).is_some())
    }

    fn check(&self, text: &str, members: &[Member], limits: &Limits) -> Result<(), Wrong> {
        if self.shape == Shape::Messages {
            return read_messages(text, find(text, members, "messages"), limits).map(drop).map_err(wrong);
        }
        for &(name, not_empty) in self.required {
            let member = find(text, members, name).ok_or_else(|| Wrong::new(name, "Required: a string".to_owned()))?;
            is_string(text, name, member)?;
            if not_empty && member.says(text, "") {
                return Err(Wrong::new(name, "Must not be empty".to_owned()));
            }
        }
        let optional = self.optional.iter().filter_map(|name| Some((*name, find(text, members, name)?)));
        optional.into_iter().try_for_each(|(name, member)| is_string(text, name, member))
    }
}

fn is_string(text: &str, name: &str, member: Member) -> Result<(), Wrong> {
    match member.kind(text) {
        Kind::String => Ok(()),
        kind => Err(Wrong::new(name, ["Expected a string, found ", kind.name()].concat())),
    }
}

fn wrong(error: Error) -> Wrong {
    Wrong::new(error.param().unwrap_or_default(), error.message().trim_end_matches('.').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_has_its_row_and_its_own_name() {
        for (index, row) in ROWS.iter().enumerate() {
            assert_eq!(row.shape.as_str(), row.name);
            assert!(ROWS.iter().skip(index + 1).all(|other| other.name != row.name && other.shape != row.shape));
            let first = row.required.first().map_or("", |(name, _)| name);
            assert!(EXPECTED.contains(first), "{first}");
        }
    }
}
