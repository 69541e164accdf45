//! The state machine of one call.
