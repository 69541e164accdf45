//! What can be changed so that an upstream that refused a request for one of its parameters takes it.
//!
//! The vendor's words say what is wrong; only what leaves the meaning of the request as it is gets changed: an optional field
//! that tunes the answer, a number that is out of a range, the other name of the same bound, earlier reasoning. What the model is
//! told, may call, and has to answer in (`messages`, `tools`, `response_format`, `stop`, `n`) is never touched: then the error is the caller's.
//! A request is repaired once, and never sent again as it was.

mod overflow;
mod words;

use super::Request;
use super::build::{Change, Target, others};
use super::edit::Edit;
use super::message::Role;
use super::preset::Row;
use super::replay::Replay;
use super::span::{Kind, Member, find, quoted};
use crate::error::{Error, ErrorKind};
use crate::text::{after, has};
use std::borrow::Cow;
use words::{ONE, bare, bounds, decimal, ends, mention, micros, numbers};

/// A request that the upstream may take where it refused another.
#[derive(Clone, Debug)]
pub struct Repair {
    /// For the target that refused; another route gets the request as the caller made it.
    pub request: Request,
    /// The replay policy to build it with, instead of the target's.
    pub replay: Option<Replay>,
    /// What the caller should hear.
    pub change: Change,
}

/// Fields that may be left out where an upstream does not know them.
const OPTIONAL: &[&str] = &[
    // They tune how words are drawn; without them the model draws by its defaults.
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
    "seed",
    // They ask for figures beside the answer, which an upstream without them cannot give.
    "logprobs",
    "top_logprobs",
    "stream_options",
    // They tell the vendor who asks, or where to keep and file it. (`user_id` is not here: it keeps apart what DeepSeek caches of two users.)
    "user",
    "metadata",
    "store",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    // They turn a switch that the model has not got.
    "parallel_tool_calls",
    "reasoning_effort",
    "verbosity",
    "thinking",
    "enable_thinking",
    "thinking_budget",
];

/// Numbers that may be moved into a range, and whether they are whole.
const NUMBERS: &[(&str, bool)] = &[
    ("temperature", false),
    ("top_p", false),
    ("min_p", false),
    ("presence_penalty", false),
    ("frequency_penalty", false),
    ("repetition_penalty", false),
    ("top_k", true),
    ("logprobs", true),
    ("top_logprobs", true),
    ("max_tokens", true),
    ("max_completion_tokens", true),
    ("thinking_budget", true),
];

/// Two names of the same bound.
const LENGTH: [&str; 2] = ["max_tokens", "max_completion_tokens"];

/// How vendors say that they do not take a field.
const REFUSED: &[&str] = &[
    "unsupported",
    "not supported",
    "not support",
    "n't support",
    "unknown",
    "unrecognized",
    "unrecognised",
    "unexpected",
    "extra inputs",
    "extra_forbidden",
    "additional properties",
    "not permitted",
    "not allowed",
    "not available",
    "deprecated",
    "may only be set",
    "is allowed for",
    "cannot be used",
    "cannot both be",
    "不支持",
    "不允许",
    "未知",
    "无法识别",
];

/// How vendors ask for the reasoning that a request lacks.
const WANTED: &[&str] =
    &["passed back", "pass back", "missing", "is required", "must be provided", "must include", "必须", "缺少"];

impl Request {
    /// What to send instead to an upstream that refused this request with `error` ([`classify_failure`] of its answer). `None` where
    /// nothing can be changed safely, or where the change would change nothing in what is sent.
    ///
    /// [`classify_failure`]: crate::reply::classify_failure
    pub fn repaired(&self, error: &Error, target: &Target<'_>) -> Option<Repair> {
        // Of others than completions nothing is known that could be left out or changed without the caller's word.
        let vendor = error.vendor().filter(|_| self.endpoint.is_completion())?;
        let said = [vendor.message.as_deref().unwrap_or(""), " ", vendor.code.as_deref().unwrap_or("")].concat();
        let said = said.to_ascii_lowercase();
        let mender = Mender { request: self, target, said: &said, param: error.param() };
        let repair = match error.kind() {
            ErrorKind::InvalidRequest => mender.renamed().or_else(|| mender.clamped()).or_else(|| mender.left_out()),
            ErrorKind::ContextOverflow => mender.trimmed(),
            ErrorKind::ReasoningReplay => mender.replayed(),
            _ => None,
        }?;
        let replay = repair.replay.or(target.replay);
        let sent = self.build(target).ok()?.body;
        let new = repair.request.build(&Target { replay, ..*target }).ok()?.body;
        (sent != new).then_some(repair)
    }
}

struct Mender<'a> {
    request: &'a Request,
    target: &'a Target<'a>,
    /// What the vendor said, its code behind its message, in lower case.
    said: &'a str,
    param: Option<&'a str>,
}

