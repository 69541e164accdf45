//! The state machine of one call: what to do next, given what has happened.
//!
//! Deterministic: no I/O, no clock. The shell tells it what happened (`handle_*`, [`Exchange::cancel`]) with the time at which it did, and
//! asks [`Exchange::poll`] what to do next. Draining it is always the same loop: after each thing told, call `poll(now, health)` until
//! it says `None`; carry out each [`Action`]; keep one timer, set to the last [`Action::Wait`]; then take the deltas that came between
//! two reads ([`Exchange::take_late`]).
//!
//! A call is one or more attempts, each at one [`Route`] of its [`Plan`]; whatever is told about an attempt carries its number.
//!
//! | the call is | what happens | then it is |
//! |---|---|---|
//! | choosing | a route is left, able and healthy | running, with [`Action::Send`] |
//! | choosing | one is left that only asked for time | waiting, or running if it asked other calls |
//! | choosing | none is | over |
//! | running | the attempt succeeded | over; waiting 0 ms, if a `length` end is to be gone on with |
//! | running | it failed: worth asking again ([`Treatment`]) | waiting |
//! | running | it failed: not here again | choosing |
//! | running | it failed: the credential | refreshing, with [`Action::Refresh`], once a route |
//! | running | it failed: a field that can be repaired | waiting 0 ms, once a route |
//! | running | it broke off in the middle of the text | waiting or choosing; the next attempt goes on with the text |
//! | running | it failed: the caller's own fault, or nothing may be done any more | over |
//! | waiting | the time has come | running, or choosing if the route is no longer healthy |
//! | refreshing | a new credential is there | waiting 0 ms |
//! | refreshing | none is to be had | choosing |
//! | any | cancel, or the total budget | over; at a cancel running on for a while, if it is to be drained |
//!
//! | the attempt is | told | then it is |
//! |---|---|---|
//! | head awaited | head 2xx, event stream | streaming |
//! | head awaited | head 2xx, anything else | body |
//! | head awaited | head not 2xx | failure body |
//! | head awaited | error, or a budget ran out | ended |
//! | streaming | bytes | streaming; lingering at `[DONE]`; ended at an in-stream error |
//! | streaming | end, error, or a budget ran out | ended |
//! | streaming, and the upstream keeps the stream | end or error | apart; ended, and to be aborted, after six times without a token |
//! | apart | the time has come | rejoining, with [`Action::Resume`] |
//! | rejoining | head 200, event stream | streaming |
//! | rejoining | head 204 or 4xx | ended: the stream is gone |
//! | rejoining | any other head, end, error | apart, or ended as above |
//! | apart, rejoining | a budget ran out | ended |
//! | body, failure body | bytes | the same, or ended over the size limit |
//! | body, failure body | end, error, or a budget ran out | ended |
//! | lingering | end, error, or 250 ms | ended |
//!
//! A shell whose caller pulls tells when it has handed something over and nobody reads ([`Exchange::pause`]), and when somebody does
//! again ([`Exchange::resume`], then `poll`). A shell that pushes has no need of either.
//!
//! Two ways to read the answer: [`Exchange::handle_bytes`] gives deltas (an app reads them), [`Exchange::forward`] gives
//! the bytes to hand on (a proxy, or a `fetch` for an SDK): the same bytes wherever nothing has to change, in whole events, and a
//! stream that breaks gets an error event as its last, so that nobody takes it for a whole one.

mod attempt;
mod budget;
mod finish;
mod forward;
mod hand_on;
mod head;
mod headers;
mod health;
mod hedge;
mod launch;
mod log;
mod machine;
mod policy;
mod recast;
mod recovery;
mod resume;
mod retry;
mod rewrite;
mod route;
mod said;
mod settle;
mod splice;
mod timeline;
mod timing;

pub use crate::reply::FailureHead as Head;
pub use budget::Budgets;
pub use forward::Forwarded;
pub use headers::error_headers;
pub use health::{Admission, BreakerPolicy, BreakerState, Health, SharedBreaker, Standing, Verdict};
pub use log::{Log, LogLimits};
pub use machine::{Action, Exchange, Plan, Sending};
pub use policy::{Continuation, Hedge, OnCancel, Recovery, Retry};
pub(crate) use retry::Random;
pub use retry::{Treatment, backoff, counts};
pub use route::{Capabilities, Route};
pub use splice::{Seam, Splice};
pub use timeline::{Event, Moment, Timeline};
pub use timing::Timing;
