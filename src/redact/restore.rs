//! Giving back what tokens stand for, in a text that comes in pieces.

use super::finding::Tally;
use super::policy::Restoring;
use super::session::Session;

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sink {
    /// The answer's text, or the model's reasoning: Markdown as a rule.
    Text,
    /// JSON text: the arguments of a tool call, or a JSON answer. Values are written into its strings, escaped.
    Json,
}

/// One text on its way back. For every split of the text, what comes out is the same.
#[derive(Debug)]
pub struct Restorer {
    sink: Sink,
    held: String,
}

impl Restorer {
    /// A text that begins.
    pub fn new(sink: Sink, restoring: Restoring) -> Restorer {
        let _ = restoring;
        Restorer { sink, held: String::new() }
    }

    /// The next piece; what may be shown is appended to `out`.
    pub fn push(&mut self, session: &Session, text: &str, out: &mut String, tally: &mut Tally) {
        let _ = (session, out, tally, self.sink);
        self.held.push_str(text);
    }

    /// The text is over: the rest comes out.
    pub fn finish(&mut self, session: &Session, out: &mut String, tally: &mut Tally) {
        let mut rest = self.held.as_str();
        while let Some((before, behind)) = rest.split_once('⟦') {
            out.push_str(before);
            let token = behind.split_once('⟧').map(|(token, _)| ["⟦", token, "⟧"].concat());
            match token.as_deref().and_then(|token| Some((token, session.value(token)?))) {
                Some((token, value)) => {
                    out.push_str(value);
                    tally.restored += 1;
                    rest = rest.get(before.len() + token.len()..).unwrap_or_default();
                }
                None => {
                    out.push('⟦');
                    rest = behind;
                }
            }
        }
        out.push_str(rest);
        self.held.clear();
    }

    /// How many bytes of the text are held back.
    pub fn held(&self) -> usize {
        self.held.len()
    }
}
