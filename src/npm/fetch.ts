import type { ErrorFields } from "./error.js";
import { GateError } from "./error.js";
import type { CallOptions, GateEvents, OutcomeName, Timing, Usage } from "./types.js";
import type { Bindings } from "./wasm.js";

interface Head {
  status: number;
  headers: [string, string][];
  /** Missing for a stream. */
  body?: Uint8Array<ArrayBuffer>;
}

interface Summary {
  outcome: OutcomeName;
  timing: Timing;
  usage?: Usage;
  error?: ErrorFields;
}

/** The routes that the core reads; their paths end so whatever the base URL is. */
const ROUTES = /\/(chat\/)?completions$/;

/** A `fetch` that sends the calls it knows through the core and all others as they are. */
export function gateFetch(
  { Forward }: Bindings,
  coreOptions: () => object,
  gateHeaders: (own: Record<string, string>, call: CallOptions | undefined) => Promise<[string, string][]>,
  customFetch: typeof globalThis.fetch | undefined,
  account: (end: GateEvents["end"]) => void,
): typeof globalThis.fetch {
  return async (input, init) => {
    const send = customFetch ?? globalThis.fetch;
    const from = typeof Request !== "undefined" && input instanceof Request ? input : undefined;
    const url = from ? from.url : String(input);
    const method = (init?.method ?? from?.method ?? "GET").toUpperCase();
    const path = url.replace(/[?#].*$/s, "");
    if (method !== "POST" || !ROUTES.test(path)) return send(input, init);

    const body = await new Response(init?.body ?? from?.body ?? "").text();
    const headers = new Headers(init?.headers ?? from?.headers);
    headers.delete("content-length");
    const signal = init?.signal ?? from?.signal;
    signal?.throwIfAborted();
    // The SDK's own headers go first: its placeholder key gives way to the gate's.
    const pairs = await gateHeaders(Object.fromEntries(headers), undefined);

    const call = new Forward(body, { ...coreOptions(), url, headers: pairs }, customFetch);
    const cancel = () => call.cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    const finish = () => {
      signal?.removeEventListener("abort", cancel);
      const summary = call.summary() as Summary | undefined;
      call.free();
      if (!summary) return;
      const { outcome, usage, timing, error } = summary;
      account({ outcome, usage, timing, error: error && new GateError(error) });
    };

    const pull = () => new Promise<unknown>((resolve) => call.pull(resolve));

    const head = (await pull()) as Head;
    const cause: unknown = call.cause();
    if (signal?.aborted || cause !== undefined) {
      finish();
      // What `fetch` itself throws, since that is what SDKs expect of one.
      throw signal?.aborted ? signal.reason : cause;
    }
    if (head.body) {
      finish();
      return new Response(head.body, { status: head.status, headers: head.headers });
    }
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const chunk = (await pull()) as Uint8Array | undefined;
        if (signal?.aborted) {
          finish();
          controller.error(signal.reason);
        } else if (chunk) {
          controller.enqueue(chunk);
        } else {
          finish();
          controller.close();
        }
      },
      cancel,
    });
    return new Response(stream, { status: head.status, headers: head.headers });
  };
}
