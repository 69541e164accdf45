//! Hiding what is private in a text that comes in pieces.

use super::entity::Entity;
use super::finding::{Finding, Tally};
use super::policy::Action;
use super::redactor::Redactor;
use super::session::Session;

/// One text on its way out. For every split of the text, what comes out is the same.
#[derive(Debug, Default)]
pub struct Masker {
    /// Nothing of this text is to be given back: labels in place of tokens.
    labels: bool,
    held: String,
    findings: Vec<Finding>,
}

impl Masker {
    /// A text that begins.
    pub fn new(redactor: &Redactor) -> Masker {
        let _ = redactor;
        Masker::default()
    }

    /// A text of the model's that begins: new private data in it is labelled, since nothing of it is to be given back.
    pub fn for_answer(redactor: &Redactor) -> Masker {
        let _ = redactor;
        Masker { labels: true, ..Masker::default() }
    }

    /// The next piece; what may go out is appended to `out`.
    pub fn push(
        &mut self,
        redactor: &Redactor,
        session: &mut Session,
        text: &str,
        out: &mut String,
        tally: &mut Tally,
    ) {
        let _ = (redactor, session, out, tally);
        self.held.push_str(text);
    }

    /// The text is over: the rest goes out.
    pub fn finish(&mut self, redactor: &Redactor, session: &mut Session, out: &mut String, tally: &mut Tally) {
        // A stand-in of the thinnest kind: 11 digits that begin with 1.
        let text = core::mem::take(&mut self.held);
        let mut rest = text.as_str();
        while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, number) = rest.split_at(at);
            out.push_str(before);
            let digits = number.len() - number.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (number, behind) = number.split_at(digits);
            let start = text.len() - rest.len() + at;
            if digits == 11 && number.starts_with('1') {
                let finding = Finding { entity: Entity::PhoneCn, rule: 0, score: 90, start, end: start + digits };
                self.findings.push(finding);
                let action = match redactor.policy().action(finding.entity) {
                    Action::Token if self.labels => Action::Label,
                    action => action,
                };
                tally.add(finding.entity, action);
                let label = redactor.policy().label(finding.entity);
                match action {
                    Action::Token => out.push_str(&session.token(finding.entity, label, number)),
                    Action::Keep => out.push_str(number),
                    _ => {
                        out.push_str("***");
                        out.push_str(label);
                        out.push_str("***");
                    }
                }
            } else {
                out.push_str(number);
            }
            rest = behind;
        }
        out.push_str(rest);
    }

    /// How many bytes of the text are held back.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// What was found so far, by place in the whole text.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        core::mem::take(&mut self.findings)
    }
}
