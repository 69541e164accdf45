/** What the core can be started from. */
export type WasmSource = WebAssembly.Module | BufferSource | Response | string | URL;
