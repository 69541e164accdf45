//! What a call went through, for people: attempts, waits, who was passed over and why.

use crate::json::write::Object;

/// The most moments that are kept; a call that needs more has long said what is wrong.
const MOST: usize = 64;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A request was sent.
    Sent,
    /// The attempt's first token came.
    FirstToken,
    /// The attempt failed; the detail is the error's code.
    Failed,
    /// A wait before the next request; the detail is its length in milliseconds.
    Waiting,
    /// The route was passed over; the detail says why: `circuit_open`, `rate_limited` (it asked for time), `vision`, `tools`, `context`, or an error's code.
    Skipped,
    /// The request was changed and is sent again; the detail is the field.
    Repaired,
    /// A new credential was asked for.
    Refreshed,
    /// The connection broke, and the stream goes on over another; the detail is the id of the last event before.
    Resumed,
    /// The answer is gone on with; the detail says how: `prefix`, `prefill`, `anchor`, `restart`.
    Continued,
    /// A second request was made because the first was slow.
    Hedged,
    /// The attempt was given up because another was faster, or nobody wanted it any more.
    Dropped,
    /// The caller has left, and the rest is read for its usage.
    Draining,
    /// The call is over; the detail is the outcome.
    Ended,
}

impl Event {
    /// The name in snake case.
    pub fn as_str(self) -> &'static str {
        match self {
            Event::Sent => "sent",
            Event::FirstToken => "first_token",
            Event::Failed => "failed",
            Event::Waiting => "waiting",
            Event::Skipped => "skipped",
            Event::Repaired => "repaired",
            Event::Refreshed => "refreshed",
            Event::Resumed => "resumed",
            Event::Continued => "continued",
            Event::Hedged => "hedged",
            Event::Dropped => "dropped",
            Event::Draining => "draining",
            Event::Ended => "ended",
        }
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since the call began.
    pub at: u64,
    /// What it was.
    pub event: Event,
    /// The attempt's number, if it was about one.
    pub attempt: Option<u32>,
    /// The route's place in the plan, if it was about one.
    pub route: Option<usize>,
    /// More about it; see [`Event`].
    pub detail: String,
}

/// The moments of one call, in order.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    moments: Vec<Moment>,
}

impl Timeline {
    /// All of them; the last of very many are left out.
    pub fn moments(&self) -> &[Moment] {
        &self.moments
    }

    pub(super) fn push(&mut self, at: u64, event: Event, attempt: Option<u32>, route: Option<usize>, detail: &str) {
        if self.moments.len() < MOST || event == Event::Ended {
            self.moments.push(Moment { at, event, attempt, route, detail: detail.to_owned() });
        }
    }

    /// `[{"at":0,"event":"sent","attempt":0,"route":"a","model":"m","detail":"…"}, …]`; `name` gives a route's source and model.
    pub fn to_json<'r>(&self, name: impl Fn(usize) -> (&'r str, &'r str)) -> String {
        let mut json = String::from("[");
        for moment in &self.moments {
            let mut object = Object::new();
            object.number("at", moment.at);
            object.string("event", moment.event.as_str());
            if let Some(attempt) = moment.attempt {
                object.number("attempt", attempt.into());
            }
            if let Some((source, model)) = moment.route.map(&name) {
                object.string("route", source);
                object.string("model", model);
            }
            if !moment.detail.is_empty() {
                object.string("detail", &moment.detail);
            }
            json.push_str(if json.len() > 1 { "," } else { "" });
            json.push_str(&object.finish());
        }
        json.push(']');
        json
    }
}
