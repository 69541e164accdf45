import { Call, checkOptions, errorOf, EventDecoder, failureOf, Forward, Health, initSync, noticeCodes, ReplyStream } from "../../build/wasm/sluicegate.js";
import { compile, type WasmSource } from "./source.js";

/** The core's bindings, ready for use. */
export interface Bindings {
  Call: typeof Call;
  EventDecoder: typeof EventDecoder;
  Forward: typeof Forward;
  Health: typeof Health;
  ReplyStream: typeof ReplyStream;
  checkOptions: typeof checkOptions;
  errorOf: typeof errorOf;
  failureOf: typeof failureOf;
  memory: WebAssembly.Memory;
  /** The codes of notices, by their number. */
  noticeCodes: string[];
}

let source: (() => WasmSource | PromiseLike<WasmSource>) | undefined;
let loading: Promise<Bindings> | undefined;

/** Says where the core comes from, when it is first needed. An entry calls it; the last one before the start wins. */
export function setSource(from: () => WasmSource | PromiseLike<WasmSource>): void {
  if (!loading) source = from;
}

/** Starts the core, once; a failed start is tried again by the next caller. */
export function load(): Promise<Bindings> {
  loading ??= start().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function start(): Promise<Bindings> {
  if (!source) throw new Error("sluicegate/slim: pass { wasm } to createGate, or import \"sluicegate\" instead.");
  const { memory } = initSync({ module: await compile(await source()) });
  return { Call, EventDecoder, Forward, Health, ReplyStream, checkOptions, errorOf, failureOf, memory, noticeCodes: noticeCodes() };
}
