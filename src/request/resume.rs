//! The request that goes on with an answer that broke off.
//!
//! `max_tokens` stays as it is. What was produced already is not known: a stream that breaks says no counts, and an estimate by the
//! text that is too high would cut a good answer short, or leave nothing for one that its bound cut off and that is to go on. So an
//! answer may get that bound once more for each continuation; whoever continues bounds how often.

use super::anchor::anchor;
use super::dialect::Dialect;
use super::edit::Edit;
use super::endpoint::Endpoint;
use super::fault::invalid;
use super::message::{Message, Role};
use super::span::{Kind, Member, find, members, quoted, string};
use super::{Request, anchor::is_wide};
use crate::error::Error;
use core::str::FromStr;

/// How an upstream is asked to go on with a broken answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContinueBy {
    /// A last message of the assistant with `prefix: true`, as DeepSeek has it, at the beta address ([`url`](super::url())). Exact.
    Prefix,
    /// A last message of the assistant, which the server goes on with. Exact.
    ///
    /// llama.cpp and Ollama do so by themselves; vLLM, SGLang and newer llama.cpp when `continue_final_message` is true and
    /// `add_generation_prompt` false, which the others do not mind. OpenAI does; and most servers refuse it of a model that thinks.
    Prefill,
    /// In words, which every model understands: the answer is to begin with its own last words ([`anchor`]). [`Splice`] cuts them off.
    ///
    /// [`Splice`]: crate::exchange::Splice
    Anchor,
    /// Never.
    Off,
}

impl ContinueBy {
    /// Every way, for tables and tests.
    pub const ALL: &'static [ContinueBy] =
        &[ContinueBy::Prefix, ContinueBy::Prefill, ContinueBy::Anchor, ContinueBy::Off];

    /// `prefix`, `prefill`, `anchor` or `off`.
    pub fn as_str(self) -> &'static str {
        match self {
            ContinueBy::Prefix => "prefix",
            ContinueBy::Prefill => "prefill",
            ContinueBy::Anchor => "anchor",
            ContinueBy::Off => "off",
        }
    }

    /// What is right for a model where nothing is configured.
    ///
    /// ### Default
    /// [`ContinueBy::Prefix`] for DeepSeek's own API, which has it for all its models. [`ContinueBy::Anchor`] elsewhere: it is never refused, where
    /// a prefix (SiliconFlow's R1) or an unknown field (OpenAI) is. A server that goes on by itself has to be configured as one.
    pub fn for_model(dialect: Dialect, _model: &str) -> ContinueBy {
        match dialect {
            Dialect::DeepSeek => ContinueBy::Prefix,
            Dialect::OpenAi | Dialect::SiliconFlow => ContinueBy::Anchor,
        }
    }
}

impl FromStr for ContinueBy {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = ContinueBy::ALL.iter().find(|by| by.as_str() == name);
        found.copied().ok_or_else(|| invalid("continue_by", "Not one of prefix, prefill, anchor, off."))
    }
}

impl Request {
    /// The request that goes on with an answer of which `text` and `reasoning` have arrived. To be asked of the first request each time,
    /// with all that has arrived, not of a continued one.
    ///
    /// A last message of the assistant that the caller wrote to be gone on with stays one message with the text. A prompt of the completions endpoint
    /// gets the text behind it, whatever the way: that is what such a model does.
    ///
    /// `None` where it cannot be done: `Off`; several choices or prompts; an answer that must be JSON (a constrained model begins anew) or
    /// is spoken; nothing of the text has arrived (by a prefix, reasoning is enough: the model answers from what it has thought); a last
    /// message of the assistant with parts, or with calls of tools; a request over its limits. Whether a call of a tool had begun is for the
    /// caller to know: it cannot be gone on with.
    pub fn continued(&self, by: ContinueBy, text: &str, reasoning: &str) -> Option<Request> {
        if by == ContinueBy::Off || !self.can_be_continued() {
            return None;
        }
        let enough = match by {
            ContinueBy::Prefix if self.endpoint == Endpoint::ChatCompletions => {
                !text.is_empty() || !reasoning.is_empty()
            }
            ContinueBy::Anchor if self.endpoint == Endpoint::ChatCompletions => !anchor(text).is_empty(),
            _ => !text.is_empty(),
        };
        if !enough {
            return None;
        }
        let mut edit = Edit::new(&self.text, &self.members);
        match self.endpoint {
            Endpoint::Completions => self.lengthen_prompt(&mut edit, text)?,
            _ => {
                self.give_back(&mut edit, by, text, reasoning)?;
                if by == ContinueBy::Prefill {
                    edit.set("add_generation_prompt", "false");
                    edit.set("continue_final_message", "true");
                }
            }
        }
        self.edited(edit)
    }

    /// Whether an answer to this request can be gone on with at all.
    pub(crate) fn can_be_continued(&self) -> bool {
        self.endpoint.is_completion() && self.choices() == 1 && !self.wants_json() && !self.wants_speech()
    }

