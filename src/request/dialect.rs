//! The dialects of the vendors, and what each of them calls things: rows, not code.

use super::endpoint::Endpoint;
use crate::error::Error;
use crate::request::fault::invalid;
use crate::text::after;
use core::str::FromStr;

/// Which vendor's form of the protocol an upstream speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// OpenAI, and whoever follows it: llama.cpp, vLLM, Ollama, a Sluicegate Worker.
    OpenAi,
    /// DeepSeek's own API.
    DeepSeek,
    /// SiliconFlow.
    SiliconFlow,
}

impl Dialect {
    /// Every dialect, for tables and tests.
    pub const ALL: &'static [Dialect] = &[Dialect::OpenAi, Dialect::DeepSeek, Dialect::SiliconFlow];

    /// `openai`, `deepseek` or `siliconflow`.
    pub fn as_str(self) -> &'static str {
        match self {
            Dialect::OpenAi => "openai",
            Dialect::DeepSeek => "deepseek",
            Dialect::SiliconFlow => "siliconflow",
        }
    }

    /// The field's name in this dialect.
    pub(crate) fn field_name(self, endpoint: Endpoint, field: &str) -> Option<&'static str> {
        match endpoint {
            Endpoint::Images => renamed(RENAMED_OF_IMAGES, self, field),
            _ if endpoint.is_completion() => renamed(RENAMED_FIELDS, self, field),
            _ => None,
        }
    }

    /// The role's name in this dialect.
    pub(crate) fn role_name(self, role: &str) -> Option<&'static str> {
        renamed(RENAMED_ROLES, self, role)
    }

    /// Whether the model thinks unless told not to, and then ignores the sampling fields without a word.
    pub(crate) fn thinks_by_default(self, model: &str) -> bool {
        THINKING_MODELS.iter().any(|&(dialect, pattern)| dialect == self && matches(pattern, model))
    }
}

impl FromStr for Dialect {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Dialect::ALL.iter().find(|dialect| dialect.as_str() == name);
        found.copied().ok_or_else(|| invalid("dialect", "Not one of openai, deepseek, siliconflow."))
    }
}

type Rename = (Dialect, &'static str, &'static str);

const RENAMED_FIELDS: &[Rename] = &[
    (Dialect::DeepSeek, "max_completion_tokens", "max_tokens"),
    (Dialect::SiliconFlow, "max_completion_tokens", "max_tokens"),
];

const RENAMED_OF_IMAGES: &[Rename] =
    &[(Dialect::SiliconFlow, "size", "image_size"), (Dialect::SiliconFlow, "n", "batch_size")];

const RENAMED_ROLES: &[Rename] =
    &[(Dialect::DeepSeek, "developer", "system"), (Dialect::SiliconFlow, "developer", "system")];

fn renamed(table: &[Rename], dialect: Dialect, name: &str) -> Option<&'static str> {
    table.iter().find(|row| row.0 == dialect && row.1 == name).map(|row| row.2)
}

const THINKING_MODELS: &[(Dialect, &str)] =
    &[(Dialect::DeepSeek, "*deepseek-flash*"), (Dialect::DeepSeek, "*deepseek-v4*")];

/// Fields that a thinking model of [`THINKING_MODELS`] ignores. They are sent all the same: the vendor takes them, and a
/// model that is switched to non-thinking under the same id obeys them.
pub(crate) const IGNORED_WHILE_THINKING: &[&str] = &["temperature", "top_p", "presence_penalty", "frequency_penalty"];

/// Whether a model's id fits a pattern: ASCII case does not matter, `*` stands for any run of characters.
///
/// Linear in the id for each piece between two stars; both are short.
pub(crate) fn matches(pattern: &str, model: &str) -> bool {
    let model = model.to_ascii_lowercase();
    let mut rest = model.as_str();
    let mut pieces = pattern.split('*');
    let Some(stripped) = rest.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    rest = stripped;
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        match after(rest, piece) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}
