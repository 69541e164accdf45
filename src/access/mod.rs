//! Whom the gate lets in, and to what: credentials, keys, roles, routes.
//!
//! ```text
//! path ─▶ route ─▶ credential ─▶ identify ─▶ caller ─▶ (body, limits, redaction, exchange)
//!         what is   what the      whose key    role, endpoints,
//!         there     caller sent   it is        addresses, models
//! ```
//!
//! Deny by default: a route without a right does not exist ([`Route::right`]), a right is one row of one table ([`Role::may`]), and every
//! way in ends in [`Caller::authorise`]. Nothing here knows a store: what a credential looks like is judged first ([`key::is_shaped`],
//! [`token::peek`]), which turns most of what is none away without a question; then what the key's record says.

mod address;
mod base62;
pub mod body;
mod caller;
mod credential;
mod identify;
pub mod jwt;
pub mod key;
mod record;
mod role;
mod route;
pub mod secret;
pub mod token;

pub use address::{Network, bucket, parse as parse_address};
pub use caller::{Caller, Token, Via, nothing, refused};
pub use credential::{Presented, Sent, TICKET, cookie_name};
pub use identify::{ANONYMOUS, Asserted, BOOTSTRAP, Identified, Judge, KeySecrets, Known, Query, Secrets};
pub use record::{FIELDS, KeyRecord, LONGEST_TOKEN, Settings};
pub use role::{Operation, Role};
pub use route::{Found, KeyAction, Right, Route, at, is_api, is_id, model_id};
