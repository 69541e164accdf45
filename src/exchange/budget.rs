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
    /// The slowest acceptable rate: tokens (events with content) per minute, counted over a minute at a time, each beginning with a
    /// token. 0 switches it off.
    ///
    /// ### Default: 4
    /// A CPU that runs a large model gives a token every few seconds; what is slower is a trickle that keeps timers alive.
    pub rate: u32,
    /// From sending to the end of a whole answer (`stream: false`), while another healthy route could answer: silence tells nothing
    /// there, since nothing comes before the end.
    ///
    /// ### Default: 120,000
    pub answer: u64,
    /// How long a caller is left waiting for this route, for its first token or for the time that it asks for with Retry-After,
    /// while another healthy route could answer.
    ///
    /// ### Default: 10,000
    pub patience: u64,
    /// The whole call.
    ///
    /// ### Default: 600,000
    /// DeepSeek closes connections whose inference has not started after 10 minutes, and the OpenAI SDKs give up then too.
    pub total: u64,
}

impl Default for Budgets {
    fn default() -> Self {
        Budgets {
            connect: 60_000,
            first_token: 60_000,
            idle: 30_000,
            content_idle: 60_000,
            rate: 4,
            answer: 120_000,
            patience: 10_000,
            total: 600_000,
        }
    }
}

/// The length of the windows in which the rate is counted, in milliseconds.
const RATE_WINDOW: u64 = 60_000;

/// When things last happened: what the deadlines are counted from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    pub(super) sent: Instant,
    /// When the wait for the first token began: with the sending, later by the pauses.
    from: Instant,
    pub(super) head: Option<Instant>,
    pub(super) byte: Instant,
    pub(super) content: Option<Instant>,
    /// When the window began in which the rate is counted; the next token begins one.
    window: Option<Instant>,
    /// Events with content: before the window, and so far.
    before: u64,
    pub(super) tokens: u64,
}

impl Marks {
    pub(super) fn new(sent: Instant) -> Self {
        Marks { sent, from: sent, head: None, byte: sent, content: None, window: None, before: 0, tokens: 0 }
    }

    /// So many events with content arrived.
    #[inline]
    pub(super) fn progress(&mut self, now: Instant, tokens: u32) {
        if tokens > 0 {
            self.content = Some(now);
            if self.window.is_none() {
                (self.window, self.before) = (Some(now), self.tokens);
            }
            self.tokens += u64::from(tokens);
        }
    }

    /// Takes a pause out of the silence.
    pub(super) fn shift(&mut self, pause: u64) {
        // Moved by the pause and not set to now: a reader of keep-alive comments pauses at each, and must not hide a stall.
        self.from = self.from + pause;
        self.byte = self.byte + pause;
        self.window = self.window.map(|window| window + pause);
        self.content = self.content.map(|content| content + pause);
    }

    /// Whether enough came in the window that is over.
    pub(super) fn is_fast_enough(&mut self, budgets: &Budgets) -> bool {
        self.window = None;
        self.tokens - self.before >= u64::from(budgets.rate)
    }
}

impl Budgets {
    /// The budget that runs out first, and when. That of the rate may turn out to be kept: [`Marks::is_fast_enough`].
    pub(super) fn next(&self, stream: bool, marks: &Marks) -> (Instant, Budget) {
        let mut next = (marks.sent + self.total, Budget::Total);
        let mut consider = |at: Instant, budget: Budget| {
            if at < next.0 {
                next = (at, budget);
            }
        };
        if stream {
            if marks.head.is_none() {
                consider(marks.from + self.connect, Budget::Connect);
            }
            match marks.content {
                None => consider(marks.from + self.first_token, Budget::FirstToken),
                Some(content) => {
                    consider(marks.byte + self.idle, Budget::Idle);
                    consider(content + self.content_idle, Budget::ContentIdle);
                    if let Some(window) = marks.window.filter(|_| self.rate > 0) {
                        consider(window + RATE_WINDOW, Budget::Rate);
                    }
                }
            }
        } else {
            consider(marks.from + self.answer, Budget::FirstToken);
        }
        next
    }
}
