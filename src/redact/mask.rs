//! Hiding what is private in a text that comes in pieces.

use super::finding::{Finding, Tally};
use super::policy::Action;
use super::redactor::Redactor;
use super::scan::Scan;
use super::session::Session;
use core::ops::Range;

/// One text on its way out. For every split of the text, what comes out is the same.
#[derive(Debug)]
pub struct Masker {
    scan: Scan,
    /// What was read and has not gone out.
    held: String,
    /// Where that begins in the whole text.
    from: usize,
    /// The placeholder of a secret that goes on has gone out.
    opened: bool,
    is_answer: bool,
    found: Vec<Finding>,
    findings: Vec<Finding>,
    /// What took the place of each finding, in the `out` of that call.
    placed: Vec<Range<usize>>,
}

/// Most findings that are kept for whoever asks for places; counts go on.
const MOST_FINDINGS: usize = 10_000;

impl Masker {
    /// A text that begins.
    pub fn new(redactor: &Redactor) -> Masker {
        Masker {
            scan: redactor.scan(),
            held: String::new(),
            from: 0,
            opened: false,
            is_answer: false,
            found: Vec::new(),
            findings: Vec::new(),
            placed: Vec::new(),
        }
    }

    /// An answer's text that begins: what is private in it gets labels, for nobody gives back what was never taken.
    pub fn for_answer(redactor: &Redactor) -> Masker {
        Masker { is_answer: true, ..Masker::new(redactor) }
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
        self.scan.push(&redactor.machine, redactor.names(), text, &mut self.found);
        self.held.push_str(text);
        self.emit(redactor, session, self.scan.decided(), out, tally);
        if let Some(open) = self.scan.open().filter(|_| !self.opened) {
            self.replace(redactor, session, open, out, tally);
            self.opened = true;
        }
        if self.opened && self.scan.open().is_some() {
            // What goes on is dropped as it comes.
            self.from += self.held.len();
            self.held.clear();
        }
    }

    /// The text is over: the rest goes out.
    pub fn finish(&mut self, redactor: &Redactor, session: &mut Session, out: &mut String, tally: &mut Tally) {
        self.scan.finish(&redactor.machine, redactor.names(), &mut self.found);
        self.emit(redactor, session, usize::MAX, out, tally);
    }

    /// Hands on what lies before `upto`, findings replaced.
    fn emit(&mut self, redactor: &Redactor, session: &mut Session, upto: usize, out: &mut String, tally: &mut Tally) {
        let found = core::mem::take(&mut self.found);
        for finding in found {
            if self.opened {
                // Its placeholder is out; what followed of it is dropped.
                self.opened = false;
                self.take(finding.end);
                if let Some(last) = self.findings.last_mut() {
                    last.end = finding.end;
                }
                continue;
            }
            let before = self.take(finding.start);
            out.push_str(&before);
            self.replace(redactor, session, finding, out, tally);
            self.take(finding.end);
        }
        if !self.opened {
            let rest = self.take(upto);
            out.push_str(&rest);
        }
    }

    /// Takes what is held before a place in the text.
    fn take(&mut self, upto: usize) -> String {
        let count = upto.saturating_sub(self.from).min(self.held.len());
        self.from += count;
        if count == self.held.len() {
            return core::mem::take(&mut self.held);
        }
        let rest = self.held.split_off(count);
        core::mem::replace(&mut self.held, rest)
    }

    /// Writes what takes a finding's place.
    fn replace(
        &mut self,
        redactor: &Redactor,
        session: &mut Session,
        finding: Finding,
        out: &mut String,
        tally: &mut Tally,
    ) {
        let policy = redactor.policy();
        let action = match policy.action(finding.entity) {
            Action::Token | Action::Block | Action::LocalOnly if self.is_answer => Action::Label,
            action => action,
        };
        tally.add(finding.entity, action);
        let start = finding.start.saturating_sub(self.from);
        let end = finding.end.saturating_sub(self.from).min(self.held.len());
        let value = self.held.get(start..end).unwrap_or_default();
        let label = policy.label(finding.entity);
        let from = out.len();
        match action {
            Action::Keep => out.push_str(value),
            Action::Drop => {}
            Action::Token => out.push_str(&session.token(finding.entity, label, value)),
            Action::Hash => out.push_str(&["***", label, "#", &session.hash(value), "***"].concat()),
            Action::Mask => partly(value, out),
            Action::Label | Action::Block | Action::LocalOnly => out.push_str(&["***", label, "***"].concat()),
        }
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(finding);
            self.placed.push(from..out.len());
        }
    }

    /// How many bytes of the text are held back.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// How many characters of the text are held back.
    pub fn held_chars(&self) -> usize {
        self.held.chars().count()
    }

    /// What was found so far, by place in the whole text; at most 10,000.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        self.placed.clear();
        core::mem::take(&mut self.findings)
    }

    /// Where what replaced each finding stands, if all of the text went to one `out`.
    pub(super) fn take_placed(&mut self) -> Vec<Range<usize>> {
        core::mem::take(&mut self.placed)
    }
}

/// A few characters of a value, as one knows it from receipts: of eleven the first three and the last four; never more than half.
fn partly(value: &str, out: &mut String) {
    let count = value.chars().filter(|c| c.is_alphanumeric()).count();
    let (first, last) = match count {
        0..=3 => (0, 0),
        4..=7 => (1, 0),
        8..=10 => (2, 2),
        11..=13 => (3, 2.max(count / 2 - 1).min(4)),
        _ => (4, 4),
    };
    let (first, last) = if count == 11 { (3, 4) } else { (first, last) };
    let mut seen = 0;
    for c in value.chars() {
        if c.is_alphanumeric() {
            seen += 1;
            out.push(if seen <= first || seen > count - last { c } else { '*' });
        } else {
            out.push(c);
        }
    }
}
