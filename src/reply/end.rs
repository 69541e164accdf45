//! How a reply ended: one closed type, so that no stream ends without saying which.

use crate::error::{Error, ErrorKind};

/// Which of a call's time budgets ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Budget {
    /// From sending to the response head.
    Connect,
    /// From sending to the first token (text, reasoning or tool call).
    FirstToken,
    /// Between two bytes.
    Idle,
    /// Between two tokens; comments do not count.
    ContentIdle,
    /// The slowest acceptable rate of content.
    Rate,
    /// The whole call.
    Total,
}

impl Budget {
    /// `connect`, `first_token`, `idle`, `content_idle`, `rate` or `total`.
    pub fn as_str(self) -> &'static str {
        match self {
            Budget::Connect => "connect",
            Budget::FirstToken => "first_token",
            Budget::Idle => "idle",
            Budget::ContentIdle => "content_idle",
            Budget::Rate => "rate",
            Budget::Total => "total",
        }
    }

    /// The error kind of running out of this budget.
    pub fn error_kind(self) -> ErrorKind {
        match self {
            Budget::Connect => ErrorKind::TimeoutConnect,
            Budget::FirstToken => ErrorKind::TimeoutFirstToken,
            Budget::Idle => ErrorKind::TimeoutIdle,
            Budget::ContentIdle => ErrorKind::TimeoutContentIdle,
            Budget::Rate => ErrorKind::TimeoutRate,
            Budget::Total => ErrorKind::TimeoutTotal,
        }
    }
}

/// How a reply ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The model finished by itself (`stop`, `eos`, or a finish reason that this version does not know).
    Complete,
    /// The model reached `max_tokens` or its context's end (`length`). Can be continued.
    Length,
    /// The model asks for tools to be called.
    ToolCalls,
    /// The vendor's content filter ended or withheld the answer.
    Filtered,
    /// The stream ended, broke or turned malformed before the model said that it was done.
    Truncated,
    /// The upstream gave up for want of capacity (`insufficient_system_resource`, 503 in the stream, `aborted`, vLLM's `abort`),
    /// for any of the choices.
    Overloaded,
    /// The model stopped without any text, reasoning or tool call.
    Empty,
    /// The caller cancelled.
    Aborted,
    /// A time budget ran out.
    TimedOut(Budget),
    /// A spend budget ran out.
    OverBudget,
    /// The call failed before any answer: the error says how.
    Failed,
}

impl Outcome {
    /// `complete`, `length`, `tool_calls`, `filtered`, `truncated`, `overloaded`, `empty`, `aborted`, `timed_out`,
    /// `over_budget` or `failed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Complete => "complete",
            Outcome::Length => "length",
            Outcome::ToolCalls => "tool_calls",
            Outcome::Filtered => "filtered",
            Outcome::Truncated => "truncated",
            Outcome::Overloaded => "overloaded",
            Outcome::Empty => "empty",
            Outcome::Aborted => "aborted",
            Outcome::TimedOut(_) => "timed_out",
            Outcome::OverBudget => "over_budget",
            Outcome::Failed => "failed",
        }
    }

    /// Whether the answer is what the model meant to give: complete, length, tool calls or filtered.
    pub fn is_success(self) -> bool {
        matches!(self, Outcome::Complete | Outcome::Length | Outcome::ToolCalls | Outcome::Filtered)
    }
}

/// The end of one reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// How it ended.
    pub outcome: Outcome,
    /// The upstream's own word for it, of the first choice, if it said one.
    pub finish_reason: Option<String>,
    /// What went wrong, for every outcome that is not a success.
    pub error: Option<Error>,
}

/// How the bytes of a reply ended, as the shell or the exchange saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// `[DONE]` came, or the stream ended cleanly.
    Done,
    /// The stream ended cleanly.
    Eof,
    /// The stream ended in the middle of an event, which was read all the same.
    Unterminated,
    /// The connection broke.
    Reset,
    /// A time budget ran out.
    TimedOut(Budget),
    /// The caller cancelled.
    Aborted,
    /// A spend budget ran out.
    OverBudget,
    /// The stream failed: an error of [`Assembler::handle_data`](super::Assembler::handle_data) or of the decoder.
    Failed(Error),
}

/// What the stream had said when it ended.
pub(super) struct Facts<'a> {
    /// Of the first choice.
    pub(super) finish_reason: Option<&'a str>,
    /// What the finish reasons mean: the worst failure of any choice, else the first choice's.
    pub(super) meaning: Meaning,
    /// Whether there are choices and each has its finish reason.
    pub(super) finished: bool,
    /// Whether `[DONE]` came.
    pub(super) done: bool,
    /// Whether any choice has text, reasoning, a refusal, a tool call, audio or an image, which the caller has got.
    pub(super) said_something: bool,
    /// Whether the first choice calls tools.
    pub(super) calls_tools: bool,
}

