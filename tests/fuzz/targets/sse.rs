//! Any bytes, cut anywhere: the event stream decoder gives what the naive reference gives, and its bound holds for any cut.
#![no_main]

#[path = "../../sse/chunks.rs"]
mod chunks;
#[path = "../../sse/driver.rs"]
mod driver;
#[path = "../../sse/reference.rs"]
mod reference;

use driver::decode;
use libfuzzer_sys::fuzz_target;
use sluicegate::sse::Options;

fuzz_target!(|input: (u64, bool, u8, &[u8])| {
    let (seed, lenient, max_event, bytes) = input;

    let options = Options { lenient, ..Options::default() };
    let expected = reference::decode(bytes, lenient);
    assert_eq!(decode([bytes], options), expected, "whole");
    assert_eq!(decode(bytes.chunks(1), options), expected, "byte by byte");
    assert_eq!(decode(chunks::random(bytes, seed), options), expected, "seed {seed}");

    let bounded = Options { lenient, max_event: usize::from(max_event) };
    let whole = decode([bytes], bounded);
    assert_eq!(decode(bytes.chunks(1), bounded), whole, "bounded, byte by byte");
    assert_eq!(decode(chunks::random(bytes, seed), bounded), whole, "bounded, seed {seed}");
});
