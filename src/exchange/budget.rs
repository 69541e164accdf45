//! The time budgets of one call, and which of them runs out next.

use crate::reply::Budget;
use crate::time::Instant;

/// How long the parts of one call may take, in milliseconds. `u64::MAX` switches one off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budgets {
    /// From sending to the response head; streams only, since the head of a whole answer comes when the answer is done.
    ///
    /// ### Default: 60,000
    /// As for the first token: llama.cpp sends a stream's head only with its first token, and a long prompt takes a CPU
    /// half a minute to read. Set it lower (5,000) for vendors that send the head at once.
    pub connect: u64,
    /// From sending to the first token (text, reasoning or tool call); streams only.
    ///
    /// ### Default: 60,000
    /// Reasoning models that hide their thoughts stay silent for tens of seconds; a minute is what a person waits for.
    pub first_token: u64,
    /// Between two network chunks, from the first token on.
    ///
    /// ### Default: 30,000
    /// DeepSeek sends a keep-alive comment every few seconds; half a minute without a byte is a dead socket.
    pub idle: u64,
    /// Between two tokens, from the first on. Comments prove the socket, not progress, and do not count.
    ///
    /// ### Default: 60,000
    /// The longest pause seen between reasoning and answer is below 20 s; three times that is a stall.
    pub content_idle: u64,
    /// The whole call.
    ///
    /// ### Default: 600,000
    /// DeepSeek closes connections whose inference has not started after 10 minutes, and the OpenAI SDKs give up then too.
    pub total: u64,
}

impl Default for Budgets {
    fn default() -> Self {
        Budgets { connect: 60_000, first_token: 60_000, idle: 30_000, content_idle: 60_000, total: 600_000 }
    }
}

/// When things last happened: what the deadlines are counted from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    pub(super) sent: Instant,
    pub(super) head: Option<Instant>,
    pub(super) byte: Instant,
    pub(super) content: Option<Instant>,
}

impl Budgets {
    /// The budget that runs out first, and when.
    pub(super) fn next(&self, stream: bool, marks: &Marks) -> (Instant, Budget) {
        let mut next = (marks.sent + self.total, Budget::Total);
        let mut consider = |at: Instant, budget: Budget| {
            if at < next.0 {
                next = (at, budget);
            }
        };
        if stream {
            if marks.head.is_none() {
                consider(marks.sent + self.connect, Budget::Connect);
            }
            match marks.content {
                None => consider(marks.sent + self.first_token, Budget::FirstToken),
                Some(content) => {
                    consider(marks.byte + self.idle, Budget::Idle);
                    consider(content + self.content_idle, Budget::ContentIdle);
                }
            }
        }
        next
    }
}
