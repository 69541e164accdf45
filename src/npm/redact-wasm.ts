import { AnswerBytes, AnswerDeltas, initSync, MaskStream, Redactor, RestoreStream } from "../../build/wasm/redact.js";
import { compile, type WasmSource } from "./source.js";

/** The bindings of redaction, ready for use. */
export interface RedactBindings {
  AnswerBytes: typeof AnswerBytes;
  AnswerDeltas: typeof AnswerDeltas;
  MaskStream: typeof MaskStream;
  Redactor: typeof Redactor;
  RestoreStream: typeof RestoreStream;
}

let source: (() => WasmSource | PromiseLike<WasmSource>) | undefined;
let loading: Promise<RedactBindings> | undefined;

/** Says where the wasm comes from, when it is first needed. An entry calls it. */
export function setRedactSource(from: () => WasmSource | PromiseLike<WasmSource>): void {
  source = from;
}

/** Starts the wasm, once; a failed start is tried again by the next caller. `given` goes before the entry's own. */
export function loadRedact(given: WasmSource | PromiseLike<WasmSource> | undefined): Promise<RedactBindings> {
  loading ??= start(given).catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function start(given: WasmSource | PromiseLike<WasmSource> | undefined): Promise<RedactBindings> {
  const from = given ?? source?.();
  if (from === undefined) throw new Error("sluicegate: this entry brings no wasm along: give that of redaction as the option `wasm`.");
  initSync({ module: await compile(await from) });
  return { AnswerBytes, AnswerDeltas, MaskStream, Redactor, RestoreStream };
}
