//! The state machine of one call: what to do next, given what has happened.
//!
//! Deterministic: no I/O, no clock. The shell tells it what happened (`handle_*`, [`Exchange::cancel`]) with the time at which it did, and
//! asks [`Exchange::poll`] what to do next. Draining it is always the same loop: after each thing told, call `poll(now)` until
//! it says `None`; carry out each [`Action`]; keep one timer, set to the last [`Action::Wait`].
//!
//! | state | told | goes to |
//! |---|---|---|
//! | ready | poll | head awaited, with [`Action::Send`] |
//! | head awaited | head 2xx, event stream | streaming |
//! | head awaited | head 2xx, anything else | body |
//! | head awaited | head not 2xx | failure body |
//! | head awaited | error, or a budget ran out | ended |
//! | streaming | bytes | streaming; lingering at `[DONE]`; ended at an in-stream error |
//! | streaming | end, error, or a budget ran out | ended |
//! | body, failure body | bytes | the same, or ended over the size limit |
//! | body, failure body | end, error, or a budget ran out | ended |
//! | lingering | end, error, or 250 ms | ended |
//! | any | cancel | ended |
//!
//! A shell whose caller pulls tells when it has handed something over and nobody reads ([`Exchange::pause`]), and when somebody does
//! again ([`Exchange::resume`], then `poll`). A shell that pushes has no need of either.
//!
//! Two ways to read the answer: [`Exchange::handle_bytes`] gives deltas (an app reads them), [`Exchange::forward`] gives
//! the bytes to hand on (a proxy, or a `fetch` for an SDK): the same bytes wherever nothing has to change, in whole events, and a
//! stream that breaks gets an error event as its last, so that nobody takes it for a whole one.

mod budget;
mod forward;
mod head;
mod headers;
mod log;
mod machine;
mod recast;
mod timing;

pub use crate::reply::FailureHead as Head;
pub use budget::Budgets;
pub use forward::Forwarded;
pub use headers::error_headers;
pub use log::{Log, LogLimits};
pub use machine::{Action, Exchange, Plan};
pub use timing::Timing;
