//! The bound of every buffer in the core, in one place, each with its unit, its default and what happens at it.

/// Bounds on what one call may hold in memory. All sizes in bytes unless the name says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// A request body. Over it: `payload_too_large`, before anything is parsed.
    /// Default 8 MiB: room for a few inlined images; DeepSeek itself takes 48 MiB.
    pub request_body: usize,
    /// A form with a recording, for transcriptions and translations. Over it: `payload_too_large`.
    /// Default 25 MiB: what OpenAI takes; SiliconFlow takes 50 MB.
    pub audio_body: usize,
    /// Nesting of JSON arrays and objects in a request. Over it: `invalid_request`.
    /// Default 32: tool schemas seen in practice stay under 15; serde_json itself stops at 128.
    pub json_depth: usize,
    /// Keys of one JSON object in a request. Over it: `invalid_request`.
    /// Default 1,024: the most entries that a `logit_bias` may have; a check for duplicates holds that many names at most.
    pub json_keys: usize,
    /// Items of one JSON array in a request. Over it: `invalid_request`.
    /// Default 10,000: twice the longest conversation. The token ids of a `prompt` are not counted: the body's size bounds them.
    pub json_items: usize,
    /// Messages in one chat request. Over it: `invalid_request`. Default 4,096.
    pub messages: usize,
    /// One event of a stream, all its lines together. Over it: `event_too_large`, the stream ends.
    /// Default 4 MiB: the largest legitimate events are inline images and whole tool arguments, about 1 MB.
    pub event: usize,
    /// Text of one reply, all choices, reasoning and tool arguments together. Over it: `reply_too_large`, the stream
    /// ends. Default 32 MiB: DeepSeek's largest output, 384 K tokens, is about 2 MB.
    pub reply: usize,
    /// Parallel choices of one reply, and tool calls of one choice. Over it: `protocol`. Default 128, the most tools
    /// that DeepSeek and OpenAI accept.
    pub parts: usize,
    /// An unary reply or an error body. Over it: `reply_too_large`. Default 32 MiB.
    pub reply_body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            request_body: 8 << 20,
            audio_body: 25 << 20,
            json_depth: 32,
            json_keys: 1024,
            json_items: 10_000,
            messages: 4096,
            event: 4 << 20,
            reply: 32 << 20,
            parts: 128,
            reply_body: 32 << 20,
        }
    }
}
