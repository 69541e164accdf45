/** What the core can be started from. */
export type WasmSource = WebAssembly.Module | BufferSource | Response | string | URL;

/** How an address is read: by `fetch`, where an entry does not know better. */
let open = (url: string | URL): Promise<Response> => fetch(url);

/** Says how an address is read. An entry calls it. */
export function setOpen(how: (url: string | URL) => Promise<Response>): void {
  open = how;
}

/** The bytes that an app gives, or that its address leads to. */
export async function bytesOf(from: BufferSource | Response | string | URL): Promise<Uint8Array> {
  if (typeof from === "string" || from instanceof URL) from = await open(from);
  if (from instanceof ArrayBuffer) return new Uint8Array(from);
  if (ArrayBuffer.isView(from)) return new Uint8Array(from.buffer, from.byteOffset, from.byteLength);
  if (!from.ok) throw new Error(`sluicegate: the server answered ${from.status} for ${from.url}.`);
  return new Uint8Array(await from.arrayBuffer());
}

/** Compiles what an entry or an app gives. */
export async function compile(from: WasmSource): Promise<WebAssembly.Module> {
  if (from instanceof WebAssembly.Module) return from;
  if (typeof from === "string" || from instanceof URL) from = await open(from);
  if (typeof Response === "undefined" || !(from instanceof Response)) return WebAssembly.compile(from as BufferSource);
  if (!from.ok) throw new Error(`sluicegate: the server answered ${from.status} for ${from.url}.`);
  // A server that does not know .wasm sends another media type, with which streaming compilation fails.
  const isWasm = from.headers.get("content-type")?.startsWith("application/wasm");
  return isWasm ? WebAssembly.compileStreaming(from) : WebAssembly.compile(await from.arrayBuffer());
}
