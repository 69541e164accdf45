//! The wasm-bindgen layer of the npm package: it converts and drives, the core decides.
