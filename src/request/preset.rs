//! Parameter sets for common uses, as data. A field that the request sets itself wins.

use super::dialect::{Dialect, matches};
use super::endpoint::Endpoint;
use super::fault::invalid;
use crate::error::Error;
use core::str::FromStr;

/// A parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// Content creation: temperature 0.9, top_p 0.85, at most 1,024 tokens.
    Creative,
    /// Logical reasoning: temperature 0.3, at most 512 tokens, and stop sequences that end the answer where the model
    /// would start to play the other side of the conversation.
    Reasoning,
    /// Real-time interaction: a stream, and no thinking before the first word on models that can go without.
    Realtime,
}

impl Preset {
    /// Every preset, for tables and tests.
    pub const ALL: &'static [Preset] = &[Preset::Creative, Preset::Reasoning, Preset::Realtime];

    /// `creative`, `reasoning` or `realtime`.
    pub fn as_str(self) -> &'static str {
        match self {
            Preset::Creative => "creative",
            Preset::Reasoning => "reasoning",
            Preset::Realtime => "realtime",
        }
    }

    /// The fields that the preset sets for one upstream's model.
    pub(crate) fn rows(self, endpoint: Endpoint, dialect: Dialect, model: &str) -> impl Iterator<Item = &'static Row> {
        ROWS.iter().filter(move |row| {
            row.preset == self
                && row.only.is_none_or(|(on, of, pattern)| on == endpoint && of == dialect && matches(pattern, model))
        })
    }
}

impl FromStr for Preset {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Preset::ALL.iter().find(|preset| preset.as_str() == name);
        found.copied().ok_or_else(|| invalid("preset", "Not one of creative, reasoning, realtime."))
    }
}

/// One field that a preset sets.
pub(crate) struct Row {
    pub(crate) preset: Preset,
    pub(crate) field: &'static str,
    /// JSON text.
    pub(crate) value: &'static str,
    /// Other fields by which the request decides the same thing; any of them wins as well.
    pub(crate) aliases: &'static [&'static str],
    /// The one endpoint, dialect and family of models that it is for.
    only: Option<(Endpoint, Dialect, &'static str)>,
}

const fn row(preset: Preset, field: &'static str, value: &'static str) -> Row {
    Row { preset, field, value, aliases: &[], only: None }
}

const fn tokens(preset: Preset, value: &'static str) -> Row {
    Row { preset, field: "max_tokens", value, aliases: &["max_completion_tokens"], only: None }
}

const fn no_thinking(dialect: Dialect, model: &'static str, field: &'static str, value: &'static str) -> Row {
    let only = Some((Endpoint::ChatCompletions, dialect, model));
    Row { preset: Preset::Realtime, field, value, aliases: NO_THINKING_ALIASES, only }
}

const NO_THINKING_ALIASES: &[&str] = &["thinking", "enable_thinking", "thinking_budget", "reasoning_effort"];
const DISABLED: &str = r#"{"type":"disabled"}"#;

/// Why these stops: each opens the other side's turn, in prose (a blank line, then a speaker's name) or in the chat
/// templates of DeepSeek and ChatML. None is a line that a derivation, a proof or code contains, so an answer is never cut
/// in its middle; four is the most that OpenAI and SiliconFlow take.
const TURN_STOPS: &str = r#"["\n\nUser:","\n\nHuman:","<｜User｜>","<|im_start|>"]"#;

const ROWS: &[Row] = &[
    row(Preset::Creative, "temperature", "0.9"),
    tokens(Preset::Creative, "1024"),
    row(Preset::Creative, "top_p", "0.85"),
    row(Preset::Reasoning, "temperature", "0.3"),
    tokens(Preset::Reasoning, "512"),
    row(Preset::Reasoning, "stop", TURN_STOPS),
    row(Preset::Realtime, "stream", "true"),
    no_thinking(Dialect::DeepSeek, "*deepseek-flash*", "thinking", DISABLED),
    no_thinking(Dialect::DeepSeek, "*deepseek-v4*", "thinking", DISABLED),
    // SiliconFlow answers 400 where a model has no such switch, so only models that are known to have it.
    no_thinking(Dialect::SiliconFlow, "qwen/qwen3-8b", "enable_thinking", "false"),
    no_thinking(Dialect::SiliconFlow, "*deepseek-ai/deepseek-v3.1*", "enable_thinking", "false"),
    no_thinking(Dialect::SiliconFlow, "*deepseek-ai/deepseek-v3.2*", "enable_thinking", "false"),
];
