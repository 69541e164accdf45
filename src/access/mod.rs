//! Who calls: keys, the secrets behind them, and signed tokens that stand for them for a while.
//!
//! Nothing here knows a store. A credential is judged in two steps: first what it looks like ([`key::is_shaped`], [`token::peek`]), which
//! costs no I/O and turns most of what is no credential away; then against what a record says.

mod base62;
pub mod jwt;
pub mod key;
pub mod secret;
pub mod token;
