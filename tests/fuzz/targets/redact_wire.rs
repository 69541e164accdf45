//! Any bytes, cut anywhere, as an answer: what comes out does not depend on the cuts; nothing to do means byte for byte.
#![no_main]

#[path = "../../sse/chunks.rs"]
mod chunks;

use libfuzzer_sys::fuzz_target;
use sluicegate::redact::wire::{AnswerStream, needs, whole};
use sluicegate::redact::{Answers, Entity, Policy, Redactor, Session, Tally};

fn stream<'a>(redactor: &Redactor, has_token: bool, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut session = session(has_token);
    let (mut stream, mut out, mut tally) = (AnswerStream::new(), Vec::new(), Tally::default());
    for piece in pieces {
        stream.push(redactor, &mut session, piece, &mut out, &mut tally);
    }
    stream.finish(redactor, &mut session, &mut out, &mut tally);
    out
}

fn session(has_token: bool) -> Session {
    let mut session = Session::new(&[7; 32]);
    if has_token {
        session.token(Entity::PhoneCn, "手机号", "13812345678");
    }
    session
}

fuzz_target!(|input: (u64, bool, bool, &[u8])| {
    let (seed, has_token, hides, bytes) = input;
    let answers = if hides { Answers::Mask } else { Answers::Keep };
    let redactor = Redactor::new(Policy { answers, ..Policy::default() }).expect("the default policy");
    let expected = stream(&redactor, has_token, [bytes]);
    assert_eq!(stream(&redactor, has_token, bytes.chunks(1)), expected, "byte by byte");
    assert_eq!(stream(&redactor, has_token, chunks::random(bytes, seed)), expected, "seed {seed}");
    if !needs(&redactor, &session(has_token)) {
        assert_eq!(expected, bytes);
    }
    if let Ok(body) = std::str::from_utf8(bytes) {
        whole(&redactor, &mut session(has_token), body, &mut Tally::default());
    }
});
