//! What is private in a file is hidden before it is kept, where the gate hides it of requests.

use crate::config::Redaction;
use crate::error::Error;
use crate::redact::body::Format;
use crate::redact::{Session, Tally};

/// The gate's redaction, for one file.
#[derive(Debug)]
pub struct Hiding {
    redaction: Redaction,
    session: Session,
    tally: Tally,
}

impl Hiding {
    /// For one file; `key` is for hashes of values, and is nobody else's.
    pub fn new(redaction: Redaction, key: &[u8; 32]) -> Hiding {
        Hiding { redaction, session: Session::new(key), tally: Tally::default() }
    }

    /// A line as it is kept, if it differs: one JSON object still, on one line.
    ///
    /// Errors: `private_data`, naming the line.
    pub(super) fn line(&mut self, number: u64, line: &[u8]) -> Result<Option<String>, Error> {
        let text = core::str::from_utf8(line).unwrap_or_default();
        self.redaction.keepable(Format::JsonLines, text, &mut self.session, &mut self.tally).map_err(|error| {
            Error::new(error.kind(), error.message().to_owned()).with_param(["line ", &number.to_string()].concat())
        })
    }

    /// A file's name as it is kept.
    ///
    /// Errors: `private_data`.
    pub(super) fn name(&mut self, name: String) -> Result<String, Error> {
        let kept = self.redaction.keepable(Format::Text, &name, &mut self.session, &mut self.tally);
        kept.map(|kept| kept.unwrap_or(name)).map_err(|error| error.with_param("filename"))
    }

    /// What was hidden, as counts.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What it hides by.
    pub fn redaction(&self) -> &Redaction {
        &self.redaction
    }
}
