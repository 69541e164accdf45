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
    /// The whole call.
    Total,
}

impl Budget {
    /// `connect`, `first_token`, `idle`, `content_idle` or `total`.
    pub fn as_str(self) -> &'static str {
        match self {
            Budget::Connect => "connect",
            Budget::FirstToken => "first_token",
            Budget::Idle => "idle",
            Budget::ContentIdle => "content_idle",
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
    /// The upstream gave up for want of capacity (`insufficient_system_resource`, 503 in the stream, `aborted`).
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
