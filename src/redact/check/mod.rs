//! Whether a candidate that a pattern found is what it looks like: check digits, real dates, prefixes, ranges.
//!
//! Each validator is a pure function of a *normalised* candidate: full-width forms folded to ASCII, Chinese digits in
//! digit runs mapped, and separators (space, `-`, `.`, `·`, `/`, parentheses) stripped, except where they mean
//! something: e-mail, IP and MAC addresses, dates. Letters count in either case. Anything else than the whole
//! candidate, boundaries and context are the caller's business; "needs context" in a validator's docs means that its
//! shape alone proves too little. None allocates, none panics on any string, all run in linear time.

pub(crate) mod card;
pub(crate) mod date;
pub(crate) mod device;
pub(crate) mod email;
pub(crate) mod eu;
pub(crate) mod hk_mo_tw;
pub(crate) mod iban;
pub(crate) mod id_cn;
pub(crate) mod ip;
pub(crate) mod more;
mod num;
pub(crate) mod permit;
pub(crate) mod phone;
pub(crate) mod plate;
pub(crate) mod secret;
pub(crate) mod us_uk;
pub(crate) mod uscc;

#[cfg(test)]
mod tests;
