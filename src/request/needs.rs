//! What a request asks of whoever is to serve it, so that a route that cannot is passed over.

use super::anchor::is_wide;
use super::dialect::Dialect;
use super::endpoint::Endpoint;
use super::message::Role;
use super::span::{Kind, Member, Span, find, items, members, string};
use super::{Request, prompt};

/// What a model must be able to do for a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Needs {
    /// Whether there are pictures or films to look at.
    pub vision: bool,
    /// Whether there is sound to listen to, or the answer is to be spoken.
    pub audio: bool,
    /// Whether there are tools to call, or calls of tools to understand.
    pub tools: bool,
    /// Whether the answer must be JSON.
    pub json: bool,
    /// How many tokens the prompt has, estimated without a tokenizer: one for each ideograph, kana, hangul or emoji, one for every four
    /// bytes of other text, 4 for each message, 1,024 for each picture, film or recording; token ids are counted.
    /// Tokenizers differ by a quarter and more: for choosing a route, not for billing.
    pub prompt_tokens: u32,
    /// The most tokens that the answer may have, by the request or its preset.
    pub max_tokens: Option<u32>,
    /// Whether the last message is the assistant's, to be gone on with: models and servers differ in whether they take that.
    pub ends_with_assistant: bool,
}

const MESSAGE_TOKENS: usize = 4;
const MEDIUM_TOKENS: usize = 1024;
/// A text without a space for so many bytes is a file in Base64.
const LONGEST_WORD: usize = 2048;

/// The members that are read as a prompt, of what is no completion.
const TEXTS: &[&str] = &["input", "query", "documents", "prompt", "instructions", "system", "messages", "tools"];

