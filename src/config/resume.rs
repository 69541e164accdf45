//! How long a stream is kept for a caller whose connection broke.

use super::read::Node;
use crate::error::Error;
use crate::exchange::LogLimits;

/// What happens with a stream that its caller wants to be able to resume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resume {
    /// How long the upstream is read on for nobody, in milliseconds, before the call is aborted.
    /// ### Default: 30 s: a network changes within seconds, and nobody pays long for an answer that nobody wants.
    pub grace: u64,
    /// How long a finished stream can still be asked for, in milliseconds. ### Default: 60 s.
    pub keep: u64,
    /// The bounds of a stream's log; configured by its bytes.
    pub log: LogLimits,
}

impl Default for Resume {
    fn default() -> Self {
        Resume { grace: 30_000, keep: 60_000, log: LogLimits::default() }
    }
}

pub(super) fn read(node: Node<'_>) -> Result<Resume, Error> {
    let fields = node.object(&["grace_ms", "keep_ms", "bytes"])?;
    let mut resume = Resume::default();
    if let Some(grace) = fields.optional("grace_ms", |node| node.number(100, 600_000, "milliseconds"))? {
        resume.grace = grace;
    }
    if let Some(keep) = fields.optional("keep_ms", |node| node.number(100, 600_000, "milliseconds"))? {
        resume.keep = keep;
    }
    if let Some(bytes) = fields.optional("bytes", |node| node.number(16 << 10, 16 << 20, "bytes"))? {
        resume.log.bytes = usize::try_from(bytes).unwrap_or(resume.log.bytes);
    }
    Ok(resume)
}
