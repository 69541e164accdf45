//! The event stream decoder against the standard: by vectors, by a naive reference, and by recordings, however cut.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "sse/chunks.rs"]
mod chunks;
#[path = "sse/driver.rs"]
mod driver;
#[path = "sse/reference.rs"]
mod reference;
#[path = "sse/vectors.rs"]
mod vectors;

use driver::{Seen, decode};
use proptest::prelude::*;
use sluicegate::sse::{Decoder, Item, Options};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fs;

const SEEDS: std::ops::Range<u64> = 0..32;

#[test]
fn every_vector_gives_its_items_whole() {
    let vectors = vectors::load();
    assert!(vectors.len() >= 60, "only {} vectors", vectors.len());
    let names: HashSet<&str> = vectors.iter().map(|vector| vector.name.as_str()).collect();
    assert_eq!(names.len(), vectors.len(), "names are unique");
    for vector in &vectors {
        assert_eq!(decode([vector.input.as_slice()], vector.options), vector.expected, "{}", vector.name);
    }
}

#[test]
fn every_vector_gives_its_items_byte_by_byte() {
    for vector in vectors::load() {
        assert_eq!(decode(vector.input.chunks(1), vector.options), vector.expected, "{}", vector.name);
    }
}

#[test]
fn every_vector_gives_its_items_cut_in_two_anywhere() {
    for vector in vectors::load() {
        for at in 0..=vector.input.len() {
            let (left, right) = vector.input.split_at(at);
            assert_eq!(decode([left, right], vector.options), vector.expected, "{}, cut at {at}", vector.name);
        }
    }
}

#[test]
fn every_vector_gives_its_items_in_random_pieces() {
    for vector in vectors::load() {
        for seed in SEEDS {
            let pieces = chunks::random(&vector.input, seed);
            assert_eq!(decode(pieces, vector.options), vector.expected, "{}, seed {seed}", vector.name);
        }
    }
}

#[test]
fn the_vectors_agree_with_the_reference() {
    for vector in vectors::load().iter().filter(|vector| vector.options.max_event == Options::default().max_event) {
        assert_eq!(reference::decode(&vector.input, vector.options.lenient), vector.expected, "{}", vector.name);
    }
}

#[test]
fn every_recording_is_read_to_its_end_marker_however_cut() {
    let recordings = vectors::files("recordings", "sse");
    assert!(recordings.len() >= 4);
    for path in recordings {
        let (bytes, name) = (fs::read(&path).unwrap(), path.display());
        let whole = decode([bytes.as_slice()], Options { lenient: false, ..Options::default() });
        let data: Vec<&str> = whole
            .items
            .iter()
            .map(|item| match item {
                Seen::Event { event_type, data, .. } if event_type == "message" => data.as_str(),
                other => panic!("{name}: {other:?}"),
            })
            .collect();
        let (last, parts) = data.split_last().unwrap();
        assert_eq!(*last, "[DONE]", "{name}");
        assert_eq!(data.len(), String::from_utf8(bytes.clone()).unwrap().matches("data: ").count(), "{name}");
        for part in parts {
            serde_json::from_str::<serde_json::Value>(part).unwrap_or_else(|error| panic!("{name}: {error}: {part}"));
        }
        assert_eq!(decode(bytes.chunks(1), Options::default()), whole, "{name}, byte by byte");
        for seed in SEEDS {
            assert_eq!(decode(chunks::random(&bytes, seed), Options::default()), whole, "{name}, seed {seed}");
        }
    }
}

/// The items of one chunk, each with whether its data lies in the chunk itself.
fn borrowed(decoder: &mut Decoder, chunk: &[u8]) -> Vec<(String, bool)> {
    let mut input = chunk;
    let mut seen = Vec::new();
    while let Some(item) = decoder.next_item(&mut input).unwrap() {
        let Item::Event(event) = item else { continue };
        let is_slice = matches!(event.data, Cow::Borrowed(_)) && chunk.as_ptr_range().contains(&event.data.as_ptr());
        seen.push((event.data.into_owned(), is_slice));
    }
    seen
}

