//! What the documentation says of the code is checked against the code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use sluicegate::ErrorKind;
use sluicegate::config::Config;
use sluicegate::exchange::{BreakerPolicy, Budgets, Recovery, Treatment, counts};
use std::fmt::Write;

const RECOVERY: &str = include_str!("../docs/recovery.md");
const CONFIGURATION: &str = include_str!("../docs/configuration.md");

/// What the pages call a treatment.
fn name(treatment: Treatment) -> &'static str {
    match treatment {
        Treatment::Again => "again",
        Treatment::Crowd => "crowd",
        Treatment::Once => "once",
        Treatment::Leave => "leave",
        Treatment::Refresh => "refresh",
        Treatment::Repair => "repair",
        Treatment::Never => "end",
    }
}

/// Whether a failure speaks against its route, which may depend on whose account it is.
fn blame(kind: ErrorKind) -> &'static str {
    match (counts(kind, true), counts(kind, false)) {
        (true, true) => "yes",
        (true, false) => "yes, but for a caller's own key",
        _ => "no",
    }
}

/// The rows of docs/errors.md, from the one table in `src/error.rs`.
fn rows() -> String {
    let mut rows = String::new();
    for &kind in ErrorKind::ALL {
        let retryable = if kind.is_retryable() { "yes" } else { "no" };
        let (code, status, party, next) = (kind.code(), kind.status(), kind.party().as_str(), kind.next_step());
        let treatment = name(Treatment::of(kind));
        writeln!(rows, "| `{code}` | {status} | {party} | {retryable} | {treatment} | {next} |").unwrap();
    }
    rows
}

/// The first row of a page that begins with these cells, without them.
fn row<'a>(page: &'a str, cells: &str) -> &'a str {
    page.lines().find_map(|line| line.strip_prefix(cells)).unwrap_or_else(|| panic!("no row begins with {cells}"))
}

/// As the pages write numbers: 60,000.
fn number(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}

#[test]
fn the_page_on_errors_lists_every_code_as_it_is() {
    let page = include_str!("../docs/errors.md");
    let listed: String = page.lines().filter(|line| line.starts_with("| `")).flat_map(|line| [line, "\n"]).collect();
    assert_eq!(listed, rows(), "docs/errors.md should hold these rows:\n{}", rows());
}

#[test]
fn the_page_on_recovery_says_of_every_error_what_it_leads_to() {
    let treatments = ["again", "crowd", "once", "leave", "refresh", "repair", "end"];
    for treatment in treatments {
        let kinds = ErrorKind::ALL.iter().filter(|kind| name(Treatment::of(**kind)) == treatment);
        let kinds: Vec<_> = kinds.map(|kind| format!("`{}`", kind.code())).collect();
        let cells = format!("| {treatment} | {} |", kinds.join(", "));
        assert!(!row(RECOVERY, &cells).is_empty(), "{treatment}");
    }
}

#[test]
fn the_page_on_recovery_says_which_errors_speak_against_a_route() {
    for answer in ["yes", "yes, but for a caller's own key", "no"] {
        let kinds: Vec<_> = ErrorKind::ALL.iter().filter(|kind| blame(**kind) == answer).collect();
        let cells = format!("| {answer} | ");
        let listed = row(RECOVERY, &cells);
        if answer != "no" {
            let kinds: Vec<_> = kinds.iter().map(|kind| format!("`{}`", kind.code())).collect();
            assert_eq!(listed, format!("{} |", kinds.join(", ")), "{answer}");
        }
    }
}

