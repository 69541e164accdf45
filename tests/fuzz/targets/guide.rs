//! Any bytes as a guide's body, as an answer cut anywhere, and as messages of a socket: no panic, one end, the same at every cut.
#![no_main]

#[path = "../../sse/chunks.rs"]
mod chunks;

use libfuzzer_sys::fuzz_target;
use sluicegate::guide::socket::{Action, Policy, Session};
use sluicegate::guide::{Face, Shape, batch, complete, infer};
use sluicegate::limits::Limits;
use sluicegate::request::{Endpoint, Request};
use sluicegate::time::Instant;

fn faced<'a>(shape: Shape, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let (mut face, mut out) = (Face::new(shape, "1", "r1", 7), Vec::new());
    for piece in pieces {
        face.push(piece, &mut out);
    }
    face.finish(&mut out);
    out
}

fuzz_target!(|input: (u64, &[u8])| {
    let (seed, bytes) = input;
    let limits = Limits::default();
    let defaults = complete::Defaults { model: "m", stream: true };
    for translated in [infer::translate(bytes, "r1", &limits), complete::translate(bytes, &defaults, &limits)] {
        if let Ok(translated) = translated {
            if let Ok(request) = Request::parse(Endpoint::ChatCompletions, &translated.body, &limits) {
                assert_eq!(request.is_stream(), translated.stream);
            }
        }
    }
    if let Ok(batch) = batch::split(bytes, &limits) {
        assert!((0..batch.len()).all(|at| batch.item(at).is_some()));
    }
    for shape in [Shape::Infer, Shape::Complete, Shape::Socket] {
        let expected = faced(shape, [bytes]);
        assert_eq!(faced(shape, bytes.chunks(1)), expected, "byte by byte");
        assert_eq!(faced(shape, chunks::random(bytes, seed)), expected, "seed {seed}");
        Face::new(shape, "1", "r1", 7).whole(bytes);
    }
    let mut session = Session::new(Instant(0), Policy::default());
    let mut call = 0;
    for (at, part) in chunks::random(bytes, seed).into_iter().enumerate() {
        let now = Instant(at as u64 * 500);
        match (core::str::from_utf8(part), at % 3) {
            (Ok(text), 0) => session.handle_text(now, text),
            (_, 1) => session.handle_answer(now, call, part),
            _ => session.handle_answer_end(now, call),
        }
        while let Some(action) = session.next_action() {
            if let Action::Call { call: new, .. } = action {
                call = new;
            }
        }
    }
    Session::from_json(Policy::default(), &session.to_json()).expect("what it wrote itself");
    Session::from_json(Policy::default(), &String::from_utf8_lossy(bytes));
});
