//! What an upstream serves: models one by one or by patterns, with what is known of each.

use super::number;
use super::read::{Node, fault};
use crate::error::Error;
use crate::exchange::{Budgets, Capabilities};
use crate::quota::Price;
use crate::request::{ContinueBy, Replay};

/// What an upstream serves.
#[derive(Clone, Debug)]
pub enum Models {
    /// What the configuration lists.
    Listed(Vec<Model>),
    /// Whatever the upstream's own list says; any model that nobody lists is sent there.
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
    pub(super) capabilities: Capabilities,
    pub(super) continuation: Option<ContinueBy>,
    pub(super) budgets: Budgets,
    pub(super) weight: Option<u32>,
    pub(super) price: Option<Price>,
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

    /// How well it fits the id that a caller asks for: an id best, then the longest pattern; `None` if it does not.
    pub(super) fn fits(&self, asked: &str) -> Option<usize> {
        match self.is_prefix {
            false => (self.id == asked).then_some(usize::MAX),
            true => asked.starts_with(self.id.as_str()).then_some(1 + self.id.len()),
        }
    }
}

/// The most models of one upstream: a page of them is shown and each is compared per call.
const MOST: usize = 500;

/// The longest context, in tokens: a hundred times the longest of today.
const LONGEST_CONTEXT: u32 = 100_000_000;

const REPLAY: &[(&str, Replay)] =
    &[("keep", Replay::Keep), ("strip", Replay::Strip), ("with_tools", Replay::WithTools)];

const CONTINUATION: &[(&str, ContinueBy)] = &[
    ("prefix", ContinueBy::Prefix),
    ("prefill", ContinueBy::Prefill),
    ("anchor", ContinueBy::Anchor),
    ("off", ContinueBy::Off),
];

/// `budgets` are the upstream's.
pub(super) fn read(node: Node<'_>, budgets: &Budgets) -> Result<Models, Error> {
    if node.is_string() {
        return node
            .choice(&[("upstream", ())])
            .map(|()| Models::Upstream)
            .map_err(|_| node.expected("an array of model ids, or \"upstream\" for the upstream's own list"));
    }
    let models = node.items(MOST, |node| model(node, budgets))?;
    if models.is_empty() { Err(node.expected("at least one model")) } else { Ok(Models::Listed(models)) }
}

fn model(node: Node<'_>, budgets: &Budgets) -> Result<Model, Error> {
    let plain = |(id, is_prefix)| Model {
        id,
        is_prefix,
        upstream_id: None,
        replay: None,
        capabilities: Capabilities::default(),
        continuation: None,
        budgets: *budgets,
        weight: None,
        price: None,
    };
    if node.is_string() {
        return id_or_pattern(node).map(plain);
    }
    let fields = node.object(&[
        "id",
        "upstream_id",
        "reasoning_replay",
        "context",
        "vision",
        "tools",
        "continuation",
        "budgets",
        "weight",
        "price",
    ])?;
    let mut model = plain(fields.required("id", "the model's id", id_or_pattern)?);
    model.upstream_id = fields.optional("upstream_id", id)?;
    if model.is_prefix && model.upstream_id.is_some() {
        return Err(fault(format!("{}.upstream_id", node.path()), "A pattern cannot be renamed; name one id."));
    }
    model.replay = fields.optional("reasoning_replay", |node| node.choice(REPLAY))?;
    let able = Capabilities::default();
    model.capabilities = Capabilities {
        context: fields.optional("context", |node| node.small(1, LONGEST_CONTEXT, "tokens"))?,
        vision: fields.optional("vision", |node| node.boolean())?.unwrap_or(able.vision),
        tools: fields.optional("tools", |node| node.boolean())?.unwrap_or(able.tools),
    };
    model.continuation = fields.optional("continuation", |node| node.choice(CONTINUATION))?;
    if let Some(own) = fields.optional("budgets", |node| number::budgets(node, budgets))? {
        model.budgets = own;
    }
    model.price = fields.optional("price", |node| node.text_of(Price::from_json))?;
    model.weight = fields.optional("weight", number::weight)?;
    Ok(model)
}

/// One model's id.
pub(super) fn id(node: Node<'_>) -> Result<String, Error> {
    let what = "a model id of at most 256 visible ASCII characters";
    let text = node.string(what)?;
    if is_id(text) { Ok(text.to_owned()) } else { Err(node.expected(what)) }
}

/// An id, or a pattern without its `*`, and which of both it is.
fn id_or_pattern(node: Node<'_>) -> Result<(String, bool), Error> {
    let what = "a model id of at most 256 visible ASCII characters; a * only at its end";
    let text = node.string(what)?;
    match text.strip_suffix('*') {
        Some(prefix) if prefix.is_empty() || (is_id(prefix) && text.len() <= 256) => Ok((prefix.to_owned(), true)),
        None if is_id(text) => Ok((text.to_owned(), false)),
        _ => Err(node.expected(what)),
    }
}

/// Whether a text can be one model's id.
pub(super) fn is_id(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'*')
}
