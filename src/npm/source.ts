/** What the core can be started from. */
export type WasmSource = WebAssembly.Module | BufferSource | Response | string | URL;

/** Compiles what an entry or an app gives. */
export async function compile(from: WasmSource): Promise<WebAssembly.Module> {
  if (from instanceof WebAssembly.Module) return from;
  if (typeof from === "string" || from instanceof URL) from = await fetch(from);
  if (typeof Response === "undefined" || !(from instanceof Response)) return WebAssembly.compile(from as BufferSource);
  if (!from.ok) throw new Error(`sluicegate: the server answered ${from.status} for ${from.url}.`);
  // A server that does not know .wasm sends another media type, with which streaming compilation fails.
  const isWasm = from.headers.get("content-type")?.startsWith("application/wasm");
  return isWasm ? WebAssembly.compileStreaming(from) : WebAssembly.compile(await from.arrayBuffer());
}