    /// Puts the text behind the prompt, which must be one, and not part of the answer (`echo`).
    fn lengthen_prompt(&self, edit: &mut Edit<'_>, text: &str) -> Option<()> {
        if find(&self.text, &self.members, "echo").is_some_and(|echo| echo.value.of(&self.text) == "true") {
            return None;
        }
        let prompt =
            find(&self.text, &self.members, "prompt").filter(|prompt| prompt.kind(&self.text) == Kind::String)?;
        edit.replace(prompt.value, quoted(&[&*string(prompt.value.of(&self.text)), text].concat()));
        Some(())
    }

    /// Gives the model its own text back as the last message of the assistant, and for an anchor asks it to go on.
    fn give_back(&self, edit: &mut Edit<'_>, by: ContinueBy, text: &str, reasoning: &str) -> Option<()> {
        let list = find(&self.text, &self.members, "messages")?;
        let mut end = list.value;
        end.start = end.end.checked_sub(1)?;
        end.end = end.start;
        let mut added = String::new();
        // Behind words of ours, reasoning is part of an earlier message, and wanted there only in a turn with calls of tools.
        let thoughts = if by != ContinueBy::Anchor || self.turn_calls_tools() { reasoning } else { "" };
        match self.messages.last().filter(|last| last.role == Role::Assistant) {
            Some(last) => self.merge(edit, last, by, text, thoughts)?,
            None => {
                added.push_str(r#",{"role":"assistant","content":"#);
                added.push_str(&quoted(text));
                if !thoughts.is_empty() {
                    added.push_str(r#","reasoning_content":"#);
                    added.push_str(&quoted(thoughts));
                }
                added.push_str(if by == ContinueBy::Prefix { r#","prefix":true}"# } else { "}" });
            }
        }
        if by == ContinueBy::Anchor {
            let asking = if is_chinese(text) { CHINESE } else { ENGLISH };
            added.push_str(r#",{"role":"user","content":"#);
            added.push_str(&quoted(&[asking, anchor(text)].concat()));
            added.push('}');
        }
        edit.replace(end, added);
        Some(())
    }

    /// Puts the text behind what the last message says.
    fn merge(&self, edit: &mut Edit<'_>, last: &Message, by: ContinueBy, text: &str, reasoning: &str) -> Option<()> {
        let fields = members(&self.text, last.span).ok()?;
        let place = |name: &str| fields.iter().position(|field| field.is(&self.text, name));
        let content = find(&self.text, &fields, "content");
        if last.calls_tools || content.is_some_and(|content| content.kind(&self.text) != Kind::String) {
            return None;
        }
        let mut set = |name: &str, value: String| match place(name).and_then(|index| fields.get(index)) {
            Some(field) => edit.replace(field.value, value),
            None => edit.add_nested(last.span, false, &[&quoted(name), ":", &value].concat()),
        };
        let own = |member: Option<Member>| member.map(|member| string(member.value.of(&self.text))).unwrap_or_default();
        set("content", quoted(&[&*own(content), text].concat()));
        if !reasoning.is_empty() {
            let before = own(find(&self.text, &fields, "reasoning_content"));
            set("reasoning_content", quoted(&[&*before, reasoning].concat()));
        }
        match (by, place("prefix")) {
            (ContinueBy::Prefix, _) => set("prefix", String::from("true")),
            // Only a last message may have it.
            (ContinueBy::Anchor, Some(index)) => edit.remove_nested(&fields, index),
            _ => {}
        }
        Some(())
    }

    /// Whether tools were called since the last message of the user.
    fn turn_calls_tools(&self) -> bool {
        let turn = self.messages.iter().rev().take_while(|message| message.role != Role::User);
        turn.into_iter().any(|message| message.calls_tools)
    }
}

const ENGLISH: &str = "Your last message broke off before its end. Go on with it from exactly where it stops. Begin by repeating, \
character for character, the piece below, which is how it ends, and write what follows directly behind it. No preface, no apology, no \
quotation marks around the piece, and nothing of what stands before it. The piece:\n\n";

const CHINESE: &str = "你的上一条消息没有写完就中断了。请从中断的地方接着写下去：先一字不差地重复下面这段结尾，再紧接着写后面的内容。\
不要开场白，不要道歉，不要给这段加引号，也不要重复它之前的内容。这段结尾是：\n\n";

/// How many characters at the end of a text its language is told by.
const TELLING: usize = 400;

/// Whether a text is Chinese rather than anything else: a quarter of its last letters are ideographs, and none is kana or hangul.
fn is_chinese(text: &str) -> bool {
    let (mut ideographs, mut letters) = (0, 0);
    for c in text.chars().rev().take(TELLING).filter(|c| c.is_alphabetic()) {
        match c {
            '\u{3040}'..='\u{30FF}' | '\u{AC00}'..='\u{D7AF}' => return false,
            _ if is_wide(c) => ideographs += 1,
            _ => letters += 1,
        }
    }
    ideographs > 0 && ideographs * 3 >= letters
}
