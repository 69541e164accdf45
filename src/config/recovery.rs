//! What is done about failures.

use super::number::LONGEST;
use super::read::Node;
use crate::error::Error;
use crate::exchange::{BreakerPolicy, Continuation, Hedge, OnCancel, Recovery, Retry};

/// The longest wait for a hedge, and the longest that an upstream is read on for nobody.
const LONG: u64 = 600_000;

pub(super) fn read(node: Node<'_>) -> Result<(Recovery, BreakerPolicy), Error> {
    let fields = node.object(&["retry", "breaker", "continuation", "hedge", "on_cancel", "tokens"])?;
    let recovery = Recovery {
        retry: fields.optional("retry", retry)?.unwrap_or_default(),
        continuation: fields
            .optional("continuation", |node| node.unless_off(NO_CONTINUATION, continuation))?
            .unwrap_or_default(),
        hedge: fields.optional("hedge", |node| node.unless_off(None, |node| hedge(node).map(Some)))?.flatten(),
        on_cancel: fields.optional("on_cancel", on_cancel)?.unwrap_or_default(),
        tokens: fields.optional("tokens", |node| node.number(1, 1_000_000_000, "tokens"))?,
    };
    let breaker = fields.optional("breaker", |node| node.unless_off(NO_BREAKER, breaker))?;
    Ok((recovery, breaker.unwrap_or_default()))
}

fn retry(node: Node<'_>) -> Result<Retry, Error> {
    let fields = node.object(&["first_ms", "cap_ms", "tries", "attempts"])?;
    let defaults = Retry::default();
    let first = fields.optional("first_ms", |node| node.number(1, defaults.cap, "milliseconds"))?;
    let least = first.unwrap_or(1);
    let cap = fields.optional("cap_ms", |node| node.number(least, LONGEST, "milliseconds"))?.unwrap_or(defaults.cap);
    Ok(Retry {
        first: first.unwrap_or(defaults.first).min(cap),
        cap,
        tries: fields.optional("tries", |node| node.small(1, 10, "tries"))?.unwrap_or(defaults.tries),
        attempts: fields.optional("attempts", |node| node.small(1, 32, "attempts"))?.unwrap_or(defaults.attempts),
    })
}

const NO_CONTINUATION: Continuation = Continuation { most: 0, length: 0, replace: false };

fn continuation(node: Node<'_>) -> Result<Continuation, Error> {
    let fields = node.object(&["most", "length"])?;
    let defaults = Continuation::default();
    let most = fields.optional("most", |node| node.small(0, 16, "continuations"))?.unwrap_or(defaults.most);
    let length = fields.optional("length", |node| match node.small(0, 16, "continuations")? {
        length if length > 0 && most == 0 => Err(node.expected("0, since \"most\" is 0")),
        length => Ok(length),
    })?;
    Ok(Continuation { most, length: length.unwrap_or(defaults.length), ..defaults })
}

/// A rule of the breaker that never opens it.
const NO_FAILURES: u32 = u32::MAX;
const NO_RATIO: u32 = 101;

const NO_BREAKER: BreakerPolicy =
    BreakerPolicy { failures: NO_FAILURES, ratio: NO_RATIO, least: 1, window: 60_000, open: 30_000 };

fn breaker(node: Node<'_>) -> Result<BreakerPolicy, Error> {
    let fields = node.object(&["failures", "ratio_percent", "least", "window_ms", "open_ms"])?;
    let defaults = BreakerPolicy::default();
    let rule = |value: Option<u32>, default, off| value.map_or(default, |value| if value == 0 { off } else { value });
    let failures = fields.optional("failures", |node| node.small(0, 1_000, "failures"))?;
    let ratio = fields.optional("ratio_percent", |node| node.small(0, 100, "percent"))?;
    Ok(BreakerPolicy {
        failures: rule(failures, defaults.failures, NO_FAILURES),
        ratio: rule(ratio, defaults.ratio, NO_RATIO),
        least: fields.optional("least", |node| node.small(1, 10_000, "calls"))?.unwrap_or(defaults.least),
        window: fields
            .optional("window_ms", |node| node.number(1_000, LONGEST, "milliseconds"))?
            .unwrap_or(defaults.window),
        open: fields.optional("open_ms", |node| node.number(100, LONGEST, "milliseconds"))?.unwrap_or(defaults.open),
    })
}

fn hedge(node: Node<'_>) -> Result<Hedge, Error> {
    let fields = node.object(&["after_ms", "percentile", "share_percent"])?;
    let percentile = fields.optional("percentile", |node| node.small(50, 99, "percent"))?;
    Ok(Hedge {
        after: fields
            .optional("after_ms", |node| node.number(1, LONG, "milliseconds"))?
            .unwrap_or(Hedge::default().after),
        percentile: percentile.and_then(|percentile| u8::try_from(percentile).ok()),
        share: fields
            .optional("share_percent", |node| node.small(1, 100, "percent"))?
            .unwrap_or(Hedge::default().share),
    })
}

fn on_cancel(node: Node<'_>) -> Result<OnCancel, Error> {
    if !node.is_object() {
        let what = "\"abort\", or an object with \"drain_ms\"";
        return node.choice(&[("abort", OnCancel::Abort)]).map_err(|_| node.expected(what));
    }
    let fields = node.object(&["drain_ms"])?;
    let millis = fields
        .required("drain_ms", "how long the rest is read for nobody", |node| node.number(1, LONG, "milliseconds"))?;
    Ok(OnCancel::Drain(millis))
}