impl Request {
    /// What the request asks of whoever is to serve it. Linear in the request.
    pub fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        let mut tokens = 0;
        let value = |name: &str| find(&self.text, &self.members, name);
        if !self.endpoint.is_completion() {
            for member in TEXTS.iter().filter_map(|name| value(name)) {
                tokens += self.value_tokens(member.value, &mut needs);
            }
            let has_tools = |list: Member| items(&self.text, list.value).is_ok_and(|tools| !tools.is_empty());
            needs.tools = value("tools").is_some_and(has_tools);
            needs.prompt_tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
            // Vectors, scores, pictures and sound are not written in tokens that anybody bounds.
            let is_written =
                !matches!(self.endpoint, Endpoint::Embeddings | Endpoint::Rerank | Endpoint::Images | Endpoint::Speech);
            needs.max_tokens = if is_written { self.max_tokens() } else { Some(0) };
            return needs;
        }
        for message in &self.messages {
            tokens += MESSAGE_TOKENS;
            needs.tools |= message.calls_tools || message.role == Role::Tool;
            for member in members(&self.text, message.span).unwrap_or_default() {
                tokens += self.member_tokens(member, &mut needs);
            }
        }
        let filled = |member: Member| items(&self.text, member.value).is_ok_and(|items| !items.is_empty());
        for name in ["tools", "functions"] {
            if let Some(list) = value(name).filter(|list| list.kind(&self.text) == Kind::Array && filled(*list)) {
                needs.tools = true;
                tokens += estimate(list.value.of(&self.text));
            }
        }
        for name in ["prompt", "suffix"] {
            if let Some(text) = value(name).filter(|_| self.endpoint == Endpoint::Completions) {
                tokens += prompt::tokens_of(&self.text, text, estimate);
            }
        }
        needs.json = self.wants_json();
        needs.audio |= self.wants_speech();
        needs.prompt_tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
        needs.max_tokens = self.max_tokens();
        needs.ends_with_assistant = self.messages.last().is_some_and(|message| message.role == Role::Assistant);
        needs
    }

    /// The most tokens of the answer: the request's own word, else its preset's.
    fn max_tokens(&self) -> Option<u32> {
        let own = ["max_tokens", "max_completion_tokens", "max_output_tokens"]
            .iter()
            .find_map(|name| find(&self.text, &self.members, name));
        let preset = || {
            let rows = self.preset?.rows(self.endpoint, Dialect::OpenAi, "");
            rows.filter(|row| row.field == "max_tokens").map(|row| row.value).next()
        };
        own.map(|own| own.value.of(&self.text)).or_else(preset)?.parse().ok()
    }

    /// Whether the answer must be JSON.
    pub(crate) fn wants_json(&self) -> bool {
        let Some(format) = find(&self.text, &self.members, "response_format") else { return false };
        let fields = members(&self.text, format.value).unwrap_or_default();
        find(&self.text, &fields, "type").is_some_and(|tag| !tag.says(&self.text, "text"))
    }

    /// Whether the answer is to be spoken.
    pub(crate) fn wants_speech(&self) -> bool {
        let Some(list) = find(&self.text, &self.members, "modalities") else { return false };
        let list = items(&self.text, list.value).unwrap_or_default();
        list.iter().any(|item| string(item.of(&self.text)) == "audio")
    }

    /// The tokens of all texts in a value.
    fn value_tokens(&self, span: Span, needs: &mut Needs) -> usize {
        let value = span.of(&self.text);
        match Kind::of(value) {
            Kind::String
                if value.len() > LONGEST_WORD
                    && !value.bytes().take(LONGEST_WORD).any(|byte| byte == b' ' || byte >= 128) =>
            {
                MEDIUM_TOKENS
            }
            Kind::String => estimate(&string(value)),
            // Ids, or arrays of them: numbers hold no commas.
            Kind::Array if memchr::memchr2(b'"', b'{', value.as_bytes()).is_none() => {
                memchr::memchr_iter(b',', value.as_bytes()).count() + 1
            }
            Kind::Array => {
                let items = items(&self.text, span).unwrap_or_default();
                items.into_iter().map(|item| self.value_tokens(item, needs)).sum()
            }
            Kind::Object => {
                let members = members(&self.text, span).unwrap_or_default();
                let is_picture =
                    |tag: Member| ["image", "input_image", "image_url"].iter().any(|name| tag.says(&self.text, name));
                if find(&self.text, &members, "type").is_some_and(is_picture) {
                    needs.vision = true;
                    return MEDIUM_TOKENS;
                }
                members.iter().map(|member| self.value_tokens(member.value, needs)).sum()
            }
            _ => 0,
        }
    }

    fn member_tokens(&self, member: Member, needs: &mut Needs) -> usize {
        let raw = member.value.of(&self.text);
        match &*member.name(&self.text) {
            "content" if member.kind(&self.text) == Kind::Array => {
                let parts = items(&self.text, member.value).unwrap_or_default();
                parts.into_iter().map(|part| self.part_tokens(part, needs)).sum()
            }
            "content" | "reasoning_content" | "reasoning" => estimate(&string(raw)),
            "tool_calls" | "function_call" => estimate(raw),
            _ => 0,
        }
    }

    fn part_tokens(&self, part: Span, needs: &mut Needs) -> usize {
        let fields = members(&self.text, part).unwrap_or_default();
        let Some(tag) = find(&self.text, &fields, "type") else { return 0 };
        match &*string(tag.value.of(&self.text)) {
            "image_url" | "image" | "input_image" | "video_url" | "video" => needs.vision = true,
            "input_audio" | "audio_url" | "audio" => needs.audio = true,
            _ => {
                return find(&self.text, &fields, "text")
                    .map_or(0, |text| estimate(&string(text.value.of(&self.text))));
            }
        }
        MEDIUM_TOKENS
    }
}

/// How many tokens a text has, by the rule of [`Needs::prompt_tokens`].
fn estimate(text: &str) -> usize {
    // Most texts, and many times faster.
    if text.is_ascii() {
        return text.len().div_ceil(4);
    }
    let wide = text.chars().filter(|c| is_wide(*c));
    let (count, bytes) = wide.fold((0, 0), |(count, bytes), c| (count + 1, bytes + c.len_utf8()));
    count + (text.len() - bytes).div_ceil(4)
}
