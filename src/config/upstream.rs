//! Upstreams as configured, and which of them serves a model.

use super::base_url::BaseUrl;
use super::read::{Node, fault};
use crate::error::Error;
use crate::exchange::Budgets;
use crate::reply::ThinkTags;
use crate::request::{Dialect, Replay};

/// One provider, or one server that speaks like one.
#[derive(Clone, Debug)]
pub struct Upstream {
    pub(super) name: String,
    pub(super) dialect: Dialect,
    pub(super) base_url: BaseUrl,
    pub(super) secret: Option<String>,
    pub(super) models: Models,
    pub(super) headers: Vec<(String, String)>,
    pub(super) scripted: bool,
    pub(super) think_tags: ThinkTags,
    pub(super) budgets: Budgets,
}

/// What an upstream serves.
#[derive(Clone, Debug)]
pub enum Models {
    /// What the configuration lists.
    Listed(Vec<Model>),
    /// Whatever the upstream's own list says; any model that nobody else lists is sent there.
    Upstream,
}

/// One model, or all whose ids start alike.
#[derive(Clone, Debug)]
pub struct Model {
    /// The id that callers use; without the `*` if it is a pattern.
    pub(super) id: String,
    pub(super) is_prefix: bool,
    pub(super) upstream_id: Option<String>,
    pub(super) replay: Option<Replay>,
}

impl Upstream {
    /// Its name: shown to callers, in logs and on the page.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whose form of the protocol it speaks.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Where it is.
    pub fn base_url(&self) -> &BaseUrl {
        &self.base_url
    }

    /// The name of the secret that holds its key.
    pub fn secret(&self) -> Option<&str> {
        self.secret.as_deref()
    }

    /// What it serves.
    pub fn models(&self) -> &Models {
        &self.models
    }

    /// Extra headers of every request to it, names in lower case.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// Whether it is a script instead of a model: the page says so.
    pub fn is_scripted(&self) -> bool {
        self.scripted
    }

    /// How inline reasoning is read.
    pub fn think_tags(&self) -> ThinkTags {
        self.think_tags
    }

    /// Time budgets of a call to it.
    pub fn budgets(&self) -> Budgets {
        self.budgets
    }
}

impl Model {
    /// The id, or the pattern with its `*`.
    pub fn shown(&self) -> String {
        format!("{}{}", self.id, if self.is_prefix { "*" } else { "" })
    }

    /// The id, if it is one id and no pattern.
    pub fn id(&self) -> Option<&str> {
        (!self.is_prefix).then_some(self.id.as_str())
    }
}

/// Where a call goes.
#[derive(Clone, Copy, Debug)]
pub struct Route<'a> {
    /// The upstream that serves the model.
    pub upstream: &'a Upstream,
    /// The model's id there.
    pub model: &'a str,
    /// The model's own rule for earlier reasoning; `None`: the dialect's.
    pub replay: Option<Replay>,
}

/// Who serves `model`: the upstream that lists the id; else the one with the longest pattern that fits; else the first that
/// takes its own list. Between equals the first.
pub(super) fn route<'a>(upstreams: &'a [Upstream], model: &'a str) -> Option<Route<'a>> {
    let mut best: Option<(usize, Route<'a>)> = None;
    for upstream in upstreams {
        let mut consider = |rank: usize, rule: Option<&'a Model>| {
            if best.is_none_or(|(other, _)| rank > other) {
                let id = rule.and_then(|rule| rule.upstream_id.as_deref()).unwrap_or(model);
                best = Some((rank, Route { upstream, model: id, replay: rule.and_then(|rule| rule.replay) }));
            }
        };
        match &upstream.models {
            Models::Upstream => consider(0, None),
            Models::Listed(rules) => {
                for rule in rules {
                    if !rule.is_prefix && rule.id == model {
                        consider(usize::MAX, Some(rule));
                    } else if rule.is_prefix && model.starts_with(rule.id.as_str()) {
                        consider(1 + rule.id.len(), Some(rule));
                    }
                }
            }
        }
    }
    best.map(|(_, route)| route)
}

const FIELDS: &[&str] =
    &["name", "dialect", "base_url", "secret", "models", "headers", "scripted", "think_tags", "budgets"];

pub(super) const DIALECTS: &[(&str, Dialect)] =
    &[("openai", Dialect::OpenAi), ("deepseek", Dialect::DeepSeek), ("siliconflow", Dialect::SiliconFlow)];

