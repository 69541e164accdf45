//! Whether earlier `reasoning_content` goes back to the model.
//!
//! The rules are opposite by generation: R1 answers 400 when it is sent back; DeepSeek V4 ignores it for turns without tool
//! calls and answers 400 when it is missing from a turn that had some.

use super::dialect::{Dialect, matches};
use super::message::{Message, Role};

/// What happens to the `reasoning_content` of earlier assistant messages.
///
/// A last message with `prefix: true` keeps its own under every policy: it is being continued, not replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Replay {
    /// It is sent as it came.
    Keep,
    /// It is left out.
    Strip,
    /// It is sent for the turns (all messages from one user message to the next) in which tools were called, and left
    /// out elsewhere.
    WithTools,
}

impl Replay {
    /// `keep`, `strip` or `with_tools`.
    pub fn as_str(self) -> &'static str {
        match self {
            Replay::Keep => "keep",
            Replay::Strip => "strip",
            Replay::WithTools => "with_tools",
        }
    }

    /// The policy for a model, by its upstream's id; [`Replay::Keep`] for models that no row names.
    pub fn for_model(dialect: Dialect, model: &str) -> Replay {
        let row = MODELS.iter().find(|row| row.0.is_none_or(|only| only == dialect) && matches(row.1, model));
        row.map_or(Replay::Keep, |row| row.2)
    }

    /// The messages whose reasoning is left out, by index.
    pub(crate) fn stripped(self, messages: &[Message]) -> Vec<usize> {
        let mut stripped = Vec::new();
        if self == Replay::Keep {
            return stripped;
        }
        let last = messages.len().saturating_sub(1);
        let (mut turn_start, mut turn_calls) = (0, false);
        for (index, message) in messages.iter().enumerate() {
            if message.role == Role::User {
                (turn_start, turn_calls) = (stripped.len(), false);
            }
            if message.calls_tools && !turn_calls && self == Replay::WithTools {
                turn_calls = true;
                stripped.truncate(turn_start);
            }
            let continued = message.prefix && index == last;
            if message.role == Role::Assistant && message.reasoning && !turn_calls && !continued {
                stripped.push(index);
            }
        }
        stripped
    }
}

/// First match wins. R1 is the same model wherever it is served, so its rows hold for every dialect.
const MODELS: &[(Option<Dialect>, &str, Replay)] = &[
    (None, "*deepseek-r1*", Replay::Strip),
    (None, "*deepseek-reasoner*", Replay::Strip),
    (None, "r1", Replay::Strip),
    (Some(Dialect::DeepSeek), "*deepseek-flash*", Replay::WithTools),
    (None, "*deepseek-v4*", Replay::WithTools),
];
