//! Finding and hiding what must not leave: the parts of redaction.

pub mod ner;
