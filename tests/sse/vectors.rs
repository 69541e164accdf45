//! Reads `vectors/sse`, described in the README there.

use super::driver::{Outcome, Seen};
use serde::Deserialize;
use sluicegate::sse::Options;
use std::fs;
use std::path::{Path, PathBuf};

/// A case, ready to run.
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) input: Vec<u8>,
    pub(crate) options: Options,
    pub(crate) expected: Outcome,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVector {
    name: String,
    input: Option<String>,
    input_base64: Option<String>,
    #[serde(default)]
    options: RawOptions,
    items: Vec<RawItem>,
    error: Option<String>,
    #[serde(default)]
    last_event_id: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOptions {
    lenient: Option<bool>,
    max_event: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
enum RawItem {
    Event(RawEvent),
    Comment(String),
    Retry(u64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEvent {
    r#type: String,
    data: String,
    #[serde(default)]
    id: String,
    terminated: Option<bool>,
}

pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)
}

/// The files of a folder of vectors with this extension, in a stable order.
pub(crate) fn files(name: &str, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    files.sort();
    files
}

pub(crate) fn load() -> Vec<Vector> {
    let mut vectors = Vec::new();
    for file in files("sse", "json") {
        let raw: Vec<RawVector> = serde_json::from_slice(&fs::read(&file).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        vectors.extend(raw.into_iter().map(Vector::from));
    }
    vectors
}

impl From<RawVector> for Vector {
    fn from(raw: RawVector) -> Vector {
        let input = match (raw.input, raw.input_base64) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(text)) => from_base64(&text),
            _ => panic!("{}: needs `input` or `input_base64`, not both", raw.name),
        };
        let defaults = Options::default();
        let options = Options {
            max_event: raw.options.max_event.unwrap_or(defaults.max_event),
            lenient: raw.options.lenient.unwrap_or(defaults.lenient),
        };
        let items = raw.items.into_iter().map(Seen::from).collect();
        let expected = Outcome { items, error: raw.error, last_event_id: raw.last_event_id };
        Vector { name: raw.name, input, options, expected }
    }
}

impl From<RawItem> for Seen {
    fn from(raw: RawItem) -> Seen {
        match raw {
            RawItem::Comment(text) => Seen::Comment(text),
            RawItem::Retry(millis) => Seen::Retry(millis),
            RawItem::Event(event) => Seen::Event {
                event_type: event.r#type,
                data: event.data,
                id: event.id,
                terminated: event.terminated.unwrap_or(true),
            },
        }
    }
}

fn from_base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for character in text.trim_end_matches('=').bytes() {
        let digit = ALPHABET.iter().position(|&letter| letter == character).expect("base64");
        bits = bits << 6 | digit as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    bytes
}
