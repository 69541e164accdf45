//! A stream's log: numbers that a conformant reader agrees with, whatever the chunks, and no event twice or lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use sluicegate::ErrorKind;
use sluicegate::exchange::{Log, LogLimits};
use sluicegate::sse::{Decoder, Item, Options};

const NO_READER: u64 = u64::MAX;

/// Streams, and how many events a log numbers in each.
const STREAMS: &[(&str, &str, u64)] = &[
    ("nothing", "", 0),
    ("line feeds", "data: a\n\ndata: b\n\ndata: [DONE]\n\n", 3),
    ("both", "data: a\r\n\r\ndata: b\r\n\r\n", 2),
    ("carriage returns", "data: a\r\rdata: b\r\r", 2),
    ("mixed ends", "data: a\r\n\ndata: b\n\r\ndata: c\r\n\rdata: d\n\n", 4),
    ("keep-alive comments between events", ": keep-alive\n\ndata: a\n\n:\n\n: x\r\n\r\ndata: b\n\n:\n\n", 2),
    ("comments inside an event", "data: a\n: between\ndata: b\n\n", 1),
    ("a comment right before an event", ": head\ndata: a\n\n", 1),
    ("blank lines by themselves", "\n\n\ndata: a\n\n\n\r\n\rdata: b\n\n", 2),
    ("ids of the upstream's own", "id: 77\ndata: a\n\ndata: b\nid\n\ndata: c\nid:x\n\n", 3),
    ("types and reconnection times", "event: error\ndata: a\n\nretry: 10\ndata: b\n\n", 2),
    ("a byte order mark", "\u{feff}data: a\n\ndata: b\n\n", 2),
    ("half a byte order mark", "\u{fec0}x: 1\ndata: a\n\ndata: b\n\n", 2),
    ("an unfinished event at the end", "data: a\n\ndata: b\nda", 1),
    ("text of several bytes a character", "data: 你好\n\ndata: 🙂\n\n", 2),
];

/// What a conformant reader gets: type, data and last event id of each event.
fn events(bytes: &[u8]) -> Vec<(String, String, String)> {
    let mut decoder = Decoder::new(Options { lenient: false, ..Options::default() });
    let mut input = bytes;
    let mut list = Vec::new();
    loop {
        match decoder.next_item(&mut input).unwrap() {
            None => return list,
            Some(Item::Event(event)) => {
                let (event_type, data) = (event.event_type.into_owned(), event.data.into_owned());
                list.push((event_type, data, decoder.last_event_id().to_owned()));
            }
            Some(_) => {}
        }
    }
}

fn logged<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Log {
    let mut log = Log::new(LogLimits::default());
    for chunk in chunks {
        log.append(NO_READER, chunk);
    }
    log
}

fn all(log: &Log) -> &[u8] {
    log.read(0, usize::MAX)
}

#[test]
fn a_reader_sees_the_same_events_numbered_from_one() {
    for (name, stream, count) in STREAMS {
        let log = logged([stream.as_bytes()]);
        assert_eq!(log.last(), *count, "{name}");
        let (seen, plain) = (events(all(&log)), events(stream.as_bytes()));
        assert_eq!(seen.len(), plain.len(), "{name}");
        for (at, (seen, plain)) in seen.iter().zip(&plain).enumerate() {
            assert_eq!((&seen.0, &seen.1), (&plain.0, &plain.1), "{name}");
            assert_eq!(seen.2, (at + 1).to_string(), "{name}");
        }
    }
}

#[test]
fn the_log_is_the_same_however_the_stream_is_cut() {
    for (name, stream, _) in STREAMS {
        let stream = stream.as_bytes();
        let whole = logged([stream]);
        assert_eq!(all(&whole), all(&logged(stream.chunks(1))), "{name}, byte by byte");
        for at in 0..=stream.len() {
            let (left, right) = stream.split_at(at);
            assert_eq!(all(&whole), all(&logged([left, right])), "{name}, cut at {at}");
        }
    }
}

#[test]
fn whoever_has_event_n_gets_the_next_one_and_nothing_twice() {
    for (name, stream, count) in STREAMS {
        let log = logged([stream.as_bytes()]);
        let whole = events(all(&log));
        for number in 0..=*count {
            let at = log.after(number).unwrap();
            assert_eq!(events(log.read(at, usize::MAX)), whole[usize::try_from(number).unwrap()..], "{name}, {number}");
        }
    }
}

