import { type ErrorFields, GateError, toGateError } from "./error.js";
import { loadRedact, type RedactBindings } from "./redact-wasm.js";
import type { WasmSource } from "./source.js";

/** What happens to something that was found. */
export type RedactAction = "keep" | "mask" | "label" | "token" | "hash" | "drop" | "block" | "local_only";

/** A rule of the application's own. */
export interface RedactRule {
  /** The type of what it finds: capitals, digits and `_`. */
  name: string;
  /** The pattern: see `docs/redaction.md` for its language. */
  pattern: string;
  /** What labels and tokens call it. Default: its name. */
  label?: string;
  /** Words of which one must stand within 24 characters before. Default: none need. */
  context?: string[];
  /** Default `token`. */
  action?: RedactAction;
}

/** What is to be done about private data. A plain object: the same as a gate's configuration takes. */
export interface RedactPolicy {
  /** Whether answers give back what was hidden: `reversible` writes tokens, `irreversible` labels. Default `reversible`. */
  mode?: "reversible" | "irreversible";
  /** The language of labels and tokens. Default `zh`. */
  language?: "zh" | "en";
  /** What happens to which type (`PHONE_CN`, `EMAIL`, …), where that differs from the default. */
  entities?: Record<string, RedactAction>;
  /** The groups of types that are on. Default `["all", "cn"]`. */
  packs?: ("all" | "cn" | "us" | "uk" | "eu")[];
  /** Values that stay, in any writing; `*@example.com` stands for a whole domain. */
  allow?: string[];
  /** Rules of the application's own. */
  rules?: RedactRule[];
  /** Rules that are off, by name. */
  disable?: string[];
  /** The least score of a finding, 0 to 1. Default 0.5. */
  threshold?: number;
  /** What happens to private data that is new in an answer. Default `keep`. */
  answers?: "keep" | "mask";
  /** Where else than in text tokens are given back. Default: in reasoning only. */
  restore?: { reasoning?: boolean; tool_arguments?: boolean; urls?: boolean; code?: boolean };
  /** Whether a system message asks the model to leave tokens as they are. Default false. */
  hint?: boolean;
  /** The search for names. */
  names?: { bias?: number };
}

/** What {@link createRedactor} takes. */
export interface RedactOptions extends RedactPolicy {
  /** The key of the tokens' check characters, 32 bytes. The same key gives the same tokens. Default: a new one for each redactor. */
  key?: Uint8Array;
  /** The wasm, for apps that bring it themselves: `sluicegate/redact.wasm` in whatever form their bundler gives. */
  wasm?: WasmSource | PromiseLike<WasmSource>;
}

/** Private data in a text. */
export interface Finding {
  /** What it is: `PHONE_CN`, or the name of an own rule. */
  type: string;
  /** Its first character in the original text, in UTF-16 units as JavaScript counts. */
  start: number;
  /** The character behind its last one. */
  end: number;
  /** The rule that found it. */
  rule: string;
  /** How sure that is, 0 to 1. */
  score: number;
  /** What happens to it. */
  action: RedactAction;
}

/** A finding and what has taken its place. */
export interface Replaced extends Finding {
  replacement: string;
}

/** A text with its private data hidden. */
export interface Redacted {
  text: string;
  findings: Replaced[];
}

/** A masked request body. */
export interface RedactedBody extends RedactCounts {
  /** The body; as it came if nothing had to change. */
  text: string;
  changed: boolean;
  /** Something in it is for a model on the device only: it must not go out, masked or not. */
  localOnly: boolean;
}

/** How much of what was done. */
export interface RedactCounts {
  counts: { type: string; action: RedactAction; count: number }[];
  /** Tokens that were given back. */
  restored: number;
}

/** A text in pieces. For every split of the text what comes out is the same. */
export interface RedactStream extends TransformStream<string, string> {
  /** How much of the text is held back at the moment, in bytes of UTF-8. */
  readonly held: number;
}

/** Hides what is private, and gives it back: see {@link createRedactor}. */
export interface Redactor {
  /** Hides what is private in a text. */
  redact(text: string): Redacted;
  /** What is private in a text, to show it while it is typed; changes nothing. */
  find(text: string): Finding[];
  /** Gives back what tokens in a text stand for. `json`: the text is JSON; values are escaped for its strings. */
  restore(text: string, options?: { json?: boolean }): string;
  /** Hides what is private in a text that comes in pieces. */
  stream(): RedactStream;
  /** Gives back tokens in a text that comes in pieces. */
  restoreStream(options?: { json?: boolean }): RedactStream;
  /**
   * Hides what is private in a request body of any endpoint: in its texts; structure stays.
   *
   * @throws GateError `private_data` if the policy blocks something in it, `invalid_request` for what is not JSON. Nothing may go out then.
   */
  maskBody(body: string | object, options?: { format?: "json" | "jsonl" | "text" }): RedactedBody;
  /** What was done so far. */
  counts(): RedactCounts;
  /** What the tokens stand for. It never leaves the device. */
  readonly session: RedactSession;
  /** Forgets everything and frees the memory. What is still open fails. */
  close(): void;
}

/** What the tokens of one redactor stand for. */
export interface RedactSession {
  /** Forgets it: tokens that are out are not given back any more. */
  clear(): void;
}

/** Makes a redactor. @throws GateError `misconfigured`, with the path of the fault as `param`. */
export async function createRedactor(options: RedactOptions = {}): Promise<Redactor> {
  return openRedactor(options);
}

