import { untilAborted } from "./abort.js";
import { GateError, invalid, toGateError } from "./error.js";
import { type Credential, Key, Token, type Used } from "./key.js";
import type { createTokens } from "./token.js";
import type { CallOptions, GateOptions, LocalModel, RouteOptions } from "./types.js";

/** What the core is told of one route: `read_route` in `src/js/src/options.rs`. */
export interface CoreRoute {
  source: string;
  /** The API's base. */
  url: string;
  query?: string | undefined;
  headers: Pairs;
  dialect?: string | undefined;
  model?: string | undefined;
  /** The later ones go before. */
  budgets: unknown[];
  thinkTags?: string | undefined;
  context?: number | undefined;
  vision?: boolean | undefined;
  tools?: boolean | undefined;
  by?: string | undefined;
  isShared?: boolean;
  canRefresh?: boolean;
  resume?: boolean | undefined;
  fetch?: typeof globalThis.fetch | undefined;
}

/** What the core is told of one call: `CallOptions` in `src/js/src/options.rs`. */
export interface CoreOptions {
  path: string;
  routes: CoreRoute[];
  model: string | undefined;
  stream?: boolean;
  retry: unknown[];
  continuation: unknown[];
  hedge: unknown[];
  /** New headers for a route whose credential was refused. */
  refresh?: (route: number) => Promise<Pairs | undefined>;
  /** Why the last renewal failed, if it did; not for the core. */
  unrenewed?: () => unknown;
}

export type Pairs = [string, string][];

/** How the call differs from the gate's other calls. */
export interface Own {
  headers: Headers;
  path: string;
  /** For `gate.fetch`: the base of the address that the SDK calls, what stands behind the path, and its fetch. */
  url?: string;
  query?: string;
  fetch?: typeof globalThis.fetch | undefined;
}

/** How long a call waits for a backend to say whether it is ready; then its last answer counts. */
const LOCAL_PATIENCE = 50;

/** Where the calls of one gate may go. Checks what only TypeScript checks; the values are the core's to check. */
export class Routes {
  readonly #options: GateOptions;
  readonly #baseUrl: string;
  readonly #key: Credential;
  readonly #fallback: ((call: CallOptions | undefined) => Fallback)[];
  readonly #locals: Local[] = [];
  readonly #tokens: typeof createTokens | undefined;

  /** The routes of a gate. What tokens take is loaded only for options that have one. */
  static async open(options: GateOptions): Promise<Routes> {
    const { token, fallback } = options ?? {};
    const needed = token !== undefined || (Array.isArray(fallback) && fallback.some((route) => (route as RouteOptions | null)?.token !== undefined));
    return new Routes(options, needed ? (await import("./token.js")).createTokens : undefined);
  }

  private constructor(options: GateOptions, tokens: typeof createTokens | undefined) {
    this.#options = options;
    this.#tokens = tokens;
    this.#baseUrl = checkBaseUrl(options?.baseUrl, "baseUrl");
    this.#key = this.#credential(options, "");
    const { fallback = [] } = options;
    if (!Array.isArray(fallback)) throw invalid("fallback", "The option is not valid: expected is a list of APIs and local models.");
    this.#fallback = fallback.map((given, at) => (isLocal(given) ? this.#local(given, at) : this.#remote(given, at)));
  }

  get baseUrl(): string {
    return this.#baseUrl;
  }

