//! Limits and budgets: whole numbers, each with its range.

use super::read::Node;
use crate::error::Error;
use crate::exchange::Budgets;
use crate::limits::Limits;

/// The longest budget: an hour. Longer than any vendor keeps a connection open.
pub(super) const LONGEST: u64 = 3_600_000;

/// An upstream's part of the calls for a model.
pub(super) fn weight(node: Node<'_>) -> Result<u32, Error> {
    node.small(0, 1_000, "parts")
}

pub(super) fn budgets(node: Node<'_>, defaults: &Budgets) -> Result<Budgets, Error> {
    let fields = node.object(&[
        "connect_ms",
        "first_token_ms",
        "idle_ms",
        "content_idle_ms",
        "tokens_per_minute",
        "answer_ms",
        "patience_ms",
        "total_ms",
    ])?;
    let rate = fields.optional("tokens_per_minute", |node| node.small(0, 1_000_000, "tokens per minute"))?;
    let read = |name, default| {
        fields.optional(name, |node| node.number(1, LONGEST, "milliseconds")).map(|value| value.unwrap_or(default))
    };
    Ok(Budgets {
        connect: read("connect_ms", defaults.connect)?,
        first_token: read("first_token_ms", defaults.first_token)?,
        idle: read("idle_ms", defaults.idle)?,
        content_idle: read("content_idle_ms", defaults.content_idle)?,
        rate: rate.unwrap_or(defaults.rate),
        answer: read("answer_ms", defaults.answer)?,
        patience: read("patience_ms", defaults.patience)?,
        total: read("total_ms", defaults.total)?,
    })
}

/// Bounds of what one call may hold; an isolate has 128 MB for all of its calls.
pub(super) fn limits(node: Node<'_>) -> Result<(Limits, usize, u64), Error> {
    let fields = node.object(&[
        "request_body",
        "audio_body",
        "request_headers",
        "body_ms",
        "json_depth",
        "json_keys",
        "json_items",
        "messages",
        "event",
        "reply",
        "reply_body",
    ])?;
    let read = |name, least: usize, most: usize, unit, default| {
        let value = fields.optional(name, |node| node.number(least as u64, most as u64, unit))?;
        Ok::<usize, Error>(value.map_or(default, |value| usize::try_from(value).unwrap_or(default)))
    };
    let defaults = Limits::default();
    let limits = Limits {
        request_body: read("request_body", 1 << 10, 32 << 20, "bytes", defaults.request_body)?,
        audio_body: read("audio_body", 1 << 10, 50 << 20, "bytes", defaults.audio_body)?,
        json_depth: read("json_depth", 4, 100, "levels", defaults.json_depth)?,
        json_keys: read("json_keys", 16, 100_000, "keys", defaults.json_keys)?,
        json_items: read("json_items", 16, 1_000_000, "items", defaults.json_items)?,
        messages: read("messages", 1, 100_000, "messages", defaults.messages)?,
        event: read("event", 1 << 10, 16 << 20, "bytes", defaults.event)?,
        reply: read("reply", 1 << 10, 64 << 20, "bytes", defaults.reply)?,
        reply_body: read("reply_body", 1 << 10, 64 << 20, "bytes", defaults.reply_body)?,
        ..defaults
    };
    let headers = read("request_headers", 1 << 10, 128 << 10, "bytes", super::REQUEST_HEADERS)?;
    let time = fields.optional("body_ms", |node| node.number(100, LONGEST, "milliseconds"))?;
    Ok((limits, headers, time.unwrap_or(super::BODY_TIME)))
}
