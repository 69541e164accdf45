//! The wasm-bindgen layer of the npm package: it converts values and drives fetch; every rule is the core's.
//!
//! | file | what crosses |
//! |---|---|
//! | `call.rs` | one call: request text in, batches of deltas out |
//! | `forward.rs` | one call for an SDK: request text in, response head and bytes out |
//! | `pipeline.rs` | bytes in, batches of deltas out, no network |
//! | `decoder.rs` | bytes in, events out |
//! | `driver.rs` | the loop that `call` and `forward` share: carries out what the exchange asks for, over one lane for each attempt |
//! | `lane.rs` | one attempt under way: its transport and its callbacks |
//! | `transport.rs` | one fetch: send, read, abort; and a timer |
//! | `health.rs` | what the calls of one gate learn from each other |
//! | `batch.rs` | deltas as numbers over text, read by JavaScript straight from memory |
//! | `options.rs` | options in |
//! | `convert.rs` | errors and replies out |
//! | `value.rs` | an option on its way |

mod batch;
mod call;
mod convert;
mod decoder;
mod driver;
mod forward;
mod health;
mod lane;
mod options;
mod pipeline;
mod transport;
mod value;

#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