#[test]
fn the_pages_state_the_defaults_that_there_are() {
    let (budgets, recovery, breaker) = (Budgets::default(), Recovery::default(), BreakerPolicy::default());
    let (retry, continuation) = (recovery.retry, recovery.continuation);
    let defaults: &[(&str, &str, u64)] = &[
        ("budgets.connect", "budgets.connect_ms", budgets.connect),
        ("budgets.firstToken", "budgets.first_token_ms", budgets.first_token),
        ("budgets.idle", "budgets.idle_ms", budgets.idle),
        ("budgets.contentIdle", "budgets.content_idle_ms", budgets.content_idle),
        ("budgets.rate", "budgets.tokens_per_minute", budgets.rate.into()),
        ("budgets.answer", "budgets.answer_ms", budgets.answer),
        ("budgets.patience", "budgets.patience_ms", budgets.patience),
        ("budgets.total", "budgets.total_ms", budgets.total),
        ("retry.firstMs", "retry.first_ms", retry.first),
        ("retry.capMs", "retry.cap_ms", retry.cap),
        ("retry.tries", "retry.tries", retry.tries.into()),
        ("retry.attempts", "retry.attempts", retry.attempts.into()),
        ("breaker.failures", "breaker.failures", breaker.failures.into()),
        ("breaker.ratioPercent", "breaker.ratio_percent", breaker.ratio.into()),
        ("breaker.least", "breaker.least", breaker.least.into()),
        ("breaker.windowMs", "breaker.window_ms", breaker.window),
        ("breaker.openMs", "breaker.open_ms", breaker.open),
        ("continuation.most", "continuation.most", continuation.most.into()),
        ("continuation.length", "continuation.length", continuation.length.into()),
    ];
    for (package, worker, default) in defaults {
        let default = number(*default);
        row(RECOVERY, &format!("| `{package}` | `{worker}` | {default} |"));
        match worker.strip_prefix("budgets.") {
            Some(budget) => row(CONFIGURATION, &format!("| `{budget}` | {default} |")),
            None => {
                let cells = row(CONFIGURATION, &format!("| `{worker}` | "));
                assert_eq!(cells.split(" | ").nth(1), Some(default.as_str()), "{worker} in docs/configuration.md");
                cells
            }
        };
    }
}

#[test]
fn the_configuration_in_the_page_on_recovery_is_taken() {
    let block = RECOVERY.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(Config::parse(block).is_ok(), "{:?}", Config::parse(block).err());
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

#[test]
fn the_page_on_redaction_lists_every_type_as_it_is() {
    use sluicegate::redact::{Action, Entity, Language, Pack};
    const REDACTION: &str = include_str!("../docs/redaction.md");
    for &entity in Entity::ALL {
        let pack = match entity.pack() {
            Pack::All => "all",
            Pack::Cn => "cn",
            Pack::Us => "us",
            Pack::Uk => "uk",
            Pack::Eu => "eu",
            Pack::World => "world",
            _ => panic!("a pack that the page does not know"),
        };
        let action = match entity.default_action() {
            Action::Token => "token",
            Action::Label => "label",
            Action::Keep => "keep",
            _ => panic!("a default that the page does not know"),
        };
        let (zh, en) = (entity.label(Language::Zh), entity.label(Language::En));
        let line = REDACTION.lines().find(|line| line.starts_with(&format!("| `{}` |", entity.key())));
        let end = format!("| {zh}, {en} | {pack} | {action} |");
        assert!(line.is_some_and(|line| line.ends_with(&end)), "{}: {end}", entity.key());
    }
}

#[test]
fn the_page_on_access_has_the_role_table_as_it_is() {
    use sluicegate::access::{FIELDS, Operation, Role};
    const ACCESS: &str = include_str!("../docs/access.md");
    let head: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
    let head = format!("| operation | where | {} |", head.join(" | "));
    let table: Vec<_> =
        ACCESS.lines().skip_while(|line| *line != head).skip(2).take_while(|line| line.starts_with('|')).collect();
    assert_eq!(table.len(), Operation::ALL.len(), "docs/access.md should have the table under {head}");
    for (line, operation) in table.iter().zip(Operation::ALL) {
        let may: Vec<_> = Role::ALL.iter().map(|role| if role.may(*operation) { "yes" } else { "no" }).collect();
        assert!(line.starts_with(&format!("| `{}` | ", operation.as_str())), "{line}");
        assert!(line.ends_with(&format!(" | {} |", may.join(" | "))), "{line}");
    }
    let inference = Operation::ALL.iter().filter(|operation| operation.is_inference()).count();
    assert_eq!(inference, 12, "The page says that the first twelve are inference.");
    assert!(Operation::ALL.iter().take(12).all(|operation| operation.is_inference()));
    let keys = ACCESS.split("## Keys").nth(1).and_then(|rest| rest.split("## Roles").next()).unwrap();
    for field in FIELDS {
        assert!(keys.contains(&format!("`{field}`")), "{field} is not in the table of a key's fields");
    }
}

#[test]
fn the_pages_name_every_limit_and_the_limits_that_they_show_are_taken() {
    use sluicegate::quota::{Limits, Unit};
    const ACCESS: &str = include_str!("../docs/access.md");
    let shown = ACCESS.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(Limits::from_json(shown, "").is_ok(), "{:?}", Limits::from_json(shown, "").err());
    for unit in Unit::ALL {
        assert!(shown.contains(&format!("\"{}\"", unit.name())), "{}", unit.name());
    }
}

#[test]
fn the_configurations_on_the_pages_are_taken() {
    for block in CONFIGURATION.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        let parsed = Config::parse(block);
        assert!(parsed.is_ok(), "{:?} in {block}", parsed.err());
    }
}
