//! Which places of a request are text, as data. A place that no table names is text.

/// What the value of a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A text, and in objects and lists below it requests, messages, parts.
    Text,
    /// What a message says: as [`Place::Text`], but the input of a tool is data.
    Part,
    /// A text in a member that nobody has heard of: its key may be what tells that its value is private. Below it, all is data.
    Unknown,
    /// A message.
    Message,
    /// The name of who says a message: an identifier.
    Speaker,
    /// The description of a tool.
    Tool,
    /// A JSON schema.
    Schema,
    /// A text of a JSON schema, unless it is a property of that name.
    SchemaText,
    /// Base64, or else text.
    Binary,
    /// Data of the application's own: no member of it is structure.
    Data,
    /// Structure.
    Structure,
}

/// Members whose strings an upstream matches, or hands back for the caller to match.
const STRUCTURE: &[&str] = &[
    "model",
    "role",
    "type",
    "id",
    "object",
    "tool_call_id",
    "tool_use_id",
    "call_id",
    "item_id",
    "file_id",
    "custom_id",
    "batch_id",
    "previous_response_id",
    "server_label",
    "signature",
    "encrypted_content",
    "encoding_format",
    "detail",
    "quality",
    "size",
    "mime_type",
    "media_type",
    "stop",
    "stop_sequences",
    "finish_reason",
    "stop_reason",
    "status",
    "service_tier",
    "reasoning_effort",
    "effort",
    "verbosity",
    "truncation",
    "modalities",
    "include",
    "voice",
    "method",
    "endpoint",
    "input_type",
    "truncate",
    "return_format",
    "result_format",
];

/// Members that are a text, and say no more about it than that.
const TEXT: &[&str] = &[
    "content",
    "text",
    "input",
    "inputs",
    "prompt",
    "suffix",
    "query",
    "document",
    "instruction",
    "instructions",
    "system",
    "description",
    "reasoning_content",
    "reasoning",
    "thinking",
    "refusal",
    "output",
    "summary",
    "transcript",
    "context",
    "question",
    "answer",
    "completion",
    "url",
    "image_url",
    "file_url",
    "parts",
    "body",
    "parameters",
];

const SCHEMA: &[&str] = &["response_format", "json_schema", "format", "schema", "input_schema", "output_schema"];

const BINARY: &[&str] =
    &["data", "file_data", "b64_json", "image", "images", "audio", "input_audio", "video", "bytes", "source"];

const DATA: &[&str] = &["metadata", "arguments", "documents", "variables", "custom_inputs"];

const SCHEMA_TEXT: &[&str] = &["description", "title", "default", "example", "examples", "$comment"];

impl Place {
    /// The place of an object's member.
    pub(super) fn member(self, name: &str) -> Place {
        match (self, name) {
            (Place::Data | Place::Unknown, _) => Place::Data,
            (Place::Schema | Place::SchemaText, _) if SCHEMA_TEXT.contains(&name) => Place::SchemaText,
            (Place::Schema | Place::SchemaText, _) => Place::Schema,
            (Place::Message, "name") => Place::Speaker,
            (Place::Tool, "name") => Place::Structure,
            (Place::Tool, "parameters") => Place::Schema,
            (Place::Message | Place::Part, "content") => Place::Part,
            (Place::Part, "input") => Place::Data,
            (_, "messages") => Place::Message,
            (_, "tools" | "functions" | "tool_choice" | "function" | "tool_calls" | "function_call") => Place::Tool,
            _ if STRUCTURE.contains(&name) => Place::Structure,
            _ if TEXT.contains(&name) => Place::Text,
            _ if SCHEMA.contains(&name) => Place::Schema,
            _ if BINARY.contains(&name) => Place::Binary,
            _ if DATA.contains(&name) => Place::Data,
            _ => Place::Unknown,
        }
    }

    /// Whether a `name` here is that of a tool, if its object's `type` is this.
    pub(super) fn names_tool(self, of: &str) -> bool {
        let kinds = ["call", "tool", "function"];
        matches!(self, Place::Text | Place::Part) && kinds.iter().any(|kind| crate::text::has(of, kind))
    }

    /// Whether a string here is structure.
    pub(super) fn is_structure(self) -> bool {
        matches!(self, Place::Structure | Place::Schema)
    }

    /// Whether the key in front of a text here may tell what it is.
    pub(super) fn has_context(self) -> bool {
        matches!(self, Place::Unknown | Place::Data)
    }
}

/// Whether a text is Base64, or a `data:` URL of it: long enough, and of its letters only, that it can be nothing else. Keys and tokens
/// of vendors have other characters.
pub(crate) fn is_base64(text: &str) -> bool {
    const LEAST: usize = 64;
    text.len() >= LEAST
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\r' | b'\n'))
}

/// The two parts of a `data:` URL of Base64: what stands before the data, and the data.
pub(super) fn data_url(text: &str) -> Option<(&str, &str)> {
    const HEAD: usize = 256;
    if !text.get(..5)?.eq_ignore_ascii_case("data:") {
        return None;
    }
    let comma = text.bytes().take(HEAD).position(|byte| byte == b',')?;
    let (head, data) = text.split_at_checked(comma)?;
    let data = data.get(1..)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    (head.ends_with(";base64") && data.bytes().all(plain)).then_some((head, data))
}
