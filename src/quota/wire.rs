//! What purses and ledgers say to each other: JSON texts that shells carry. Lines are arrays, a text and numbers.
//!
//! `gross` and `back` only ever grow within a window, and each side keeps the greater: so messages may be lost, come twice or in any order,
//! and none is ever counted twice. What a purse holds is `gross - back`.

use super::unit::Unit;
use crate::json::cursor::{Cursor, Read};
use crate::json::write::{Object, push_quoted};
use crate::json::{number, string};

/// Most lines of one message.
pub(super) const LINES: usize = 64;
/// Longest scope and longest name of a purse, in bytes.
pub(super) const TEXT_BYTES: usize = 320;

/// One line of what a purse tells and asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) scope: String,
    pub(super) unit: Unit,
    pub(super) start: u64,
    pub(super) limit: u64,
    pub(super) gross: u64,
    pub(super) back: u64,
    /// Settled use and open reservations.
    pub(super) used: u64,
    pub(super) open: u64,
    /// To what `gross` must be raised for anything to be let in, 0 if nothing waits; to what for all that waits; and to what it should be.
    pub(super) least: u64,
    pub(super) need: u64,
    pub(super) want: u64,
}

/// One line of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) scope: String,
    pub(super) unit: Unit,
    pub(super) start: u64,
    pub(super) gross: u64,
    /// What the ledger could give now, and what it could give at most in this window whatever becomes of open reservations.
    pub(super) left: u64,
    pub(super) never: u64,
}

/// A message, either way.
#[derive(Debug)]
pub(super) struct Message<T> {
    pub(super) from: String,
    pub(super) seq: u64,
    /// The sender's time; in an answer also that of the message which it answers.
    pub(super) now: u64,
    pub(super) at: u64,
    pub(super) lines: Vec<T>,
}

pub(super) trait Line: Sized {
    fn write(&self) -> (&str, Unit, Vec<u64>);
    fn read(scope: String, unit: Unit, numbers: &[u64]) -> Option<Self>;
}

impl Line for Told {
    fn write(&self) -> (&str, Unit, Vec<u64>) {
        let numbers =
            [self.start, self.limit, self.gross, self.back, self.used, self.open, self.least, self.need, self.want];
        (&self.scope, self.unit, numbers.to_vec())
    }

    fn read(scope: String, unit: Unit, numbers: &[u64]) -> Option<Self> {
        let [start, limit, gross, back, used, open, least, need, want] = *numbers else { return None };
        Some(Told { scope, unit, start, limit, gross, back, used, open, least, need, want })
    }
}

impl Line for Given {
    fn write(&self) -> (&str, Unit, Vec<u64>) {
        (&self.scope, self.unit, vec![self.start, self.gross, self.left, self.never])
    }

    fn read(scope: String, unit: Unit, numbers: &[u64]) -> Option<Self> {
        let [start, gross, left, never] = *numbers else { return None };
        Some(Given { scope, unit, start, gross, left, never })
    }
}

impl<T: Line> Message<T> {
    pub(super) fn write(&self) -> String {
        let mut json = Object::new();
        json.string("from", &self.from);
        json.number("seq", self.seq);
        json.number("now", self.now);
        json.number("at", self.at);
        let mut lines = String::from("[");
        for line in &self.lines {
            let (scope, unit, numbers) = line.write();
            lines.push_str(if lines.len() > 1 { ",[" } else { "[" });
            push_quoted(&mut lines, scope);
            for number in core::iter::once(unit as u64).chain(numbers) {
                lines.push(',');
                lines.push_str(&number.to_string());
            }
            lines.push(']');
        }
        lines.push(']');
        json.raw("lines", &lines);
        json.finish()
    }

    /// `None` for what is no message; lines that are none are left out.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut message = Message { from: String::new(), seq: 0, now: 0, at: 0, lines: Vec::new() };
        let mut cursor = Cursor::new(text);
        cursor.object(&mut |cursor, name| {
            let raw = <&str>::read(cursor)?;
            match &*name {
                "from" => message.from = string::read(raw).filter(|from| from.len() <= TEXT_BYTES)?,
                "seq" => message.seq = whole(raw)?,
                "now" => message.now = whole(raw)?,
                "at" => message.at = whole(raw)?,
                "lines" => message.lines = rows(raw)?,
                _ => {}
            }
            Some(())
        })?;
        (cursor.peek().is_none() && !message.from.is_empty()).then_some(message)
    }
}

fn rows<T: Line>(raw: &str) -> Option<Vec<T>> {
    let rows: Vec<Vec<&str>> = crate::json::cursor::parse(raw)?;
    Some(rows.iter().take(LINES).filter_map(|row| line(row)).collect())
}

fn line<T: Line>(row: &[&str]) -> Option<T> {
    let (scope, rest) = row.split_first()?;
    let scope = string::read(scope).filter(|scope| scope.len() <= TEXT_BYTES)?;
    let (unit, rest) = rest.split_first()?;
    let numbers: Option<Vec<u64>> = rest.iter().map(|raw| whole(raw)).collect();
    T::read(scope, Unit::of(whole(unit)?)?, &numbers?)
}

/// A whole number as we write it, far from where sums would overflow.
pub(super) fn whole(raw: &str) -> Option<u64> {
    let digits = raw.bytes().all(|byte| byte.is_ascii_digit());
    if digits { number::count(raw).filter(|number| *number <= 1 << 62) } else { None }
}
