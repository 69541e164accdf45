//! The endpoints that are forwarded, and which vendor has which: rows, not code.

use super::dialect::Dialect;

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// A conversation: `messages`.
    #[default]
    ChatCompletions,
    /// A text to be continued, or filled in: `prompt`, `suffix`.
    Completions,
    /// Vectors of texts: `input`.
    Embeddings,
    /// Documents by how well they answer a query: `query`, `documents`.
    Rerank,
    /// Pictures from words: `prompt`.
    Images,
    /// Sound from text: `input`.
    Speech,
    /// Text from sound: a form with `file`.
    Transcriptions,
    /// English text from sound: a form with `file`.
    Translations,
    /// OpenAI's Responses: `input`.
    Responses,
    /// Anthropic's Messages: `messages`, `max_tokens`.
    Messages,
}

struct Row {
    endpoint: Endpoint,
    path: &'static str,
    name: &'static str,
    /// Who has it.
    dialects: &'static [Dialect],
}

const EVERYONE: &[Dialect] = Dialect::ALL;
const OPENAI: &[Dialect] = &[Dialect::OpenAi];
const NOT_DEEPSEEK: &[Dialect] = &[Dialect::OpenAi, Dialect::SiliconFlow];
const NOT_SILICONFLOW: &[Dialect] = &[Dialect::OpenAi, Dialect::DeepSeek];

const fn row(endpoint: Endpoint, path: &'static str, name: &'static str, dialects: &'static [Dialect]) -> Row {
    Row { endpoint, path, name, dialects }
}

/// After `openai` every path is taken to be there: who speaks like OpenAI may have any of them, and says 404 where not.
const ROWS: &[Row] = &[
    row(Endpoint::ChatCompletions, "/chat/completions", "chat_completions", EVERYONE),
    row(Endpoint::Completions, "/completions", "completions", EVERYONE),
    row(Endpoint::Embeddings, "/embeddings", "embeddings", NOT_DEEPSEEK),
    row(Endpoint::Rerank, "/rerank", "rerank", NOT_DEEPSEEK),
    row(Endpoint::Images, "/images/generations", "images", NOT_DEEPSEEK),
    row(Endpoint::Speech, "/audio/speech", "audio_speech", NOT_DEEPSEEK),
    row(Endpoint::Transcriptions, "/audio/transcriptions", "audio_transcriptions", NOT_DEEPSEEK),
    row(Endpoint::Translations, "/audio/translations", "audio_translations", OPENAI),
    row(Endpoint::Responses, "/responses", "responses", NOT_SILICONFLOW),
    row(Endpoint::Messages, "/messages", "messages", EVERYONE),
];

impl Endpoint {
    /// Every endpoint, for tables and tests.
    pub const ALL: &'static [Endpoint] = &[
        Endpoint::ChatCompletions,
        Endpoint::Completions,
        Endpoint::Embeddings,
        Endpoint::Rerank,
        Endpoint::Images,
        Endpoint::Speech,
        Endpoint::Transcriptions,
        Endpoint::Translations,
        Endpoint::Responses,
        Endpoint::Messages,
    ];

    fn row(self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.endpoint == self)
    }

    /// The path behind the API's base: `/chat/completions`, `/embeddings`, …
    pub fn path(self) -> &'static str {
        self.row().map_or("", |row| row.path)
    }

    /// Its name in the configuration and in the log: `embeddings`, `audio_speech`.
    pub fn as_str(self) -> &'static str {
        self.row().map_or("", |row| row.name)
    }

    /// The endpoint of a name.
    pub fn named(name: &str) -> Option<Endpoint> {
        ROWS.iter().find(|row| row.name == name).map(|row| row.endpoint)
    }

    /// Whether the answer is a completion, which is read, repaired and gone on with. All others are handed on as they are.
    pub fn is_completion(self) -> bool {
        matches!(self, Endpoint::ChatCompletions | Endpoint::Completions)
    }

    /// Whether the body is a form with a file.
    pub fn is_upload(self) -> bool {
        matches!(self, Endpoint::Transcriptions | Endpoint::Translations)
    }
}

impl Dialect {
    /// Whether the vendor has an endpoint, as far as its documentation says.
    pub fn serves(self, endpoint: Endpoint) -> bool {
        endpoint.row().is_some_and(|row| row.dialects.contains(&self))
    }
}
