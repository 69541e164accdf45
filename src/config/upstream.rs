//! Upstreams as configured.

use super::base_url::BaseUrl;
use super::model::{self, Models};
use super::number;
use super::read::Node;
use crate::error::Error;
use crate::exchange::Budgets;
use crate::reply::ThinkTags;
use crate::request::{Dialect, Endpoint};

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
    pub(super) trusted: bool,
    pub(super) think_tags: ThinkTags,
    pub(super) budgets: Budgets,
    /// Its part of the calls for models that others serve too.
    pub(super) weight: Option<u32>,
    /// What it has; `None`: what the dialect has.
    pub(super) endpoints: Option<Vec<Endpoint>>,
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

    /// Whether it may read what is hidden from others.
    pub fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// How inline reasoning is read.
    pub fn think_tags(&self) -> ThinkTags {
        self.think_tags
    }

    /// Whether it has an endpoint: as the configuration lists them, else as its dialect has them.
    pub fn serves(&self, endpoint: Endpoint) -> bool {
        match &self.endpoints {
            Some(listed) => listed.contains(&endpoint),
            None => self.dialect.serves(endpoint),
        }
    }

    /// Time budgets of a call to it.
    pub fn budgets(&self) -> Budgets {
        self.budgets
    }
}

const FIELDS: &[&str] = &[
    "name",
    "dialect",
    "base_url",
    "secret",
    "models",
    "headers",
    "scripted",
    "trusted",
    "think_tags",
    "budgets",
    "weight",
    "endpoints",
];

pub(super) const DIALECTS: &[(&str, Dialect)] =
    &[("openai", Dialect::OpenAi), ("deepseek", Dialect::DeepSeek), ("siliconflow", Dialect::SiliconFlow)];

const THINK_TAGS: &[(&str, ThinkTags)] =
    &[("auto", ThinkTags::Auto), ("open", ThinkTags::Open), ("off", ThinkTags::Off)];

pub(super) fn read(node: Node<'_>, development: bool, budgets: &Budgets) -> Result<Upstream, Error> {
    let fields = node.object(FIELDS)?;
    let budgets = fields.optional("budgets", |node| number::budgets(node, budgets))?.unwrap_or(*budgets);
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
        models: fields
            .required("models", "an array of model ids, or \"upstream\"", |node| model::read(node, &budgets))?,
        headers: fields.optional("headers", super::headers::read)?.unwrap_or_default(),
        scripted: fields.optional("scripted", |node| node.boolean())?.unwrap_or(false),
        trusted: fields.optional("trusted", |node| node.boolean())?.unwrap_or(false),
        think_tags: fields.optional("think_tags", |node| node.choice(THINK_TAGS))?.unwrap_or(ThinkTags::Auto),
        weight: fields.optional("weight", number::weight)?,
        endpoints: fields.optional("endpoints", |node| node.items(Endpoint::ALL.len(), endpoint))?,
        budgets,
    })
}

fn endpoint(node: Node<'_>) -> Result<Endpoint, Error> {
    let names: Vec<_> = Endpoint::ALL.iter().map(|endpoint| (endpoint.as_str(), *endpoint)).collect();
    node.choice(&names)
}

fn name(node: Node<'_>) -> Result<String, Error> {
    let what = "a name of 1 to 64 lower-case letters, digits and hyphens";
    let text = node.string(what)?;
    let is_name = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if is_name && (1..=64).contains(&text.len()) { Ok(text.to_owned()) } else { Err(node.expected(what)) }
}

pub(super) fn secret(node: Node<'_>) -> Result<String, Error> {
    // Vendors' keys have lower-case letters or hyphens: a key that is pasted here is told from a name, and not kept.
    let what = "the name of a secret, in upper-case letters, digits and _ (never the key itself)";
    let text = node.string(what)?;
    let is_name = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        && text.starts_with(|first: char| first.is_ascii_uppercase());
    if is_name && text.len() <= 64 { Ok(text.to_owned()) } else { Err(node.expected(what)) }
}