#[test]
fn the_data_of_an_event_that_lies_in_the_chunk_is_not_copied() {
    for text in [
        "data: abc\n\n",
        "data:abc\r\n\r\n",
        "data: abc\r\r",
        "\u{FEFF}data: abc\n\n",
        "event: x\ndata: abc\n\n",
        "data: abc\nid: 1\nfoo: y\n\n",
        "\n\nid: 1\n\ndata: abc\n\n",
    ] {
        let mut decoder = Decoder::new(Options::default());
        for _ in 0..2 {
            assert_eq!(
                borrowed(&mut decoder, text.trim_start_matches('\u{FEFF}').as_bytes()),
                [("abc".to_owned(), true)]
            );
        }
        assert_eq!(
            borrowed(&mut Decoder::new(Options::default()), text.as_bytes()),
            [("abc".to_owned(), true)],
            "{text:?}"
        );
    }
}

#[test]
fn the_data_of_a_whole_event_behind_a_split_one_is_not_copied() {
    let mut decoder = Decoder::new(Options::default());
    assert_eq!(borrowed(&mut decoder, b"data: ab"), []);
    let rest = borrowed(&mut decoder, b"c\n\ndata: def\n\ndata: g");
    assert_eq!(rest, [("abc".to_owned(), false), ("def".to_owned(), true)]);
    assert_eq!(borrowed(&mut decoder, b"hi\n\n"), [("ghi".to_owned(), false)]);
}

#[test]
fn a_carriage_return_at_the_end_of_a_chunk_dispatches_at_once() {
    let mut decoder = Decoder::new(Options::default());
    assert_eq!(borrowed(&mut decoder, b"data: a\r\n\r").len(), 1);
    assert_eq!(borrowed(&mut decoder, b"").len(), 0);
    assert_eq!(borrowed(&mut decoder, b"\ndata: b\r").len(), 0);
    assert_eq!(borrowed(&mut decoder, b"\r").len(), 1);
}

#[test]
fn finishing_right_behind_an_event_does_not_repeat_it() {
    let mut decoder = Decoder::new(Options::default());
    assert!(matches!(decoder.next_item(&mut b"data: a\n\n".as_slice()), Ok(Some(Item::Event(_)))));
    assert_eq!(decoder.finish(), None);
    let mut decoder = Decoder::new(Options::default());
    assert_eq!(decoder.next_item(&mut b"data: a".as_slice()), Ok(None));
    assert!(matches!(decoder.next_item(&mut b"\n\n".as_slice()), Ok(Some(Item::Event(_)))));
    assert_eq!(decoder.finish(), None);
}

#[test]
fn the_end_of_each_event_in_its_chunk_is_right_behind_its_blank_line() {
    let chunk = b"data: a\r\n\r\n: c\ndata: b\r\rdata: c\n\n\ndata: d\n\r".as_slice();
    let mut decoder = Decoder::new(Options::default());
    let mut input = chunk;
    let mut ends = Vec::new();
    while let Some(item) = decoder.next_item(&mut input).unwrap() {
        ends.push((matches!(item, Item::Event(_)), chunk.len() - input.len()));
    }
    assert_eq!(ends, [(true, 11), (false, 15), (true, 24), (true, 33), (true, 43)]);
}

#[test]
fn a_retry_too_large_for_a_number_is_the_largest_number() {
    for (digits, millis) in [("18446744073709551614", u64::MAX - 1), ("18446744073709551616", u64::MAX)] {
        let line = format!("retry: {digits}\n");
        let mut decoder = Decoder::new(Options::default());
        assert_eq!(decoder.next_item(&mut line.as_bytes()), Ok(Some(Item::Retry(millis))));
    }
}

