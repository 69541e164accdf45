//! The JSON that goes between isolates and the object that they share: for each key an object of whole numbers, `{"key":{"name":1,…},…}`.

use crate::json::write::Object;
use crate::json::{cursor, number, string};
use core::ops::Range;

/// Such a text under construction.
pub(super) struct Sheet {
    json: Object,
    empty: bool,
}

impl Sheet {
    pub(super) fn new() -> Self {
        Sheet { json: Object::new(), empty: true }
    }

    /// The numbers of one key; those that are `None` are left out, and a key that has none is.
    pub(super) fn line(&mut self, key: &str, numbers: &[(&str, Option<u64>)]) {
        let mut line = Object::new();
        let mut empty = true;
        for (name, number) in numbers {
            if let Some(number) = number {
                line.raw(name, &number.to_string());
                empty = false;
            }
        }
        if !empty {
            self.json.raw_named(key, &line.finish());
            self.empty = false;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.empty
    }

    pub(super) fn finish(self) -> String {
        self.json.finish()
    }
}

/// The members of an object.
pub(super) struct Members<'a> {
    text: &'a str,
    entries: Vec<(Range<usize>, Range<usize>)>,
}

impl<'a> Members<'a> {
    pub(super) fn read(text: &'a str) -> Option<Self> {
        cursor::entries(text).map(|entries| Members { text, entries })
    }

    fn pairs(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let of = |range: &Range<usize>| self.text.get(range.clone()).unwrap_or_default();
        self.entries.iter().map(move |(key, value)| (of(key), of(value)))
    }

    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        self.pairs().find(|(key, _)| string::body(key) == Some(name)).map(|(_, value)| value)
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.raw(name).and_then(number::count)
    }
}

/// The lines of a sheet. What is malformed is left out: the other side is of another version at worst.
pub(super) fn lines(text: &str) -> Vec<(String, Members<'_>)> {
    let Some(sheet) = Members::read(text) else { return Vec::new() };
    sheet.pairs().filter_map(|(key, value)| Some((string::read(key)?, Members::read(value)?))).collect()
}
