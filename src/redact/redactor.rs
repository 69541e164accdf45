//! A policy made ready: what all calls under it share.

use super::entity::Entity;
use super::finding::{Finding, Tally};
use super::machine::Machine;
use super::mask::Masker;
use super::ner::{Model, Tagging};
use super::policy::{Action, Policy};
use super::scan::Scan;
use super::session::Session;
use crate::error::Error;
use core::ops::Range;
use std::sync::{Arc, OnceLock};

/// A policy, its rules compiled. Made once, used by any number of calls.
#[derive(Debug)]
pub struct Redactor {
    policy: Policy,
    pub(super) machine: Machine,
    names: OnceLock<Arc<Model>>,
}

/// A text with its private data hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masked {
    /// What may go out.
    pub text: String,
    /// What was found, by place in the original text, in order; without what stays.
    pub findings: Vec<Finding>,
    /// What took their places, by place in the masked text.
    pub replaced: Vec<Range<usize>>,
}

impl Redactor {
    /// Compiles a policy's rules.
    ///
    /// Errors: `misconfigured`, with the path of the fault, for a pattern that cannot be compiled or is too large.
    pub fn new(policy: Policy) -> Result<Redactor, Error> {
        let machine = Machine::new(&policy)?;
        Ok(Redactor { policy, machine, names: OnceLock::new() })
    }

    /// Adds the model that finds names of people, places and organisations; see [`ner`](super::ner).
    /// Once: a second model is not taken.
    pub fn set_names(&self, model: Arc<Model>) {
        // What was set first stays: texts that have begun are read by it.
        let _ = self.names.set(model);
    }

    /// Whether there is a model for names.
    pub fn has_names(&self) -> bool {
        self.names.get().is_some()
    }

    /// The model for names, if there is one.
    pub(super) fn names(&self) -> Option<&Model> {
        self.names.get().map(Arc::as_ref)
    }

    /// What it was made of.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The name of a finding's rule, as [`Policy::disabled`] takes it.
    pub fn rule_name(&self, rule: u16) -> &str {
        Machine::name(rule, &self.policy)
    }

    /// What is private in a text.
    pub fn find(&self, text: &str) -> Vec<Finding> {
        let mut scan = self.scan();
        let mut found = Vec::new();
        scan.push(&self.machine, self.names(), text, &mut found);
        scan.finish(&self.machine, self.names(), &mut found);
        found
    }

    /// Hides what is private in a text.
    pub fn mask(&self, text: &str, session: &mut Session, tally: &mut Tally) -> Masked {
        let mut masker = Masker::new(self);
        let mut out = String::with_capacity(text.len());
        masker.push(self, session, text, &mut out, tally);
        masker.finish(self, session, &mut out, tally);
        let replaced = masker.take_placed();
        Masked { text: out, findings: masker.take_findings(), replaced }
    }

    pub(super) fn scan(&self) -> Scan {
        let wanted = self.has_names() && !self.policy.disabled.iter().any(|name| name == "names");
        Scan::new(wanted.then(|| Tagging::new(self.policy.names_bias)))
    }

    /// Whether the policy does anything about this kind.
    pub fn hides(&self, entity: Entity) -> bool {
        self.policy.action(entity) != Action::Keep
    }
}
