//! The wasm-bindgen layer of `sluicegate/redact`: it converts values; every rule is the core's.
//!
//! | file | what crosses |
//! |---|---|
//! | `redactor.rs` | a policy in; whole texts and request bodies in and out |
//! | `stream.rs` | one text in pieces: on its way out, and on its way back |
//! | `answer.rs` | one answer: deltas, or the bytes of an event stream |
//! | `convert.rs` | findings, counts and errors out, as JSON texts, since JavaScript reads those anyway |

mod answer;
mod convert;
mod redactor;
mod stream;

#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