impl End {
    /// The one end that `cause` and `facts` make.
    ///
    /// A reply of which every choice has its finish reason is whole, however the connection went on after that; only an error in the
    /// stream and the caller's own decision go before.
    pub(super) fn decide(cause: Cause, facts: &Facts<'_>) -> End {
        let (outcome, error) = match cause {
            Cause::Failed(error) if !(facts.done && facts.finished) => failed(error, facts),
            Cause::Aborted if !(facts.done && facts.finished) => {
                (Outcome::Aborted, Some(Error::new(ErrorKind::Cancelled, "The caller cancelled.")))
            }
            Cause::OverBudget if !(facts.done && facts.finished) => {
                let message = "The spend budget of the call ran out before the model was done.";
                (Outcome::OverBudget, Some(Error::new(ErrorKind::QuotaExceeded, message)))
            }
            Cause::TimedOut(budget) if !facts.finished => {
                let message = match budget {
                    Budget::Connect => "No response head came within the connect budget.",
                    Budget::FirstToken => "No token came within the first-token budget.",
                    Budget::Idle => "No byte came within the idle budget.",
                    Budget::ContentIdle => "The stream stayed open without content for the content-idle budget.",
                    Budget::Rate => "Content came slower than the slowest acceptable rate.",
                    Budget::Total => "The call took longer than its total budget.",
                };
                (Outcome::TimedOut(budget), Some(Error::new(budget.error_kind(), message)))
            }
            Cause::Reset if !facts.finished => truncated("The connection broke before the model was done."),
            Cause::Unterminated if !facts.finished => truncated("The stream ended in the middle of an event."),
            _ if facts.finished => said_done(facts),
            _ if facts.done => truncated("The stream said [DONE], but not every choice has a finish reason."),
            _ => truncated("The stream ended before the model was done."),
        };
        End { outcome, finish_reason: facts.finish_reason.map(str::to_owned), error }
    }
}

fn truncated(message: &'static str) -> (Outcome, Option<Error>) {
    (Outcome::Truncated, Some(Error::new(ErrorKind::Truncated, message)))
}

fn failed(error: Error, facts: &Facts<'_>) -> (Outcome, Option<Error>) {
    let outcome = match error.kind() {
        ErrorKind::Overloaded => Outcome::Overloaded,
        ErrorKind::Cancelled => Outcome::Aborted,
        ErrorKind::Truncated => Outcome::Truncated,
        _ if facts.said_something => Outcome::Truncated,
        _ => Outcome::Failed,
    };
    (outcome, Some(error))
}

/// What a finish reason means, failures last and the worse the later: one choice that failed makes a reply that is not whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meaning {
    #[default]
    Normal,
    Length,
    Filtered,
    Overloaded,
    Failed,
}

/// The vendors' words, compared without case (Gemini shouts); a word that is not here is a normal end.
const REASONS: &[(&str, Meaning)] = &[
    ("length", Meaning::Length),
    ("max_tokens", Meaning::Length),
    ("max_output_tokens", Meaning::Length),
    ("model_length", Meaning::Length),
    ("model_context_window_exceeded", Meaning::Length),
    ("content_filter", Meaning::Filtered),
    ("sensitive", Meaning::Filtered),
    ("safety", Meaning::Filtered),
    ("recitation", Meaning::Filtered),
    ("prohibited_content", Meaning::Filtered),
    ("insufficient_system_resource", Meaning::Overloaded),
    ("aborted", Meaning::Overloaded),
    // vLLM and SGLang, when they drop a request that runs.
    ("abort", Meaning::Overloaded),
    ("cancelled", Meaning::Failed),
    ("canceled", Meaning::Failed),
    ("timeout", Meaning::Failed),
    ("error", Meaning::Failed),
    ("network_error", Meaning::Failed),
];

impl Meaning {
    /// Of all choices' reasons, the first choice's first.
    pub(super) fn of_all<'a>(mut reasons: impl Iterator<Item = Option<&'a str>>) -> Meaning {
        let mut meaning = || reasons.next().map(|reason| Meaning::of(reason.unwrap_or("")));
        let mut decided = meaning().unwrap_or_default();
        while let Some(other) = meaning() {
            if other >= Meaning::Overloaded {
                decided = decided.max(other);
            }
        }
        decided
    }

    pub(super) fn of(reason: &str) -> Meaning {
        let reason = reason.trim();
        REASONS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(reason))
            .map_or(Meaning::Normal, |(_, meaning)| *meaning)
    }
}

/// A finish reason in the word that OpenAI has for it; `error` for those that say that the upstream failed.
pub(crate) fn openai_reason(reason: &str) -> &'static str {
    match Meaning::of(reason) {
        Meaning::Normal if matches!(reason.trim(), "tool_calls" | "function_call") => "tool_calls",
        Meaning::Normal => "stop",
        Meaning::Length => "length",
        Meaning::Filtered => "content_filter",
        Meaning::Overloaded | Meaning::Failed => "error",
    }
}

fn said_done(facts: &Facts<'_>) -> (Outcome, Option<Error>) {
    match facts.meaning {
        Meaning::Length => (Outcome::Length, None),
        Meaning::Filtered => (Outcome::Filtered, None),
        Meaning::Overloaded => {
            let message = "The upstream stopped the answer for want of capacity.";
            (Outcome::Overloaded, Some(Error::new(ErrorKind::Overloaded, message)))
        }
        Meaning::Failed => truncated("The upstream says that it failed in the middle of the answer."),
        Meaning::Normal if facts.calls_tools => (Outcome::ToolCalls, None),
        Meaning::Normal if facts.said_something => (Outcome::Complete, None),
        Meaning::Normal => (
            Outcome::Empty,
            Some(Error::new(ErrorKind::Empty, "The model stopped without any text, reasoning or tool call.")),
        ),
    }
}
