import type { ErrorFields } from "./error.js";
import { GateError } from "./error.js";
import type { Redaction } from "./redaction.js";
import { completeUsage } from "./reply.js";
import { notLocal, type Routes } from "./routes.js";
import type { GateEvents, Notice, OutcomeName, TimelineEvent, Timing, Usage } from "./types.js";
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
  notices: Notice[];
  usage?: Usage;
  source?: string;
  attempts?: number;
  timeline?: TimelineEvent[];
  error?: ErrorFields;
}

/** The routes that the core reads; their paths end so whatever the base URL is. */
const ROUTES = /(?:\/chat)?\/completions$/;

// As it came: the core says what it thinks of a byte order mark.
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * A `fetch` that sends the calls it knows through the core and all others as they are. `localOnly`: what is in the request for models on the
 * device alone, of which there are none for other routes and addresses.
 */
export function gateFetch(
  { Forward }: Bindings,
  health: InstanceType<Bindings["Health"]>,
  routes: Routes,
  customFetch: typeof globalThis.fetch | undefined,
  settle: (end: GateEvents["end"], notices: Notice[]) => void,
  redaction: Redaction | undefined,
): (input: RequestInfo | URL, init?: RequestInit, localOnly?: string[]) => Promise<Response> {
  return async (input, init, localOnly) => {
    const send = customFetch ?? globalThis.fetch;
    const from = typeof Request !== "undefined" && input instanceof Request ? input : undefined;
    const url = from ? from.url : String(input);
    const method = (init?.method ?? from?.method ?? "GET").toUpperCase();
    const path = url.replace(/[?#].*$/s, "");
    // Another host gets neither the gate's key nor its headers: they are for the base URL alone.
    const isOurs = isInside(url, routes.baseUrl);
    const route = method === "POST" ? ROUTES.exec(path)?.[0] : undefined;
    if (localOnly && !(route && isOurs)) throw notLocal(localOnly);
    if (!route) {
      if (!isOurs) return send(input, init);
      return routes.send(send, input, init, new Headers(init?.headers ?? from?.headers), undefined);
    }

    const signal = init?.signal ?? from?.signal;
    signal?.throwIfAborted();
    // Not `from.body`, which Firefox does not have.
    const bytes = init?.body != null ? new Response(init.body).arrayBuffer() : from?.arrayBuffer();
    const body = utf8.decode(await bytes);
    const headers = new Headers(init?.headers ?? from?.headers);
    headers.delete("content-length");
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    // The SDK's own headers go first: its placeholder key gives way to the gate's.
    const query = url.slice(path.length).replace(/#.*$/s, "");
    const own = { headers, path: route, url: path.slice(0, -route.length), query, fetch: withInit(send, customFetch, from, init) };
    const options = isOurs ? await routes.forCall(own, undefined, localOnly, signal) : routes.foreign(own);
    signal?.throwIfAborted();

    const call = new Forward(body, options, health);
    let over = false;
    const finish = () => {
      if (over) return;
      over = true;
      signal?.removeEventListener("abort", onAbort);
      const summary = call.summary() as Summary | undefined;
      call.free();
      if (!summary) return;
      const { notices, error, ...end } = completeUsage(summary);
      settle({ ...end, error: error && new GateError(redaction?.error(error) ?? error) }, notices);
    };
    // Set while the core is at work on this call; it notices a cancel by itself then, and must not be freed.
    let busy = true;
    let fail: ((reason: unknown) => void) | undefined;
    const cancel = () => {
      call.cancel();
      if (!busy) finish();
    };
    const onAbort = () => {
      if (over) return;
      fail?.(signal!.reason);
      cancel();
    };
    signal?.addEventListener("abort", onAbort, { once: true });

    const pull = () => new Promise<unknown>((resolve) => call.pull(resolve));

    const head = (await pull()) as Head;
    const cause: unknown = call.cause();
    if (signal?.aborted || cause !== undefined) {
      finish();
      // What `fetch` itself throws, since that is what SDKs expect of one.
      throw signal?.aborted ? signal.reason : cause;
    }
    busy = false;
    if (head.body) {
      finish();
      // A 204 and its like may not have a body, not even an empty one.
      return new Response(head.body.length > 0 ? head.body : null, { status: head.status, headers: head.headers });
    }

    const source: UnderlyingDefaultSource<Uint8Array> = {
      start(controller) {
        fail = (reason) => controller.error(reason);
      },
      async pull(controller) {
        busy = true;
        const chunk = (await pull()) as Uint8Array | undefined;
        busy = false;
        if (cancelled || signal?.aborted) {
          finish();
        } else if (chunk) {
          controller.enqueue(chunk);
        } else {
          finish();
          controller.close();
        }
      },
      cancel() {
        cancelled = true;
        if (!over) cancel();
      },
    };
    let cancelled = false;
    // Nothing is read ahead of the caller: it would look to the upstream as if it were wanted.
    const stream = new ReadableStream(source, { highWaterMark: 0 });
    return new Response(stream, { status: head.status, headers: head.headers });
  };
}

/** Whether a request to `url` stays below the gate's base URL. */
function isInside(url: string, baseUrl: string): boolean {
  try {
    const page = globalThis.location?.href;
    const base = new URL(`${baseUrl}/`, page);
    const target = new URL(url, page);
    return target.origin === base.origin && target.pathname.startsWith(base.pathname);
  } catch {
    return false;
  }
}

/** The fetch for the core's request: what the caller's `init` says beyond the request itself goes along (`credentials`, `dispatcher`, …). */
function withInit(
  send: typeof globalThis.fetch,
  customFetch: typeof globalThis.fetch | undefined,
  from: Request | undefined,
  init: RequestInit | undefined,
): typeof globalThis.fetch | undefined {
  const { method, headers, body, signal, ...rest } = init ?? {};
  if (from?.credentials && from.credentials !== "same-origin") rest.credentials ??= from.credentials;
  if (Object.keys(rest).length === 0) return customFetch;
  return (url, own) => send(url, { ...rest, ...own });
}