/// A field that the upstream saw.
#[derive(Clone, Copy)]
enum Sent<'a> {
    /// The caller set it.
    Own(Member),
    /// The preset set it.
    Preset(&'a Row),
    /// We asked for token counts.
    Usage,
}

impl<'a> Mender<'a> {
    fn text(&self) -> &'a str {
        &self.request.text
    }

    fn model(&self) -> &'a str {
        if self.target.model.is_empty() { self.request.model().unwrap_or_default() } else { self.target.model }
    }

    fn find(&self, name: &str) -> Option<Member> {
        find(self.text(), &self.request.members, name)
    }

    /// The preset's rows that count: those whose field the caller did not set.
    fn rows(&self) -> impl Iterator<Item = &'static Row> {
        let (endpoint, dialect) = (self.request.endpoint, self.target.dialect);
        let rows = self.request.preset.into_iter().flat_map(move |preset| preset.rows(endpoint, dialect, self.model()));
        rows.filter(|row| self.find(row.field).is_none() && !row.aliases.iter().any(|alias| self.find(alias).is_some()))
    }

    /// The field that the upstream saw under this name.
    fn sent(&self, name: &str) -> Option<Sent<'a>> {
        let known = |member: &&Member| {
            let own = member.name(self.text());
            member.kind(self.text()) != Kind::Null
                && self.target.dialect.field_name(self.request.endpoint, &own).unwrap_or(&own) == name
        };
        let own = self.request.members.iter().find(known).copied().map(Sent::Own);
        let row = || self.rows().find(|row| row.field == name).map(Sent::Preset);
        let usage = || {
            let asked = self.request.is_stream() && self.target.add_usage && !self.request.usage_refused;
            (asked && name == "stream_options").then_some(Sent::Usage)
        };
        own.or_else(row).or_else(usage)
    }

    /// The field that the vendor means, if the upstream saw it: the one that it names as `param`, else the first in its words.
    fn named(&self) -> Option<Cow<'a, str>> {
        if let Some(param) = self.param {
            let head = param.split(['.', '[']).next().unwrap_or(param);
            if self.sent(head).is_some() {
                return Some(Cow::Borrowed(head));
            }
        }
        let own = self.request.members.iter().map(|member| member.name(self.text()));
        let ours = OPTIONAL.iter().chain(&LENGTH).map(|name| Cow::Borrowed(*name));
        let mentioned = own.chain(ours).filter_map(|name| {
            let at = mention(self.said, &name.to_ascii_lowercase())?;
            self.sent(&name).map(|_| (at, name))
        });
        mentioned.min_by_key(|(at, _)| *at).map(|(_, name)| name)
    }

    fn edit(&self) -> Edit<'a> {
        Edit::new(self.text(), &self.request.members)
    }

    fn done(&self, edit: Edit<'_>, field: &str, what: impl Into<Cow<'static, str>>) -> Option<Repair> {
        let request = self.request.edited(edit)?;
        Some(Repair { request, replay: None, change: Change { field: field.to_owned(), what: what.into() } })
    }

    /// The name under which the caller knows a field.
    fn own_name(&self, sent: Sent<'_>) -> String {
        match sent {
            Sent::Own(member) => member.name(self.text()).into_owned(),
            Sent::Preset(row) => row.field.to_owned(),
            Sent::Usage => String::from("stream_options"),
        }
    }

    fn value(&self, sent: Sent<'a>) -> &'a str {
        match sent {
            Sent::Own(member) => member.value.of(self.text()),
            Sent::Preset(row) => row.value,
            Sent::Usage => "",
        }
    }

    /// `max_tokens` under its other name, if the vendor asks for that or does not know this one; one of them, where both are sent.
    fn renamed(&self) -> Option<Repair> {
        let refused = self.refuses();
        for (new, old) in [(LENGTH[1], LENGTH[0]), (LENGTH[0], LENGTH[1])] {
            let Some(sent) = self.sent(old) else { continue };
            // What the dialect renames is sent under one name, whatever the caller calls it.
            if self.target.dialect.field_name(self.request.endpoint, new).is_some() {
                continue;
            }
            let asked = mention(self.said, new).is_some_and(|at| {
                let before = bare(self.said.get(..at).unwrap_or_default());
                ends(
                    before,
                    &[
                        "use",
                        "use of",
                        "to",
                        "favor of",
                        "favour of",
                        "replaced by",
                        "replaced with",
                        "使用",
                        "改用",
                        "改为",
                    ],
                )
            });
            let unknown = refused && self.named().is_some_and(|name| name == old);
            if !asked && !unknown {
                continue;
            }
            let mut edit = self.edit();
            if self.find(new).is_some() {
                edit.remove(&self.own_name(sent));
                return self.done(
                    edit,
                    old,
                    ["Left out: ", new, " is set as well, and this upstream takes only one."].concat(),
                );
            }
            match sent {
                Sent::Own(member) => {
                    edit.remove(new);
                    edit.replace(member.key, quoted(new));
                }
                _ => edit.set(new, self.value(sent).to_owned()),
            }
            return self.done(
                edit,
                &self.own_name(sent),
                ["Sent as ", new, ": the upstream asks for that name."].concat(),
            );
        }
        None
    }

    /// A number moved into the range that the vendor states.
    fn clamped(&self) -> Option<Repair> {
        let name = self.named()?;
        let &(_, whole) = NUMBERS.iter().find(|(known, _)| *known == name)?;
        let sent = self.sent(&name)?;
        let value = micros(self.value(sent))?;
        let bounds = bounds(&numbers(self.said));
        // Where the bound itself is not allowed, the nearest that makes a difference to the model.
        let step = if whole { ONE } else { ONE / 100 };
        let most = bounds.most.map_or(i64::MAX, |(most, open)| if open { most.saturating_sub(step) } else { most });
        let least =
            bounds.least.map_or(i64::MIN, |(least, open)| if open { least.saturating_add(step) } else { least });
        if least > most {
            return None;
        }
        let (new, than) = match value {
            _ if value > most => (most, "more"),
            _ if value < least => (least, "less"),
            _ => return None,
        };
        let new = decimal(if whole { new / ONE * ONE } else { new });
        let field = self.own_name(sent);
        let mut edit = self.edit();
        edit.set(&field, new.clone());
        self.done(edit, &field, ["Sent as ", &new, ": the upstream takes no ", than, "."].concat())
    }

    fn refuses(&self) -> bool {
        REFUSED.iter().any(|word| has(self.said, word))
    }

    /// An optional field left out that the vendor does not take; all that its words enumerate.
    fn left_out(&self) -> Option<Repair> {
        let first = self.named().filter(|_| self.refuses())?;
        if !OPTIONAL.contains(&&*first) {
            return None;
        }
        let list = after(self.said, "arguments supplied:").unwrap_or_default();
        let listed = |name: &str| list.split(',').any(|item| bare(item).split(' ').next() == Some(name));
        let gone = |name: &str| {
            name == first
                // One means nothing without the other.
                || (first == "logprobs" && name == "top_logprobs")
                || listed(name)
        };
        let gone: Vec<&str> = OPTIONAL.iter().copied().filter(|name| gone(name) && self.sent(name).is_some()).collect();
        let mut edit = self.edit();
        let mut request = self.request.clone();
        if self.rows().any(|row| gone.contains(&row.field)) {
            // What is left of the preset is written out, so that it does not set the field again.
            for row in self.rows().filter(|row| !gone.contains(&row.field)) {
                match row.field {
                    "stream" => request.stream = request.stream.or(Some(true)),
                    field => edit.set(field, row.value),
                }
            }
            edit.remove("preset");
            request.preset = None;
        }
        for name in &gone {
            match self.sent(name)? {
                Sent::Own(member) => edit.remove(&member.name(self.text())),
                Sent::Preset(_) | Sent::Usage => {}
            }
        }
        request.usage_refused |= gone.contains(&"stream_options");
        let what = ["Left out: the upstream does not take it", &others(gone.len()), "."].concat().into();
        let change = Change { field: self.own_name(self.sent(&first)?), what };
        Some(Repair { request: request.edited(edit)?, replay: None, change })
    }

    /// `max_tokens` lowered to what the prompt leaves of the model's context.
    fn trimmed(&self) -> Option<Repair> {
        let sent = LENGTH.iter().find_map(|name| self.sent(name));
        let asked = sent.and_then(|sent| self.value(sent).parse().ok());
        let room = overflow::room(&numbers(self.said), self.said, asked)?;
        let field = sent.map_or_else(|| String::from(LENGTH[0]), |sent| self.own_name(sent));
        let room = room.to_string();
        let mut edit = self.edit();
        edit.set(&field, room.clone());
        self.done(edit, &field, ["Sent as ", &room, ": the model's context holds no more behind this prompt."].concat())
    }

    /// Earlier reasoning given back, or left out, as the vendor wants it.
    fn replayed(&self) -> Option<Repair> {
        let messages = &self.request.messages;
        let wanted = WANTED.iter().any(|word| has(self.said, word));
        let (replay, what) = match wanted {
            true => (Replay::Keep, "Sent back: the upstream asks for it."),
            false => (Replay::Strip, "Left out: the upstream refuses to have it back."),
        };
        // Where a turn that called tools has lost its reasoning, nobody can give it back.
        let lost = |message: &super::message::Message| {
            message.role == Role::Assistant && message.calls_tools && !message.reasoning
        };
        if wanted && messages.iter().any(lost) {
            return None;
        }
        let index = messages.iter().position(|message| message.role == Role::Assistant && message.reasoning)?;
        let field = ["messages[", &index.to_string(), "].reasoning_content"].concat();
        let change = Change { field, what: what.into() };
        Some(Repair { request: self.request.clone(), replay: Some(replay), change })
    }
}