const THINK_TAGS: &[(&str, ThinkTags)] =
    &[("auto", ThinkTags::Auto), ("open", ThinkTags::Open), ("off", ThinkTags::Off)];

const REPLAY: &[(&str, Replay)] =
    &[("keep", Replay::Keep), ("strip", Replay::Strip), ("with_tools", Replay::WithTools)];

/// The most models of one upstream: a page of them is shown and each is compared per call.
const MOST_MODELS: usize = 500;

pub(super) fn read(node: Node<'_>, development: bool, budgets: &Budgets) -> Result<Upstream, Error> {
    let fields = node.object(FIELDS)?;
    Ok(Upstream {
        name: fields.required("name", "a name of lower-case letters, digits and hyphens", name)?,
        dialect: fields
            .required("dialect", "\"openai\", \"deepseek\" or \"siliconflow\"", |node| node.choice(DIALECTS))?,
        base_url: fields.required(
            "base_url",
            "the base address of the API, like https://api.example.com/v1",
            |node| {
                let text = node.string("an address, like https://api.example.com/v1")?;
                BaseUrl::parse(text, development).map_err(|what| node.expected(what))
            },
        )?,
        secret: fields.optional("secret", secret)?,
        models: fields.required("models", "an array of model ids, or \"upstream\"", models)?,
        headers: fields.optional("headers", super::headers::read)?.unwrap_or_default(),
        scripted: fields.optional("scripted", |node| node.boolean())?.unwrap_or(false),
        think_tags: fields.optional("think_tags", |node| node.choice(THINK_TAGS))?.unwrap_or(ThinkTags::Auto),
        budgets: fields.optional("budgets", |node| super::number::budgets(node, budgets))?.unwrap_or(*budgets),
    })
}

fn name(node: Node<'_>) -> Result<String, Error> {
    let what = "a name of 1 to 64 lower-case letters, digits and hyphens";
    let text = node.string(what)?;
    let is_name = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if is_name && (1..=64).contains(&text.len()) { Ok(text.to_owned()) } else { Err(node.expected(what)) }
}

fn secret(node: Node<'_>) -> Result<String, Error> {
    // Vendors' keys have lower-case letters or hyphens: a key that is pasted here is told from a name, and not kept.
    let what = "the name of a secret, in upper-case letters, digits and _ (never the key itself)";
    let text = node.string(what)?;
    let is_name = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        && text.starts_with(|first: char| first.is_ascii_uppercase());
    if is_name && text.len() <= 64 { Ok(text.to_owned()) } else { Err(node.expected(what)) }
}

fn models(node: Node<'_>) -> Result<Models, Error> {
    if node.is_string() {
        return node
            .choice(&[("upstream", ())])
            .map(|()| Models::Upstream)
            .map_err(|_| node.expected("an array of model ids, or \"upstream\" for the upstream's own list"));
    }
    let models = node.items(MOST_MODELS, model)?;
    if models.is_empty() { Err(node.expected("at least one model")) } else { Ok(Models::Listed(models)) }
}

fn model(node: Node<'_>) -> Result<Model, Error> {
    if node.is_string() {
        let (id, is_prefix) = model_id(node, true)?;
        return Ok(Model { id, is_prefix, upstream_id: None, replay: None });
    }
    let fields = node.object(&["id", "upstream_id", "reasoning_replay"])?;
    let (id, is_prefix) = fields.required("id", "the model's id", |node| model_id(node, true))?;
    let upstream_id = fields.optional("upstream_id", |node| model_id(node, false))?.map(|(id, _)| id);
    if is_prefix && upstream_id.is_some() {
        return Err(fault(format!("{}.upstream_id", node.path()), "A pattern cannot be renamed; name one id."));
    }
    let replay = fields.optional("reasoning_replay", |node| node.choice(REPLAY))?;
    Ok(Model { id, is_prefix, upstream_id, replay })
}

fn model_id(node: Node<'_>, may_be_pattern: bool) -> Result<(String, bool), Error> {
    let what = if may_be_pattern {
        "a model id of at most 256 visible ASCII characters; a * only at its end"
    } else {
        "a model id of at most 256 visible ASCII characters"
    };
    let text = node.string(what)?;
    let (id, is_prefix) = match text.strip_suffix('*') {
        Some(prefix) if may_be_pattern => (prefix, true),
        _ => (text, false),
    };
    let is_id = id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'*');
    if is_id && text.len() <= 256 && (is_prefix || !id.is_empty()) {
        Ok((id.to_owned(), is_prefix))
    } else {
        Err(node.expected(what))
    }
}
