//! Answers as bytes: event streams and whole bodies, tokens given back and new private data hidden.

use super::finding::Tally;
use super::redactor::Redactor;
use super::session::Session;

/// One answer that is handed on as an event stream.
#[derive(Debug, Default)]
pub struct AnswerStream {
    held: Vec<u8>,
}

impl AnswerStream {
    /// A stream that begins.
    pub fn new() -> AnswerStream {
        AnswerStream::default()
    }

    /// The next bytes; what may be handed on is appended to `out`.
    pub fn push(
        &mut self,
        redactor: &Redactor,
        session: &mut Session,
        bytes: &[u8],
        out: &mut Vec<u8>,
        tally: &mut Tally,
    ) {
        let _ = (redactor, session, out, tally);
        self.held.extend_from_slice(bytes);
    }

    /// The stream is over, well or not: what is held is handed on.
    pub fn finish(&mut self, redactor: &Redactor, session: &mut Session, out: &mut Vec<u8>, tally: &mut Tally) {
        let text = String::from_utf8_lossy(&self.held).into_owned();
        out.extend_from_slice(whole(redactor, session, &text, tally).as_bytes());
        self.held.clear();
    }
}

/// A whole answer: a JSON body of any endpoint.
pub fn whole(redactor: &Redactor, session: &mut Session, body: &str, tally: &mut Tally) -> String {
    let mut restorer = super::Restorer::new(super::Sink::Json, redactor.policy().restoring);
    let mut out = String::new();
    restorer.push(session, body, &mut out, tally);
    restorer.finish(session, &mut out, tally);
    out
}

/// Whether answers have to be read at all.
pub fn needs(redactor: &Redactor, session: &Session) -> bool {
    !session.is_empty() || redactor.policy().answers == super::Answers::Mask
}
