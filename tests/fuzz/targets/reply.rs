//! Any bytes as a stream: how they were cut changes nothing, and the remembered form of chunks gives what reading each gives.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluicegate::reply::{Assembler, Cause, Deltas, Options, Reader, ThinkTags, read_body};
use sluicegate::sse::{Decoder, Item};

type Seen = (String, Option<&'static str>, &'static str);

/// Everything that one reading showed: the whole reply, the error's code, the outcome.
fn read(chunks: &[&[u8]], options: Options) -> Seen {
    let mut reader = Reader::new(options);
    let mut out = Deltas::new();
    let mut cause = None;
    for chunk in chunks {
        match reader.feed(chunk, &mut out) {
            Ok(progress) if progress.done => {
                cause = Some(Cause::Done);
                break;
            }
            Ok(_) => {}
            Err(error) => {
                cause = Some(Cause::Failed(error));
                break;
            }
        }
    }
    let cause = cause.unwrap_or_else(|| reader.feed_end(&mut out).0);
    let mut assembler = reader.into_assembler();
    let end = assembler.finish(cause, &mut out);
    (format!("{:?}", assembler.reply()), end.error.as_ref().map(|error| error.code()), end.outcome.as_str())
}

/// The same without the fast path, event by event.
fn read_slowly(bytes: &[u8], options: Options) -> Option<Seen> {
    let mut decoder = Decoder::new(sluicegate::sse::Options { max_event: options.limits.event, lenient: false });
    let mut assembler = Assembler::without_templates(options);
    let mut out = Deltas::new();
    let mut input = bytes;
    let mut cause = Cause::Eof;
    while let Some(item) = decoder.next_item(&mut input).ok()? {
        let Item::Event(event) = item else { continue };
        match assembler.handle_data(&event.event_type, &event.data, &mut out) {
            Ok(step) if step.done => {
                cause = Cause::Done;
                break;
            }
            Ok(_) => {}
            Err(error) => {
                cause = Cause::Failed(error);
                break;
            }
        }
    }
    let end = assembler.finish(cause, &mut out);
    Some((format!("{:?}", assembler.reply()), end.error.as_ref().map(|error| error.code()), end.outcome.as_str()))
}

fuzz_target!(|data: &[u8]| {
    let Some((&[how, cut], bytes)) = data.split_first_chunk::<2>().map(|(head, rest)| (head, rest)) else { return };
    let think_tags = [ThinkTags::Auto, ThinkTags::Open, ThinkTags::Off][usize::from(how % 3)];
    let options = Options { think_tags, ..Options::default() };
    let whole = read(&[bytes], options);
    let (head, tail) = bytes.split_at(usize::from(cut).min(bytes.len()));
    assert_eq!(whole, read(&[head, tail], options));
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(whole, read(&single, options));
    // A stream that ends behind a blank line has no last block, which only the lenient reader reads.
    if bytes.ends_with(b"\n\n") {
        if let Some(slow) = read_slowly(bytes, options) {
            assert_eq!(whole, slow);
        }
    }
    let _ = read_body(bytes, &options);
});