#[test]
fn a_number_that_has_not_come_is_the_caller_s_fault() {
    let log = logged([b"data: a\n\n".as_slice()]);
    assert_eq!(log.after(2).unwrap_err().kind(), ErrorKind::InvalidRequest);
}

#[test]
fn over_its_bytes_the_oldest_events_go_and_asking_for_them_is_an_error() {
    let mut log = Log::new(LogLimits { bytes: 100, events: 1_000 });
    for _ in 0..50 {
        log.append(NO_READER, b"data: twenty bytes..\n\n");
        assert!(all_kept(&log) <= 100);
    }
    assert_eq!(log.last(), 50);
    let oldest = (0..=50).find(|number| log.after(*number).is_ok()).unwrap();
    assert!(oldest > 40 && oldest < 49, "{oldest}");
    for number in 0..oldest {
        let error = log.after(number).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StreamGone);
        assert_eq!(error.param(), Some("last-event-id"));
    }
    let rest = events(log.read(log.after(oldest).unwrap(), usize::MAX));
    assert_eq!(rest.first().unwrap().2, (oldest + 1).to_string());
    assert_eq!(rest.last().unwrap().2, "50");
    assert_eq!(log.read(0, usize::MAX), b"", "what is dropped is not read");
}

/// How many bytes a log has from its oldest event on.
fn all_kept(log: &Log) -> u64 {
    let oldest = (0..=log.last()).find_map(|number| log.after(number).ok()).unwrap();
    log.end() - oldest
}

#[test]
fn over_its_events_the_oldest_go() {
    let mut log = Log::new(LogLimits { bytes: 1 << 20, events: 3 });
    log.append(NO_READER, b"data: a\n\n".repeat(10).as_slice());
    assert!(log.after(6).is_err() && log.after(7).is_ok());
}

#[test]
fn what_the_reader_has_not_taken_stays_and_so_does_the_newest_event() {
    let mut log = Log::new(LogLimits { bytes: 64, events: 1_000 });
    let event = format!("data: {}\n\n", "x".repeat(100));
    log.append(0, event.as_bytes());
    log.append(0, event.as_bytes());
    assert_eq!(events(all(&log)).len(), 2);
    let second = log.after(1).unwrap();
    log.append(second, b"");
    assert!(log.after(0).is_err() && log.after(1).is_ok());
    log.append(NO_READER, event.as_bytes());
    assert_eq!(events(log.read(log.after(2).unwrap(), usize::MAX)).len(), 1);
    assert!(log.after(1).is_err());
}

#[test]
fn a_reader_that_follows_in_small_steps_gets_every_byte_once() {
    let mut log = Log::new(LogLimits { bytes: 200, events: 1_000 });
    let mut unbounded = Log::new(LogLimits { bytes: usize::MAX, events: usize::MAX });
    let (mut position, mut got) = (0, Vec::new());
    for number in 0..300 {
        let event = format!("data: {}\n\n", "y".repeat(number % 37));
        unbounded.append(NO_READER, event.as_bytes());
        log.append(position, event.as_bytes());
        let bytes = log.read(position, 40);
        got.extend_from_slice(bytes);
        position += bytes.len() as u64;
    }
    while position < log.end() {
        let bytes = log.read(position, 40);
        got.extend_from_slice(bytes);
        position += bytes.len() as u64;
    }
    assert_eq!(got, all(&unbounded));
}

proptest! {
    #[test]
    fn any_bytes_cut_anywhere_give_one_log_and_numbers_that_rise_by_one(
        pieces in proptest::collection::vec("(data: [a-z]{0,3}|: c|id: 5|event: e|[a-z]{0,2}|)(\n|\r|\r\n)|(\n|\r\n|\r)", 0..20),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let stream = pieces.concat().into_bytes();
        let whole = logged([stream.as_slice()]);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.sort_unstable();
        let mut log = Log::new(LogLimits::default());
        let mut from = 0;
        for cut in cuts.into_iter().chain([stream.len()]) {
            log.append(NO_READER, &stream[from..cut]);
            from = cut;
        }
        prop_assert_eq!(all(&log), all(&whole));
        let plain: Vec<_> = events(&stream).into_iter().map(|(kind, data, _)| (kind, data)).collect();
        let seen: Vec<_> = events(all(&log)).into_iter().map(|(kind, data, _)| (kind, data)).collect();
        prop_assert_eq!(seen, plain);
        let numbers: Vec<u64> = events(all(&log)).iter().map(|event| event.2.parse().unwrap()).collect();
        prop_assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]) && numbers.last().is_none_or(|last| *last <= log.last()));
    }
}