#[test]
fn an_event_of_a_megabyte_fed_byte_by_byte_comes_out_whole() {
    let data = "0123456789abcdef".repeat(1 << 16);
    let stream = format!("data: {data}\n\n");
    let outcome = decode(stream.as_bytes().chunks(1), Options::default());
    let Some(Seen::Event { data: seen, .. }) = outcome.items.first() else { panic!("no event") };
    assert!(*seen == data && outcome.items.len() == 1);
}

#[test]
fn a_megabyte_of_short_data_lines_fed_byte_by_byte_comes_out_whole() {
    let stream = "data: x\n".repeat(1 << 17) + "\n";
    let outcome = decode(stream.as_bytes().chunks(1), Options::default());
    let Some(Seen::Event { data, .. }) = outcome.items.first() else { panic!("no event") };
    assert_eq!(data.len(), (2 << 17) - 1);
}

#[test]
fn an_endless_event_is_refused_however_it_comes() {
    let options = Options { max_event: 1000, ..Options::default() };
    for part in ["data: x\n", "x", "event: x\n", "id: x\n", "foo: x\n", "data\n", "retry: x\n"] {
        for repeats in [1, 7, 400] {
            let mut decoder = Decoder::new(options);
            let chunk = part.repeat(repeats);
            let refused = (0..1001).find_map(|_| decoder.next_item(&mut chunk.as_bytes()).err());
            assert_eq!(refused.map(|error| error.code()), Some("event_too_large"), "{part:?} by {repeats}");
        }
    }
}

#[test]
fn endless_comments_and_blank_lines_are_no_error() {
    let options = Options { max_event: 100, ..Options::default() };
    let mut decoder = Decoder::new(options);
    for _ in 0..10_000 {
        assert_eq!(decoder.next_item(&mut b":xxxxxxxxx".as_slice()), Ok(None));
    }
    let mut input = b"\n:b\n\n\n\ndata: a\n\n".as_slice();
    let Ok(Some(Item::Comment(text))) = decoder.next_item(&mut input) else { panic!("no comment") };
    assert_eq!(text.len(), 100);
    assert_eq!(decoder.next_item(&mut input), Ok(Some(Item::Comment(b"b"))));
    assert!(matches!(decoder.next_item(&mut input), Ok(Some(Item::Event(_)))));
}

/// Text made of what event streams are made of, valid or not.
fn stream_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        b"\n".as_slice(),
        b"\r",
        b"\r\n",
        b"\n\n",
        b":",
        b" ",
        b"data",
        b"data: ",
        b"data:",
        b"event: ",
        b"event",
        b"id: ",
        b"id",
        b"retry: ",
        b"12",
        b"x",
        b"\0",
        b"\t",
        b"\xEF",
        b"\xBB",
        b"\xBF",
        b"\xEF\xBB\xBF",
        b"\xF0\x9F\x98\x80",
        b"\xE4\xBD",
        b"\xA0",
        b"\xED\xA0\x80",
        b"\xC0",
        b"[DONE]",
        b"{\"a\":1}",
        "\u{2028}".as_bytes(),
        b"unknown: y",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn streams() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![4 => stream_like(), 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_decoder_equals_the_reference(bytes in streams(), lenient: bool, seed: u64) {
        let options = Options { lenient, ..Options::default() };
        let expected = reference::decode(&bytes, lenient);
        prop_assert_eq!(&decode([bytes.as_slice()], options), &expected);
        prop_assert_eq!(&decode(chunks::random(&bytes, seed), options), &expected);
    }

    #[test]
    fn chunking_never_changes_output_whatever_the_bound(bytes in streams(), lenient: bool, max_event in 0_usize..60, seed: u64) {
        let options = Options { lenient, max_event };
        let whole = decode([bytes.as_slice()], options);
        prop_assert_eq!(&decode(chunks::random(&bytes, seed), options), &whole);
        prop_assert_eq!(&decode(bytes.chunks(1), options), &whole);
    }
}
