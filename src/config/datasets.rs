//! How much of a dataset is taken, and how long its upload may take.

use super::number::LONGEST;
use super::read::Node;
use crate::dataset::Limits;
use crate::error::Error;

/// How datasets are taken and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datasets {
    /// The bounds of one upload.
    pub limits: Limits,
    /// How many datasets a key may have. Default 100.
    pub per_key: u64,
    /// How long a body may be silent, in milliseconds. Default 30 s.
    pub idle: u64,
    /// How long an upload may take, in milliseconds. Default 10 minutes.
    pub total: u64,
}

impl Default for Datasets {
    fn default() -> Self {
        Datasets { limits: Limits::default(), per_key: 100, idle: 30_000, total: 600_000 }
    }
}

pub(super) fn read(node: Node<'_>) -> Result<Datasets, Error> {
    let fields = node.object(&["body", "line", "lines", "per_key", "idle_ms", "total_ms"])?;
    let read = |name, least, most, unit, default| {
        fields.optional(name, |node| node.number(least, most, unit)).map(|value| value.unwrap_or(default))
    };
    let defaults = Datasets::default();
    let mut limits = defaults.limits;
    // The largest body that Cloudflare takes from anybody is 500 MB.
    limits.body = read("body", 1 << 10, 500 << 20, "bytes", limits.body)?;
    let line = read("line", 1 << 10, 8 << 20, "bytes", limits.line as u64)?;
    limits.line = usize::try_from(line).unwrap_or(limits.line);
    limits.lines = read("lines", 1, 10_000_000, "lines", limits.lines)?;
    Ok(Datasets {
        limits,
        per_key: read("per_key", 1, 10_000, "datasets", defaults.per_key)?,
        idle: read("idle_ms", 100, LONGEST, "milliseconds", defaults.idle)?,
        total: read("total_ms", 100, LONGEST, "milliseconds", defaults.total)?,
    })
}
