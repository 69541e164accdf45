//! Which models stand in for a model that cannot answer.

use super::ladder::serving;
use super::model::{self, Models};
use super::read::{Node, fault, join};
use super::upstream::Upstream;
use crate::error::Error;
use crate::json::shown_key;
use std::collections::BTreeMap;

/// The most lists.
const MOST_LISTS: usize = 500;
/// The most ids of one list.
const MOST_IDS: usize = 16;
/// The most models that one call may come to: more than a call makes requests.
const MOST_MODELS: usize = 32;

/// The lists by the id that was asked for; `*`: for all ids without a list of their own.
#[derive(Clone, Debug, Default)]
pub(super) struct Fallbacks(BTreeMap<String, Vec<String>>);

impl Fallbacks {
    /// The models that a call may come to, each once: `asked` itself, its list in order, then those models' own lists. The list `*` is
    /// for the model that was asked for and not for its fallbacks: those of a list are all that is wanted after it.
    pub(super) fn ids<'a>(&'a self, asked: &'a str) -> Vec<&'a str> {
        let mut ids = vec![asked];
        let mut next = 0;
        while let Some(id) = ids.get(next).filter(|_| ids.len() <= MOST_MODELS) {
            let list = self.0.get(*id).or_else(|| self.0.get("*").filter(|_| next == 0));
            for id in list.into_iter().flatten() {
                if !ids.contains(&id.as_str()) {
                    ids.push(id);
                }
            }
            next += 1;
        }
        ids
    }

    /// The entry, by its list and its place there, that leads back to where it came from.
    fn cycle(&self) -> Option<(&str, usize)> {
        // Absent: not met yet; false: on the way to here; true: followed to its end.
        let mut met: BTreeMap<&str, bool> = BTreeMap::new();
        for start in self.0.keys() {
            if met.contains_key(start.as_str()) {
                continue;
            }
            met.insert(start, false);
            let mut way = vec![(start.as_str(), 0)];
            while let Some((id, next)) = way.last_mut() {
                let (from, index) = (*id, *next);
                *next += 1;
                let Some(to) = self.0.get(from).and_then(|list| list.get(index)) else {
                    met.insert(from, true);
                    way.pop();
                    continue;
                };
                match met.get(to.as_str()) {
                    Some(true) => {}
                    Some(false) => return Some((from, index)),
                    None => {
                        met.insert(to, false);
                        way.push((to, 0));
                    }
                }
            }
        }
        None
    }
}

pub(super) fn read(node: Node<'_>, upstreams: &[Upstream]) -> Result<Fallbacks, Error> {
    let members = node.members()?;
    if members.len() > MOST_LISTS {
        return Err(node.expected(&format!("at most {MOST_LISTS} models")));
    }
    let mut lists = BTreeMap::new();
    for (key, value) in members {
        let path = path(node.path(), key, upstreams);
        if key != "*" && (!model::is_id(key) || serving(upstreams, key).is_empty()) {
            return Err(fault(path, "No upstream serves this model; \"*\" stands for all that have no entry."));
        }
        let mut list: Vec<String> = Vec::new();
        Node::new(value, &path).items(MOST_IDS, |item| {
            let id = model::id(item)?;
            if serving(upstreams, &id).is_empty() {
                return Err(item.expected("the id of a model that an upstream serves"));
            }
            if list.contains(&id) {
                return Err(item.expected("a model that is not yet in the list"));
            }
            list.push(id);
            Ok(())
        })?;
        lists.insert(key.clone(), list);
    }
    let fallbacks = Fallbacks(lists);
    if let Some((key, index)) = fallbacks.cycle() {
        let message = "The fallbacks go round in circles: this model has itself been left for the ones that lead here.";
        return Err(fault(format!("{}[{index}]", path(node.path(), key, upstreams)), message));
    }
    match fallbacks.0.keys().find(|key| fallbacks.ids(key).len() > MOST_MODELS) {
        None => Ok(fallbacks),
        Some(key) => {
            let message =
                format!("With the fallbacks of its fallbacks, a call would have more than {MOST_MODELS} models.");
            Err(fault(path(node.path(), key, upstreams), message))
        }
    }
}

/// The path of a list. An id that an upstream lists is public, and shown also where it is no identifier; any other key may be anything.
fn path(parent: &str, key: &str, upstreams: &[Upstream]) -> String {
    let is_listed = || {
        upstreams.iter().any(|upstream| match &upstream.models {
            Models::Listed(models) => models.iter().any(|model| model.id() == Some(key)),
            Models::Upstream => false,
        })
    };
    if shown_key(key) != key && is_listed() {
        format!("{parent}[{}]", serde_json::Value::from(key))
    } else {
        join(parent, key)
    }
}
