//! Any bytes as a request: accepted or refused with our error, never a panic; what is built is valid JSON and builds to itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluicegate::limits::Limits;
use sluicegate::request::{Dialect, Endpoint, Request, Target};

fuzz_target!(|data: &[u8]| {
    let Some((&how, body)) = data.split_first() else { return };
    let endpoint = Endpoint::ALL[usize::from(how & 15) % Endpoint::ALL.len()];
    let Ok(request) = Request::parse(endpoint, body, &Limits::default()) else { return };
    for dialect in Dialect::ALL {
        let target = Target { dialect: *dialect, model: "deepseek-v4-pro", replay: None, add_usage: how & 16 == 16 };
        let Ok(built) = request.build(&target) else { continue };
        assert!(built.changed || built.body == body, "unchanged means byte for byte");
        let again = Request::parse(endpoint, &built.body, &Limits::default()).expect("what was built is a request");
        let again = again.build(&target).expect("and builds");
        assert_eq!(built.body, again.body, "building is idempotent");
    }
});
