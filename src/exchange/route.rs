//! The places that a call may go to, in order.

use super::Budgets;
use crate::quota::Price;
use crate::reply::ThinkTags;
use crate::request::{ContinueBy, Dialect, Replay};

/// What a model can take. Unknown counts as able: a model is left out only for what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Tokens of prompt and answer together. ### Default: `None`, unknown.
    pub context: Option<u32>,
    /// Images in messages. ### Default: true.
    pub vision: bool,
    /// Tools. ### Default: true.
    pub tools: bool,
}

impl Default for Capabilities {
    fn default() -> Self {
        Capabilities { context: None, vision: true, tools: true }
    }
}

/// One model of one upstream.
#[derive(Clone, Debug)]
pub struct Route {
    /// Whose health is counted together: `upstream/model`.
    pub key: String,
    /// The upstream's name, as notices, timelines and the reply's `source` show it.
    pub source: String,
    /// How the upstream speaks.
    pub dialect: Dialect,
    /// The upstream's own id of the model. Empty: the request's.
    pub model: String,
    /// What happens to earlier reasoning; `None`: as the dialect has it for the model.
    pub replay: Option<Replay>,
    /// Whether to ask for token counts on streams, also where the caller did not.
    pub add_usage: bool,
    /// How inline reasoning is read.
    pub think_tags: ThinkTags,
    /// Time budgets of one attempt here.
    pub budgets: Budgets,
    /// What the model can take.
    pub capabilities: Capabilities,
    /// How a broken answer is gone on with here; `None`: as the dialect has it for the model.
    pub continuation: Option<ContinueBy>,
    /// Whether all callers use one account there. A refused key or an empty balance is then the route's fault; else it is the
    /// caller's own, and says nothing to others.
    pub shared_account: bool,
    /// What its tokens cost, if that is known.
    pub price: Option<Price>,
    /// Whether a refused credential can be renewed: [`Action::Refresh`](super::Action::Refresh) is asked for then.
    pub can_refresh: bool,
}

impl Route {
    /// A route with defaults for all but its name and how it speaks.
    pub fn new(source: &str, model: &str, dialect: Dialect) -> Self {
        Route {
            key: [source, "/", model].concat(),
            source: source.to_owned(),
            dialect,
            model: model.to_owned(),
            replay: None,
            add_usage: false,
            think_tags: ThinkTags::Auto,
            budgets: Budgets::default(),
            capabilities: Capabilities::default(),
            continuation: None,
            shared_account: true,
            price: None,
            can_refresh: false,
        }
    }
}
