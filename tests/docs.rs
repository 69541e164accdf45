//! What the documentation says of the code is checked against the code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use sluicegate::ErrorKind;
use std::fmt::Write;

/// The rows of docs/errors.md, from the one table in `src/error.rs`.
fn rows() -> String {
    let mut rows = String::new();
    for kind in ErrorKind::ALL {
        let retryable = if kind.is_retryable() { "yes" } else { "no" };
        let (code, status, party, next) = (kind.code(), kind.status(), kind.party().as_str(), kind.next_step());
        writeln!(rows, "| `{code}` | {status} | {party} | {retryable} | {next} |").unwrap();
    }
    rows
}

#[test]
fn the_page_on_errors_lists_every_code_as_it_is() {
    let page = include_str!("../docs/errors.md");
    let listed: String = page.lines().filter(|line| line.starts_with("| `")).flat_map(|line| [line, "\n"]).collect();
    assert_eq!(listed, rows(), "docs/errors.md should hold these rows:\n{}", rows());
}

#[test]
fn codes_are_snake_case_and_stand_once() {
    let mut codes: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
    assert!(codes.iter().all(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
    codes.sort_unstable();
    let all = codes.len();
    codes.dedup();
    assert_eq!(codes.len(), all);
}