  /** Every option, for the core to look at. */
  all(): CoreOptions {
    const routes = [this.#primary([], undefined), ...this.#fallback.map((route) => route(undefined).core)];
    return { ...this.#policies(undefined), path: "/chat/completions", routes };
  }

  /**
   * One request to the base URL that the core knows nothing of. After a 401 it is sent once more, with a new key, unless its body can be read
   * only once.
   */
  async send(send: typeof globalThis.fetch, input: RequestInfo | URL, init: RequestInit | undefined, own: Headers, call: CallOptions | undefined): Promise<Response> {
    const from = typeof Request !== "undefined" && input instanceof Request ? input : undefined;
    const signal = call?.signal ?? init?.signal ?? from?.signal;
    const used = await this.#key.get(signal);
    const response = await send(input, { ...init, headers: this.#headers(own, call, used.key) });
    const { body } = init ?? {};
    const isOnce = body == null ? from && !/^(GET|HEAD)$/.test(from.method) : typeof body === "object" && (Symbol.asyncIterator in body || "getReader" in body);
    if (response.status !== 401 || !this.#key.canRenew || isOnce) return response;
    // Without a new key the answer is the one that there is.
    const key = await untilAborted(this.#key.renew(used), signal ?? undefined).catch(() => undefined);
    if (key === undefined) return response;
    await response.body?.cancel();
    return send(input, { ...init, headers: this.#headers(own, call, key) });
  }

  /**
   * Where a call may go: to the base URL, then to the fallbacks, as far as they are there. `localOnly`, if given, are the types of what is in
   * the request for models on the device alone: it goes nowhere else.
   */
  async forCall(own: Own, call: CallOptions | undefined, localOnly?: string[], signal = call?.signal): Promise<CoreOptions> {
    await Promise.all(this.#locals.map((local) => local.ask()));
    const others = this.#fallback.map((route) => route(call)).filter(({ local }) => local?.isReady ?? true);
    // Without a network the requests to it would only cost time.
    const isOffline = globalThis.navigator?.onLine === false && others.some(({ local }) => local);
    if (isOffline || localOnly) {
      const locals = others.filter(({ local }) => local);
      if (localOnly && locals.length === 0) throw notLocal(localOnly);
      return { ...this.#policies(call), path: own.path, routes: locals.map(({ core }) => core) };
    }
    let unrenewed: unknown;
    let keyless: unknown;
    const used = await this.#key.get(signal ?? undefined).catch((error: unknown): Used => {
      if (others.length === 0) throw error;
      keyless = error;
      return { key: undefined, renewals: 0 };
    });
    const first: Fallback = {
      core: { ...this.#primary(this.#headers(own.headers, call, used.key), call), canRefresh: this.#key.canRenew },
      renew: async () => {
        const key = await this.#key.renew(used);
        return key === undefined ? undefined : this.#headers(own.headers, call, key);
      },
    };
    if (own.url !== undefined) Object.assign(first.core, { url: own.url, query: own.query, fetch: own.fetch });
    // The rest of a stream that outlives its token is asked for with the next one.
    if (this.#key.isShortLived) first.core.fetch = this.#resuming(first.core.fetch);
    if (keyless) Object.assign(first.core, { fetch: async () => noKey(keyless), canRefresh: false });
    const routes = [first, ...others];
    return {
      ...this.#policies(call),
      path: own.path,
      routes: routes.map(({ core }) => core),
      refresh: async (route) => {
        try {
          return await routes[route]?.renew?.();
        } catch (error) {
          unrenewed = error;
          return undefined;
        }
      },
      unrenewed: () => unrenewed,
    };
  }

  /** An address that is not the gate's: it gets neither the gate's key and headers nor its fallbacks. */
  foreign(own: Own & { url: string }): CoreOptions {
    const { url, query, fetch } = own;
    const core = { ...this.#primary([...own.headers], undefined), url, query, fetch, source: sourceOf(url), isShared: false, resume: false };
    return { ...this.#policies(undefined), path: own.path, routes: [core] };
  }

  #policies(call: CallOptions | undefined): Omit<CoreOptions, "path" | "routes"> {
    const { model, retry, continuation, hedge } = this.#options;
    return { model, retry: [retry, call?.retry], continuation: [continuation, call?.continuation], hedge: [hedge, call?.hedge] };
  }

  #primary(headers: Pairs, call: CallOptions | undefined): CoreRoute {
    const { budgets, continuation, fetch } = this.#options;
    const by = (call?.continuation || continuation || {}).by;
    return { ...siteOf(this.#options, this.#baseUrl), headers, by, budgets: [budgets, call?.budgets], fetch };
  }

  #headers(own: Headers, call: CallOptions | undefined, key: string | undefined): Pairs {
    const all = new Headers(own);
    addKey(all, key);
    addHeaders(all, this.#options.headers);
    addHeaders(all, call?.headers);
    return [...all];
  }

  /** What a site is asked with. */
  #credential(given: Omit<RouteOptions, "continuation">, place: string): Credential {
    const apiKey = checkSite(given, place);
    if (given.token === undefined) return new Key(apiKey);
    if (apiKey !== undefined) throw invalid(`${place}token`, "The option is not valid beside apiKey: a token takes its place.");
    return new Token(this.#tokens!(given.token, { fetch: given.fetch ?? this.#options.fetch }));
  }

  #resuming(custom: typeof globalThis.fetch | undefined): typeof globalThis.fetch {
    const hasOwn = new Headers(this.#options.headers).has("authorization");
    return async (input, init) => {
      const send = custom ?? globalThis.fetch;
      if (init?.method === "POST" || hasOwn) return send(input, init);
      const headers = new Headers(init?.headers);
      addKey(headers, await this.#key.get(init?.signal ?? undefined).then(({ key }) => key, () => undefined));
      return send(input, { ...init, headers });
    };
  }

  #remote(given: RouteOptions, at: number): (call: CallOptions | undefined) => Fallback {
    const place = `fallback[${at}].`;
    if (typeof given !== "object" || given === null) throw invalid(place.slice(0, -1), "The option is not valid: expected is an API or a local model.");
    const url = checkBaseUrl(given.baseUrl, `${place}baseUrl`);
    const key = this.#credential(given, place);
    const headers = new Headers({ "content-type": "application/json" });
    if (typeof given.apiKey === "string") addKey(headers, given.apiKey);
    addHeaders(headers, given.headers);
    const base = { ...siteOf(given, url), headers: [...headers], model: given.model, by: given.continuation === false ? "off" : given.continuation };
    return (call) => {
      const core: CoreRoute = { ...base, budgets: [this.#options.budgets, given.budgets, call?.budgets], fetch: given.fetch ?? this.#options.fetch };
      if (!key.canRenew) return { core };
      // Its key is asked for when the call gets there, which it rarely does.
      const send = core.fetch ?? globalThis.fetch;
      let used: Used | undefined;
      let renewed: string | undefined;
      core.canRefresh = true;
      core.fetch = async (input, init) => {
        const own = new Headers(init?.headers);
        try {
          // The rest of a stream belongs to the key that asked for it.
          if ((renewed === undefined && init?.method === "POST") || key.isShortLived) used = await key.get(init?.signal ?? undefined);
          if (!new Headers(given.headers).has("authorization")) addKey(own, key.isShortLived ? used?.key : (renewed ?? used?.key));
        } catch (error) {
          return noKey(error);
        }
        return send(input, { ...init, headers: own });
      };
      const renew = async () => {
        renewed = await key.renew(used ?? { key: undefined, renewals: 0 });
        return renewed === undefined ? undefined : core.headers;
      };
      return { core, renew };
    };
  }

  #local(backend: LocalModel, at: number): (call: CallOptions | undefined) => Fallback {
    const { fetch } = backend;
    if (typeof fetch !== "function") {
      throw invalid(`fallback[${at}].fetch`, "This local model has no fetch: pass it through localBackend() of sluicegate/local.");
    }
    const local = new Local(backend);
    this.#locals.push(local);
    const source = `local:${backend.id}`;
    return (call) => {
      const { model, context, vision = false, tools = false } = backend;
      const headers: Pairs = [["content-type", "application/json"]];
      return { local, core: { source, url: source, headers, model, context, vision, tools, budgets: [call?.budgets], fetch } };
    };
  }
}

/** The error for a request with something in it that only a model on the device may read, where there is none. */
export function notLocal(types: string[]): GateError {
  return new GateError({
    code: "local_only",
    message: `Something in the request may be read by a model on the device only (${types.join(", ")}), and none is ready for it.`,
    status: 403,
    party: "caller",
    nextStep: "Prepare a local model, or take out what the message names.",
    retryable: false,
  });
}

/** The answer of an API for which there is no key: it is left for the next one at once. */
function noKey(error: unknown): Response {
  return Response.json({ error: { message: toGateError(error).message, code: "unauthorized" } }, { status: 401 });
}

interface Fallback {
  core: CoreRoute;
  renew?: () => Promise<Pairs | undefined>;
  local?: Local;
}

/** What is known of a local model: its last answer. */
class Local {
  readonly #backend: LocalModel;
  isReady = false;

  constructor(backend: LocalModel) {
    this.#backend = backend;
  }

  async ask(): Promise<void> {
    const answer = (async () => this.#backend.availability())().then(
      (availability) => void (this.isReady = availability === "ready"),
      () => void (this.isReady = false),
    );
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([answer, new Promise((resolve) => (timer = setTimeout(resolve, LOCAL_PATIENCE)))]);
    clearTimeout(timer);
  }
}

function isLocal(given: RouteOptions | LocalModel): given is LocalModel {
  const { stream, availability } = (given ?? {}) as Partial<LocalModel>;
  return typeof stream === "function" && typeof availability === "function";
}

function siteOf({ dialect, thinkTags, context, vision, tools, resume }: Omit<RouteOptions, "continuation">, url: string) {
  return { source: sourceOf(url), url, dialect, thinkTags, context, vision, tools, resume };
}

function sourceOf(url: string): string {
  return new URL(url, globalThis.location?.href).host;
}

function checkBaseUrl(baseUrl: unknown, name: string): string {
  const expected = 'a string such as "https://gate.example.com/v1", or in a page "/v1", is expected';
  if (typeof baseUrl !== "string" || baseUrl === "") throw invalid(name, `The base URL is missing: ${expected}.`);
  try {
    new URL(baseUrl, globalThis.location?.href);
  } catch {
    throw invalid(name, `The base URL is not an address: ${expected}.`);
  }
  return baseUrl.replace(/\/+$/, "");
}

/** What the core does not get to see as it was given; gives the key. */
function checkSite({ apiKey, headers, fetch }: Omit<RouteOptions, "continuation">, place: string): GateOptions["apiKey"] {
  if (!["undefined", "string", "function"].includes(typeof apiKey)) {
    throw invalid(`${place}apiKey`, "The option is not valid: expected is a string, or a function that gives one.");
  }
  if (headers !== undefined && (typeof headers !== "object" || headers === null)) {
    throw invalid(`${place}headers`, "The option is not valid: expected is an object.");
  }
  if (fetch !== undefined && typeof fetch !== "function") throw invalid(`${place}fetch`, "The option is not valid: expected is a function.");
  addHeaders(new Headers(), headers);
  return apiKey;
}

function addKey(all: Headers, key: string | undefined): void {
  if (!key) return;
  try {
    all.set("authorization", `Bearer ${key}`);
  } catch {
    // The platform's own error quotes the key.
    throw invalid("apiKey", "The key has characters that a header cannot have.");
  }
}

function addHeaders(all: Headers, headers: Record<string, string> | undefined): void {
  for (const [name, value] of Object.entries(headers ?? {})) {
    try {
      all.set(name, value);
    } catch {
      throw invalid("headers", "A header has a name or a value that is not valid in HTTP.");
    }
  }
}
