//! What to send: parsing, validating and building requests for the dialects of the vendors.
