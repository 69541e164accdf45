//! Redaction: finds what must not leave, hides it in a live stream, and gives it back.

// The scanner calls these by the names in the rule table; until then only their tests do.
#[cfg_attr(not(test), allow(dead_code, reason = "the rule table that names them stands beside, not in here"))]
mod check;
