//! Unary answers.

use super::{Assembler, Cause, Deltas, End, Options, Reply, failure};
use crate::error::{Error, ErrorKind};

/// Reads the body of an unary answer: `chat.completion` or `text_completion`, with the blank lines before it that DeepSeek sends to keep
/// the connection alive.
///
/// The answer has the same one end as a stream: [`End`] says whether it is whole. Errors: the vendor's own inside a 200, classified;
/// `truncated` for JSON that breaks off; `protocol` for what is no completion; `reply_too_large` over [`Limits::reply_body`](crate::limits::Limits::reply_body) or
/// [`Limits::reply`](crate::limits::Limits::reply).
pub fn read_body(body: &[u8], options: &Options) -> Result<(Reply, End), Error> {
    if body.len() > options.limits.reply_body {
        return Err(Error::new(ErrorKind::ReplyTooLarge, "The reply's body is larger than the limit on bodies."));
    }
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{FEFF}').trim();
    match text.as_bytes().first() {
        Some(b'{') if text.ends_with('}') => {}
        Some(b'{') => return Err(Error::new(ErrorKind::Truncated, "The upstream's answer breaks off.")),
        Some(b'"') => return Err(failure::in_stream(text)),
        Some(b'<') => return Err(Error::new(ErrorKind::Protocol, "The upstream answered with HTML or XML.")),
        Some(_) => return Err(Error::new(ErrorKind::Protocol, "The upstream's answer is not a JSON object.")),
        None => return Err(Error::new(ErrorKind::Protocol, "The upstream's answer is empty.")),
    }
    // The deltas are of no use here; what they cost is one copy of the text.
    let (mut assembler, mut deltas) = (Assembler::new(Options { collect: true, ..*options }), Deltas::new());
    assembler.handle_whole(text, &mut deltas)?;
    let end = assembler.finish(Cause::Done, &mut deltas);
    Ok((assembler.into_reply(), end))
}