/** As {@link createRedactor}, with what only a gate needs. */
export async function openRedactor(options: RedactOptions): Promise<CoreRedactor> {
  if (typeof options !== "object" || options === null) throw misconfigured("", "The policy must be an object.");
  const { key = crypto.getRandomValues(new Uint8Array(32)), wasm, ...policy } = options;
  if (!(key instanceof Uint8Array)) throw misconfigured("key", "The key must be a Uint8Array of 32 bytes.");
  const json = toJson(policy);
  return new CoreRedactor(await loadRedact(wasm), json, key);
}

const FORMATS = { json: 0, jsonl: 1, text: 2 };

export class CoreRedactor implements Redactor {
  readonly session: RedactSession;
  readonly #bindings: RedactBindings;
  readonly #core: InstanceType<RedactBindings["Redactor"]>;
  #isOpen = true;

  constructor(bindings: RedactBindings, policy: string, key: Uint8Array) {
    this.#bindings = bindings;
    this.#core = checked(() => new bindings.Redactor(policy, key));
    this.session = { clear: () => this.#run((core) => core.clear()) };
  }

  redact(text: string): Redacted {
    return this.#run((core) => {
      const redacted = core.redact(checkText(text));
      return { text: redacted, findings: JSON.parse(core.said()) as Replaced[] };
    });
  }

  find(text: string): Finding[] {
    return this.#run((core) => JSON.parse(core.find(checkText(text))) as Finding[]);
  }

  restore(text: string, { json = false } = {}): string {
    return this.#run((core) => core.restore(checkText(text), json));
  }

  stream(): RedactStream {
    return this.#run((core) => textStream(new this.#bindings.MaskStream(core)));
  }

  restoreStream({ json = false } = {}): RedactStream {
    return this.#run((core) => textStream(new this.#bindings.RestoreStream(core, json)));
  }

  maskBody(body: string | object, { format = "json" }: { format?: keyof typeof FORMATS } = {}): RedactedBody {
    return this.#run((core) => {
      if (!(format in FORMATS)) throw new TypeError("sluicegate: the format is json, jsonl or text.");
      const text = core.maskBody(FORMATS[format], typeof body === "string" ? body : toJson(body));
      return { text, ...(JSON.parse(core.said()) as Omit<RedactedBody, "text">) };
    });
  }

  counts(): RedactCounts {
    return this.#run((core) => JSON.parse(core.counts()) as RedactCounts);
  }

  /** One answer that is read as deltas. */
  deltas(): InstanceType<RedactBindings["AnswerDeltas"]> {
    return this.#run((core) => new this.#bindings.AnswerDeltas(core));
  }

  /** One answer that is handed on as an event stream. */
  bytes(): InstanceType<RedactBindings["AnswerBytes"]> {
    return this.#run((core) => new this.#bindings.AnswerBytes(core));
  }

  /** A whole answer that is handed on, a JSON text. */
  answer(text: string): string {
    return this.#run((core) => core.answer(text));
  }

  /** Words that come from elsewhere and that may be logged, without what is private in them. */
  scrub(text: string): string {
    return this.#run((core) => core.scrub(text));
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#core.close();
    this.#core.free();
  }

  #run<T>(work: (core: InstanceType<RedactBindings["Redactor"]>) => T): T {
    if (!this.#isOpen) throw failed("The redactor is closed.");
    return checked(() => work(this.#core));
  }
}

/** What both directions of a text in pieces have in common. */
interface Pieces {
  push(text: string): string;
  finish(): string;
  held(): number;
  free(): void;
}

/** The first half of a surrogate pair at the end of a piece: it waits for the second, since alone it is no character. */
const HALF = /[\uD800-\uDBFF]$/;

function textStream(pieces: Pieces): RedactStream {
  let half = "";
  let held = () => pieces.held() + (half === "" ? 0 : 3);
  const end = () => {
    held = () => 0;
    pieces.free();
  };
  const stream = new TransformStream<string, string>({
    transform(piece, controller) {
      try {
        let text = half + checkText(piece);
        half = HALF.exec(text)?.[0] ?? "";
        if (half !== "") text = text.slice(0, -1);
        const out = checked(() => pieces.push(text));
        if (out !== "") controller.enqueue(out);
      } catch (error) {
        end();
        throw error;
      }
    },
    flush(controller) {
      try {
        const out = checked(() => pieces.push(half) + pieces.finish());
        if (out !== "") controller.enqueue(out);
      } finally {
        end();
      }
    },
  });
  return Object.defineProperty(stream, "held", { get: () => held() }) as RedactStream;
}

/** Runs `work`; what the core throws is a JSON text. Whatever else goes wrong, nothing may go out. */
export function checked<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (typeof error === "string") throw toGateError(JSON.parse(error) as ErrorFields);
    if (error instanceof GateError || error instanceof TypeError) throw error;
    throw failed("The redaction failed in a way that it does not know.", error);
  }
}

function checkText(text: unknown): string {
  if (typeof text === "string") return text;
  throw new TypeError("sluicegate: a string is expected.");
}

function toJson(value: object): string {
  try {
    const text = JSON.stringify(value);
    if (typeof text === "string") return text;
  } catch {
    // What was thrown may quote the value.
  }
  throw failed("What is to be masked cannot be written as JSON.");
}

/** An error that says that nothing has left. */
export function failed(message: string, cause?: unknown): GateError {
  const nextStep = "Report it with the cause; nothing has left the gate.";
  return new GateError({ code: "redaction_failed", message, status: 500, party: "gate", nextStep, retryable: false, cause });
}

function misconfigured(param: string, message: string): GateError {
  const nextStep = "Correct the named path of the configuration.";
  return new GateError({ code: "misconfigured", message, status: 503, party: "operator", nextStep, retryable: false, param });
}
