//! One line of JSON per request: who was asked, how it ended, what it took. No prompt, no answer, no key.

use crate::js;
use serde_json::{Map, Value, json};
use sluicegate::Error;
use sluicegate::config::{Cover, LogLevel, Redaction};
use sluicegate::exchange::{Exchange, Timing};
use sluicegate::redact::Tally;
use sluicegate::reply::{Outcome, Usage};

/// The longest text in a line, in characters: ids come from outside.
const TEXT: usize = 128;

/// The line of one request, filled in as it goes on.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) route: &'static str,
    /// The id of the caller's key.
    pub(crate) caller: Option<String>,
    pub(crate) level: LogLevel,
    pub(crate) started: f64,
    pub(crate) upstream: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) stream: bool,
    handed_on: bool,
    status: u16,
    outcome: Option<&'static str>,
    budget: Option<&'static str>,
    error: Option<&'static str>,
    param: Option<String>,
    usage: Option<Usage>,
    timing: Timing,
    attempts: u32,
    /// What a call of more than one attempt went through, as JSON.
    timeline: Option<String>,
    /// What was hidden of the request, and of the answer: kind, action, how often.
    hidden: [Value; 2],
    restored: u32,
}

impl Entry {
    pub(crate) fn new(id: String, started: f64) -> Self {
        Entry {
            id,
            route: "none",
            caller: None,
            level: LogLevel::Errors,
            started,
            upstream: None,
            model: None,
            stream: false,
            handed_on: false,
            status: 200,
            outcome: None,
            budget: None,
            error: None,
            param: None,
            usage: None,
            timing: Timing::default(),
            attempts: 0,
            timeline: None,
            hidden: [Value::Null, Value::Null],
            restored: 0,
        }
    }

    /// What was hidden of the request.
    pub(crate) fn hid(&mut self, redaction: &Redaction, tally: &Tally) {
        self.hidden[0] = counts(redaction, tally);
    }

    /// What was done to the answer.
    pub(crate) fn uncovered(&mut self, cover: &Cover) {
        self.hidden[1] = counts(cover.redaction(), cover.tally());
        self.restored = cover.tally().restored;
    }

    /// The answer's head has gone out with 200, whatever comes.
    pub(crate) fn handed_on(&mut self) {
        self.handed_on = true;
    }

    /// The request ends with this status, for reasons that other lines tell.
    pub(crate) fn ended(&mut self, status: u16) {
        self.status = status;
    }

    /// The request was refused or failed before a call was made.
    pub(crate) fn refused(&mut self, error: &Error) {
        self.status = error.status();
        self.blame(error);
    }

    fn blame(&mut self, error: &Error) {
        self.error = Some(error.code());
        // Only paths in the configuration are worth a line; a request's fields are the caller's own business, and what an upstream names
        // may be anything.
        let is_ours = error.code() == "misconfigured" && error.vendor().is_none();
        self.param = is_ours.then(|| error.param().map(str::to_owned)).flatten();
    }

    /// The call is over. Its usage is that of the answer: attempts that failed are not billed.
    pub(crate) fn close(&mut self, exchange: &Exchange) {
        self.usage = exchange.reply().and_then(|reply| reply.usage.clone());
        self.timing = exchange.timing();
        self.attempts = exchange.attempts();
        if let Some(route) = exchange.route() {
            self.upstream = Some(route.source.clone());
            self.model = Some(route.model.clone());
        }
        self.timeline = (self.attempts > 1).then(|| exchange.timeline_json());
        let Some(end) = exchange.end() else { return };
        self.outcome = Some(end.outcome.as_str());
        if let Outcome::TimedOut(budget) = end.outcome {
            self.budget = Some(budget.as_str());
        }
        if let Some(error) = &end.error {
            self.blame(error);
            if !self.handed_on {
                self.status = error.status();
            }
        }
    }

    /// Writes the line, if the level asks for it.
    pub(crate) fn write(&self) {
        let wanted = match self.level {
            LogLevel::Off => false,
            LogLevel::Errors => self.error.is_some(),
            LogLevel::Requests => true,
        };
        if wanted {
            js::log(&self.line().to_string().into());
        }
    }

    fn line(&self) -> Value {
        let mut line = Map::new();
        let mut put = |name: &str, value: Value| {
            if !value.is_null() {
                line.insert(name.to_owned(), value);
            }
        };
        put("level", json!(if self.error.is_some() { "error" } else { "info" }));
        put("id", json!(self.id));
        put("route", json!(self.route));
        put("key", json!(self.caller.as_deref().map(capped)));
        put("status", json!(self.status));
        put("upstream", json!(self.upstream));
        put("model", json!(self.model.as_deref().map(capped)));
        if self.outcome.is_some() {
            put("stream", json!(self.stream));
            put("attempts", json!(self.attempts));
        }
        put("outcome", json!(self.outcome));
        put("budget", json!(self.budget));
        put("error", json!(self.error));
        put("param", json!(self.param));
        if let Some(usage) = &self.usage {
            let tokens = [
                ("prompt_tokens", Some(usage.prompt_tokens)),
                ("completion_tokens", Some(usage.completion_tokens)),
                ("total_tokens", Some(usage.total_tokens)),
                ("cached_tokens", usage.cached_tokens),
                ("reasoning_tokens", usage.reasoning_tokens),
            ];
            put("usage", present(&tokens));
        }
        let [request, answer] = &self.hidden;
        put("redacted", request.clone());
        put("redacted_answer", answer.clone());
        if self.restored > 0 {
            put("restored", json!(self.restored));
        }
        let total = (js::now() - self.started).max(0.0) as u64;
        let times = [
            ("head", self.timing.head),
            ("first_token", self.timing.first_token),
            ("first_text", self.timing.first_text),
            ("total", Some(total)),
        ];
        put("ms", present(&times));
        put("timeline", self.timeline.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default());
        Value::Object(line)
    }
}

/// `{"PHONE_CN": {"token": 2}}`; null if nothing was hidden.
fn counts(redaction: &Redaction, tally: &Tally) -> Value {
    let mut kinds = Map::new();
    for (key, action, count) in redaction.counts(tally) {
        if let Some(actions) = kinds.entry(key).or_insert_with(|| json!({})).as_object_mut() {
            actions.insert(action.to_owned(), count.into());
        }
    }
    if kinds.is_empty() { Value::Null } else { Value::Object(kinds) }
}

fn present(numbers: &[(&str, Option<u64>)]) -> Value {
    let present = numbers.iter().filter_map(|(name, number)| Some(((*name).to_owned(), json!((*number)?))));
    Value::Object(present.collect())
}

fn capped(text: &str) -> String {
    text.chars().take(TEXT).collect()
}
