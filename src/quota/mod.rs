//! Limits of keys, correct over any number of isolates, without a round trip for the usual request.
//!
//! A [`Ledger`] holds the truth of one key, in one object that all isolates reach. Each isolate has a [`Purse`] of the key, which is given
//! parts of each limit, and lets requests in out of what it holds. Windows are fixed and aligned to UTC ([`Window`]).
//!
//! # The order of calls
//!
//! 1. [`Limits::meters`] gives what a request is counted at; no meters, nothing to do. [`Purses::reserve`] gives a [`Verdict`].
//! 2. [`Verdict::Ask`]: the shell sends the text to the key's object, which calls [`Ledger::handle`], stores [`Ledger::to_json`] and answers;
//!    the shell calls [`Purses::adopt`] with the answer (with an empty text if none came) and reserves again. [`Verdict::Wait`]: the same once
//!    the ask that is on its way is done. After three rounds without a decision the request is refused with `limits_unavailable`.
//! 3. [`Verdict::Refused`]: [`Refusal::error`] is the answer. Nothing is left to undo.
//! 4. [`Verdict::Admitted`]: [`Reservation::covers`] goes to the exchange as the most tokens that the call may generate.
//! 5. [`Purses::standing`] gives the `x-ratelimit-*` headers, of refusals too.
//! 6. When the call is over, [`Purses::settle`], with the upstream's usage or, without one, the tokens that were counted; [`Purses::release`]
//!    if nothing was sent to any upstream. A caller that leaves does not change that.
//! 7. After 4 and 6, and every ten seconds while a stream runs: [`Purses::take_report`]; what it gives is sent like an ask, in the background.
//!
//! # What holds
//!
//! - **Requests and streams**: never more than the limit, over all isolates, whatever is lost, comes twice or late. (Streams that run on in
//!   an isolate which is not heard of for [`SLOT_TTL`] no longer count.)
//! - **Tokens and spend**: what is reserved is never more than the limit. Use is over it by no more than what calls used beyond their
//!   reservations: nothing for a call that ends at what its reservation covers and whose prompt was estimated high enough.
//! - **Under-admission**: a request may be refused while other purses hold free what it needs. Beyond what somebody waits for,
//!   no purse is given more than the eighth of what is left, nor more than it spends in 45 seconds (three requests more, while it does not
//!   know); where less than half is left it gives back what is over that with its next message. So a limit of which an eighth is less than
//!   one is exact both ways. What an isolate held that is gone comes back with the window's end.
//! - **Messages**: one for 13 to 20 requests at a limit of 600 a minute over four isolates that share a steady load, one for a hundred at
//!   higher limits; at least one for each window and isolate. Slots are kept free for the next streams while a quarter of a limit is left,
//!   an eighth of it at most: limits of some ten streams cost about one message for two streams, those of a hundred hardly any.
//! - A clock that is behind the ledger's is set by its answers; the ledger believes one that is up to two seconds ahead.

mod decimal;
mod headers;
mod ledger;
mod limits;
mod line;
mod price;
mod purse;
mod purses;
mod refusal;
mod unit;
mod window;
mod wire;

pub use headers::{Allowance, Standing, duration};
pub use ledger::{Ledger, SLOT_TTL};
pub use limits::{Caps, Limits, Meter};
pub use price::{MOST_TOKENS, Price};
pub use purse::{Actual, Demand, Purse, Reservation, Verdict};
pub use purses::Purses;
pub use refusal::{Cause, Refusal};
pub use unit::{Measure, Unit};
pub use window::Window;
