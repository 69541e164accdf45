//! Any text as a request body: masked or refused, never a panic; what is masked is JSON where that was, changes only where it says so,
//! and masked again stays as it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluicegate::limits::Limits;
use sluicegate::redact::body::{Format, mask};
use sluicegate::redact::{Policy, Redactor, Session, Tally};

fuzz_target!(|input: (u8, &str)| {
    let (how, body) = input;
    let format = [Format::Json, Format::JsonLines, Format::Text][usize::from(how % 3)];
    let redactor = Redactor::new(Policy { hint: how & 128 != 0, ..Policy::default() }).expect("the default policy");
    let (mut session, mut tally) = (Session::new(&[7; 32]), Tally::default());
    let Ok(masked) = mask(&redactor, &mut session, format, body, &Limits::default(), &mut tally) else { return };
    assert_eq!(masked.changed, masked.text != body, "unchanged means byte for byte");
    let again = mask(&redactor, &mut session, format, &masked.text, &Limits::default(), &mut tally);
    let again = again.expect("what was masked can be read");
    assert!(!again.changed, "masking is idempotent");
});
