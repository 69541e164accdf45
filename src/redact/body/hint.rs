//! A word to the model about tokens: at the end of the first system message, or as one of its own.

use crate::json::write::quoted;
use crate::redact::policy::Language;
use crate::request::span::{Kind, Member, Span, find, items, members};

/// What the model is told.
fn words(language: Language) -> &'static str {
    match language {
        Language::Zh => "文中形如 ⟦…⟧ 的标记代替了隐私内容。需要提到时,请原样写出,不要改动、翻译、拆分或编造。",
        Language::En => {
            "Marks like ⟦…⟧ stand for private data. Where you need one, write it exactly as it is; do not change, translate, split or invent any."
        }
    }
}

/// The request with the hint; `None` if it is no chat. `apart`: what is said to the model stands in `system`, not in a message.
pub(super) fn add(text: &str, language: Language, apart: bool) -> Option<String> {
    let start = text.len() - text.trim_ascii_start().len();
    let document = Span { start, end: text.trim_ascii_end().len() };
    let top = members(text, document).ok()?;
    let messages = find(text, &top, "messages").filter(|messages| messages.kind(text) == Kind::Array)?;
    let list = items(text, messages.value).ok()?;
    let first = *list.first()?;
    if let Some(system) = find(text, &top, "system") {
        return extend(text, system, words(language));
    }
    if apart {
        let system = [r#""system":"#, &quoted(words(language)), ","].concat();
        return Some(insert(text, start + 1, &system));
    }
    let message = members(text, first).ok()?;
    let speaks = find(text, &message, "role")?;
    if speaks.says(text, "system") || speaks.says(text, "developer") {
        return extend(text, find(text, &message, "content")?, words(language));
    }
    let message = [r#"{"role":"system","content":"#, &quoted(words(language)), "},"].concat();
    Some(insert(text, first.start, &message))
}

/// The text of a member with the hint behind it.
fn extend(text: &str, member: Member, words: &str) -> Option<String> {
    let at = member.value.end.checked_sub(1)?;
    match member.kind(text) {
        Kind::String => {
            let quoted = quoted(words);
            Some(insert(text, at, &["\\n\\n", quoted.get(1..quoted.len() - 1)?].concat()))
        }
        Kind::Array => {
            let comma = if items(text, member.value).ok()?.is_empty() { "" } else { "," };
            Some(insert(text, at, &[comma, r#"{"type":"text","text":"#, &quoted(words), "}"].concat()))
        }
        _ => None,
    }
}

fn insert(text: &str, at: usize, what: &str) -> String {
    let (before, behind) = text.split_at_checked(at).unwrap_or((text, ""));
    [before, what, behind].concat()
}
