//! Runs the decoder over chunks the way its callers do, and checks on the way what holds for any stream.

use sluicegate::sse::{Decoder, Item, Options};

/// An item, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Event { event_type: String, data: String, id: String, terminated: bool },
    Comment(String),
    Retry(u64),
}

/// Everything that a stream gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) items: Vec<Seen>,
    pub(crate) error: Option<String>,
    pub(crate) last_event_id: String,
}

pub(crate) fn decode<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, options: Options) -> Outcome {
    let mut decoder = Decoder::new(options);
    let mut outcome = Outcome::default();
    for chunk in chunks {
        let mut input = chunk;
        loop {
            let before = input.len();
            let seen = match decoder.next_item(&mut input) {
                Ok(Some(item)) => own(item),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next_item(&mut b"\n\ndata: x\n\n".as_slice()), Err(error.clone()), "poisoned");
                    assert_eq!(decoder.finish(), None, "nothing comes after an error");
                    assert_eq!(decoder.next_item(&mut [].as_slice()), Err(error.clone()), "poisoned for good");
                    outcome.error = Some(error.code().to_owned());
                    outcome.last_event_id = decoder.last_event_id().to_owned();
                    return outcome;
                }
            };
            assert!(input.len() < before, "an item takes bytes");
            assert_ends_with_its_line(chunk, input, &seen);
            outcome.push(seen, &decoder);
        }
        assert!(input.is_empty(), "`None` means that the chunk is used up");
    }
    if let Some(seen) = decoder.finish().map(own) {
        outcome.push(seen, &decoder);
    }
    assert_eq!(decoder.finish(), None, "a stream ends once");
    let mut late = b"data: late\n\n".as_slice();
    assert_eq!((decoder.next_item(&mut late), late.len()), (Ok(None), 0), "what comes after the end is ignored");
    outcome.last_event_id = decoder.last_event_id().to_owned();
    outcome
}

impl Outcome {
    fn push(&mut self, mut seen: Seen, decoder: &Decoder) {
        if let Seen::Event { id, .. } = &mut seen {
            *id = decoder.last_event_id().to_owned();
        }
        self.items.push(seen);
    }
}

fn own(item: Item<'_>) -> Seen {
    match item {
        Item::Event(event) => Seen::Event {
            event_type: event.event_type.into_owned(),
            data: event.data.into_owned(),
            id: String::new(),
            terminated: event.terminated,
        },
        Item::Comment(text) => Seen::Comment(String::from_utf8_lossy(text).into_owned()),
        Item::Retry(millis) => Seen::Retry(millis),
    }
}

/// The input stands right behind the line that gave the item; for an event that line is blank.
fn assert_ends_with_its_line(chunk: &[u8], rest: &[u8], seen: &Seen) {
    let taken = chunk.strip_suffix(rest).expect("the rest is the end of the chunk");
    let line = match taken {
        [line @ .., b'\r', b'\n'] | [line @ .., b'\r' | b'\n'] => line,
        _ => panic!("{taken:?} does not end with a line end"),
    };
    assert!(!(taken.ends_with(b"\r") && rest.starts_with(b"\n")), "a CRLF is taken as one");
    if matches!(seen, Seen::Event { terminated: true, .. }) {
        assert!(matches!(line, [] | [.., b'\r' | b'\n']), "{taken:?} does not end with a blank line");
    }
}
