//! What was found, and how often: positions for those who hold the text, counts for everyone else.

use super::entity::Entity;
use super::policy::Action;

/// Private data in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub entity: Entity,
    /// The rule that found it, for [`Redactor::rule_name`](super::Redactor::rule_name).
    pub rule: u16,
    /// How sure that is, from 0 to 100.
    pub score: u8,
    /// Its first byte in the original text.
    pub start: usize,
    /// The byte behind its last one.
    pub end: usize,
}

/// How much of what was done, without a word of what it was: for logs, metrics and the audit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Entity, action, how many.
    pub counts: Vec<(Entity, Action, u32)>,
    /// Placeholders that were given back.
    pub restored: u32,
}

impl Tally {
    /// Counts one.
    pub fn add(&mut self, entity: Entity, action: Action) {
        self.add_many(entity, action, 1);
    }

    /// Counts several.
    pub fn add_many(&mut self, entity: Entity, action: Action, many: u32) {
        match self.counts.iter_mut().find(|count| count.0 == entity && count.1 == action) {
            Some(count) => count.2 = count.2.saturating_add(many),
            None => self.counts.push((entity, action, many)),
        }
    }

    /// Whether something has this action.
    pub fn has(&self, action: Action) -> bool {
        self.counts.iter().any(|count| count.1 == action)
    }
}
