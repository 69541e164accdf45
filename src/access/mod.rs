//! Whom the gate lets in, and to what: credentials, keys, roles, routes.
//!
//! ```text
//! path ─▶ route ─▶ credential ─▶ identify ─▶ caller ─▶ (body, limits, redaction, exchange)
//!         what is   what the      whose key    role, endpoints,
//!         there     caller sent   it is        addresses, models
//! ```
//!
//! Deny by default: a route without a right does not exist ([`Route::right`]), a right is one row of one table ([`Role::may`]), and every
//! way in ends in [`Caller::authorise`].

mod address;
mod base62;
mod caller;
mod credential;
mod identify;
pub mod key;
mod record;
mod role;
mod route;

pub(crate) use key::from_hex;
pub use address::{Network, bucket, parse as parse_address};
pub use caller::{Caller, Token, Via, refused};
pub use credential::{COOKIES, Presented, Sent, TICKET};
pub use identify::{ANONYMOUS, BOOTSTRAP, Identified, Known, Query, Secrets};
pub(crate) use record::FIELDS;
pub use record::{KeyRecord, LONGEST_TOKEN, Settings};
pub use role::{Operation, Role};
pub use route::{Found, KeyAction, Right, Route, at, is_api, is_id, model_id};
