//! Findings, counts and errors, as JSON texts.

use core::ops::Range;
use sluicegate::Error;
use sluicegate::json::Object;
use sluicegate::redact::body::MaskedBody;
use sluicegate::redact::{Action, Finding, Policy, Redactor, Tally};
use wasm_bindgen::JsValue;

/// An error, as a JSON text that is thrown; `redact.ts` makes a `GateError` of it.
pub(crate) fn error_to_js(error: &Error) -> JsValue {
    let mut json = Object::new();
    json.string("code", error.code());
    json.string("message", error.message());
    json.number("status", error.status().into());
    json.string("party", error.kind().party().as_str());
    json.string("nextStep", error.kind().next_step());
    json.raw("retryable", flag(error.is_retryable()));
    json.maybe("param", error.param());
    JsValue::from_str(&json.finish())
}

/// Findings with their places in UTF-16 units, which are JavaScript's, and with what `masked` has in their places.
pub(crate) fn findings(
    redactor: &Redactor,
    text: &str,
    findings: &[Finding],
    masked: Option<(&str, &[Range<usize>])>,
) -> String {
    let mut json = List::new();
    let (mut bytes, mut units) = (0, 0);
    let mut places = masked.into_iter().flat_map(|(masked, places)| places.iter().map(|at| masked.get(at.clone())));
    for finding in findings {
        let mut to = |end: usize| {
            units += text.get(bytes..end).map_or(0, |text| text.chars().map(char::len_utf16).sum::<usize>());
            bytes = end;
            units as u64
        };
        let mut object = Object::new();
        object.string("type", redactor.policy().key(finding.entity));
        object.number("start", to(finding.start));
        object.number("end", to(finding.end));
        object.string("rule", redactor.rule_name(finding.rule));
        object.raw("score", &hundredths(finding.score));
        object.string("action", name(redactor.policy().action(finding.entity)));
        object.maybe("replacement", places.next().flatten());
        json.push(&object.finish());
    }
    json.finish()
}

/// What was done, by kind and action, and how many tokens were given back.
pub(crate) fn tally(policy: &Policy, tally: &Tally) -> String {
    let mut json = Object::new();
    write_tally(&mut json, policy, tally);
    json.finish()
}

/// What there is to say of a masked body beside its text.
pub(crate) fn masked(policy: &Policy, masked: &MaskedBody, asks_json: bool, tally: &Tally) -> String {
    let mut json = Object::new();
    json.raw("changed", flag(masked.changed));
    let mut local = List::new();
    for entity in &masked.local_entities {
        // Capitals, digits and `_`: nothing to escape.
        local.push(&["\"", entity, "\""].concat());
    }
    json.raw("local", &local.finish());
    json.raw("json", flag(asks_json));
    write_tally(&mut json, policy, tally);
    json.finish()
}

/// Adds the counts of one call to those of all.
pub(crate) fn add(total: &mut Tally, tally: &Tally) {
    for &(entity, action, count) in &tally.counts {
        match total.counts.iter_mut().find(|known| known.0 == entity && known.1 == action) {
            Some(known) => known.2 = known.2.saturating_add(count),
            None => total.counts.push((entity, action, count)),
        }
    }
    total.restored = total.restored.saturating_add(tally.restored);
}

fn write_tally(json: &mut Object, policy: &Policy, tally: &Tally) {
    let mut list = List::new();
    for &(entity, action, count) in &tally.counts {
        let mut object = Object::new();
        object.string("type", policy.key(entity));
        object.string("action", name(action));
        object.number("count", count.into());
        list.push(&object.finish());
    }
    json.raw("counts", &list.finish());
    json.number("restored", tally.restored.into());
}

fn flag(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// What is left of a channel of an answer.
pub(crate) fn piece(kind: u8, choice: u32, index: u32, text: &str) -> String {
    let mut object = Object::new();
    object.number("kind", kind.into());
    object.number("choice", choice.into());
    object.number("index", index.into());
    object.string("text", text);
    object.finish()
}

/// A list under construction.
pub(crate) struct List(String);

impl List {
    pub(crate) fn new() -> List {
        List(String::from("["))
    }

    pub(crate) fn push(&mut self, item: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(item);
    }

    pub(crate) fn finish(mut self) -> String {
        self.0.push(']');
        self.0
    }
}

/// 0 to 100 as 0 to 1.
fn hundredths(score: u8) -> String {
    match score {
        100.. => String::from("1"),
        _ => [if score < 10 { "0.0" } else { "0." }, &score.to_string()].concat(),
    }
}

/// An action as policies write it.
fn name(action: Action) -> &'static str {
    match action {
        Action::Keep => "keep",
        Action::Mask => "mask",
        Action::Label => "label",
        Action::Token => "token",
        Action::Hash => "hash",
        Action::Drop => "drop",
        Action::Block => "block",
        Action::LocalOnly => "local_only",
        _ => "other",
    }
}
