// The Worker's face, put before what worker-build makes. Its class would be made anew, behind two proxies, for every request, and
// lets other Workers call its methods; a plain handler costs nothing and has none.

import Gate from "./shim.js";
import { Health } from "../src/health.js";
import { Limits } from "../src/limits.js";
import { SleepingSocket } from "../src/socket.js";
import { Live } from "../src/live.js";

export * from "./shim.js";

const { fetch } = Gate.prototype;
const state = globalThis.__worker_init_state;

/** Answers a request. `context` is the runtime's, or what an object says about itself. */
function answer(request, env, context) {
  // The class knows how to start over when the wasm has trapped.
  if (state.criticalError) return new Gate(context, env).fetch(request);
  try {
    return fetch.call({ env, ctx: context }, request);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) state.criticalError = true;
    throw error;
  }
}

/** The largest rest of a body that is read for nobody, in bytes, and how long it may take, in milliseconds. */
const REST = 64 << 10;
const PATIENCE = 1_000;

/**
 * What a refusal left of a small body is read before it goes out: where the runtime stands behind another one, as in `wrangler dev`, the next
 * call over the same connection fails otherwise.
 */
function outside(request, env, context) {
  const refused = (response) => {
    const length = request.body === null ? 0 : Number(request.headers.get("content-length") ?? Infinity);
    if (response.status < 400 || length === 0 || length > REST || request.bodyUsed) return response;
    const read = request.arrayBuffer().catch(() => {});
    return Promise.race([read, new Promise((resolve) => setTimeout(resolve, PATIENCE))]).then(() => response);
  };
  const response = answer(request, env, context);
  return response instanceof Promise ? response.then(refused) : refused(response);
}

export default { fetch: outside };

/** A stream that can be resumed. Not of the runtime's base class, so that there are no methods for other Workers to call. */
export class LiveStream extends Live {
  constructor(object, env) {
    super(object.id.toString(), (request, inside) => answer(request, env, inside));
  }
}

/** What all isolates know together of a route. */
export class RouteHealth extends Health {
  constructor(object, env) {
    super(object, (request, inside) => answer(request, env, inside));
  }
}

/** What a key may use. */
export class KeyLimits extends Limits {
  constructor(object, env) {
    super(object, (request, inside) => answer(request, env, inside));
  }
}

/** A WebSocket. */
export class Socket extends SleepingSocket {
  constructor(object, env) {
    super(object, (request, inside) => answer(request, env, inside));
  }
}
