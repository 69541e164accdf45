import { type ErrorFields, GateError } from "./error.js";
import type { CallOptions, Model } from "./types.js";
import type { Bindings } from "./wasm.js";

/** How long the list may take where no `connect` budget is given: a small answer that no model has to think about. */
const PATIENCE = 20_000;

/** Asks for the list of models. Fails only with a {@link GateError}, like a call of the core. */
export async function listModels(
  { errorOf, failureOf }: Bindings,
  send: (url: string, init: RequestInit) => Promise<Response>,
  url: string,
  call: CallOptions | undefined,
): Promise<Model[]> {
  const failure = (code: string, message: string, cause?: unknown) => new GateError({ ...(errorOf(code, message) as ErrorFields), cause });
  const signal = call?.signal ?? undefined;
  const controller = new AbortController();
  let late = false;
  // A fetch that ignores its signal must not hang the call.
  const aborted = new Promise<never>((_, reject) => (controller.signal.onabort = () => reject(controller.signal.reason)));
  aborted.catch(() => {});
  const abort = () => controller.abort(signal?.reason);
  const patience = Math.min(call?.budgets?.connect ?? PATIENCE, 0x7fffffff);
  const timer = setTimeout(() => {
    late = true;
    controller.abort();
  }, patience);
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  try {
    controller.signal.throwIfAborted();
    const response = await Promise.race([send(url, { signal: controller.signal }), aborted]);
    const bytes = new Uint8Array(await Promise.race([response.arrayBuffer(), aborted]));
    if (!response.ok) throw new GateError(failureOf(response, bytes) as ErrorFields);
    const list = parse(bytes);
    if (!list) throw failure("protocol", "The answer is not a list of models.");
    return list;
  } catch (error) {
    if (error instanceof GateError) throw error;
    if (late) throw failure("timeout_connect", "The list of models did not come within the connect budget.");
    if (signal?.aborted) throw failure("cancelled", "The caller cancelled.", signal.reason);
    throw failure("network", "The upstream could not be reached, or closed before answering.", error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

function parse(bytes: Uint8Array): Model[] | undefined {
  try {
    const { data } = JSON.parse(new TextDecoder().decode(bytes)) as { data?: unknown };
    return Array.isArray(data) ? (data as Model[]) : undefined;
  } catch {
    return undefined;
  }
}
