import { type ErrorFields, GateError, toGateError } from "./error.js";
import type { Finding, NamesSource, RedactCounts, Redacted, RedactedBody, RedactOptions, Redactor, RedactSession, RedactStream, Replaced } from "./redact-types.js";
import { loadRedact, type RedactBindings } from "./redact-wasm.js";
import { bytesOf } from "./source.js";

/** As `createRedactor`, with what only a gate needs. */
export async function openRedactor(options: RedactOptions): Promise<CoreRedactor> {
  if (typeof options !== "object" || options === null) throw misconfigured("redact", "The policy must be an object.");
  const { key = crypto.getRandomValues(new Uint8Array(32)), wasm, ...policy } = options;
  if (!(key instanceof Uint8Array)) throw misconfigured("redact.key", "The key must be a Uint8Array of 32 bytes.");
  const json = toJson(policy, () => misconfigured("redact", "The policy cannot be written as JSON."));
  return new CoreRedactor(await loadRedact(wasm), json, key);
}

const FORMATS = { json: 0, jsonl: 1, text: 2 };
type Format = keyof typeof FORMATS;

/** A masked request. */
interface MaskedRequest extends RedactCounts {
  text: string;
  changed: boolean;
  /** The types of what is in it for models on the device only. */
  local: string[];
  /** It asks for JSON. */
  json: boolean;
}

/** A redactor over the core's bindings: it converts, and no value gets into an error. */
export class CoreRedactor implements Redactor {
  readonly session: RedactSession;
  readonly #bindings: RedactBindings;
  readonly #core: InstanceType<RedactBindings["Redactor"]>;
  #isOpen = true;

  constructor(bindings: RedactBindings, policy: string, key: Uint8Array) {
    this.#bindings = bindings;
    this.#core = checked(() => new bindings.Redactor(policy, key));
    this.session = {
      clear: () => this.#run((core) => core.clear()),
      export: () => this.#run((core) => core.exportSession()),
      import: (session) => this.#run((core) => core.importSession(checkText(session))),
    };
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

  maskBody(body: string | object, options?: { format?: Format }): RedactedBody {
    const { text, changed, local, counts, restored } = this.request(body, options);
    return { text, changed, localOnly: local.length > 0, counts, restored };
  }

  /** As `maskBody`, with what else there is to know of a request. */
  request(body: string | object, { format = "json" }: { format?: Format } = {}): MaskedRequest {
    return this.#run((core) => {
      if (!(format in FORMATS)) throw new TypeError("sluicegate: the format is json, jsonl or text.");
      const text = core.maskBody(FORMATS[format], typeof body === "string" ? body : toJson(body, () => failed("What is to be masked cannot be written as JSON.")));
      return { text, ...(JSON.parse(core.said()) as Omit<MaskedRequest, "text">) };
    });
  }

  async loadNames(weights: NamesSource | PromiseLike<NamesSource>): Promise<void> {
    const bytes = await bytesOf(await weights);
    this.#run((core) => core.loadNames(bytes));
  }

  get hasNames(): boolean {
    return this.#run((core) => core.hasNames());
  }

  counts(): RedactCounts {
    return this.#run((core) => JSON.parse(core.counts()) as RedactCounts);
  }

  /** One answer that is read as deltas; `json` here and below: the request asked for JSON. */
  deltas(json: boolean): InstanceType<RedactBindings["AnswerDeltas"]> {
    return this.#run((core) => new this.#bindings.AnswerDeltas(core, json));
  }

  /** One answer that is handed on as an event stream. */
  bytes(json: boolean): InstanceType<RedactBindings["AnswerBytes"]> {
    return this.#run((core) => new this.#bindings.AnswerBytes(core, json));
  }

  /** A whole answer that is handed on, a JSON text. */
  answer(text: string, json: boolean): string {
    return this.#run((core) => core.answer(text, json));
  }

  /** Whether an answer can differ from what came at all: else it need not be looked at. */
  get needsAnswers(): boolean {
    return this.#run((core) => core.needs());
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

function toJson(value: object, failure: () => GateError): string {
  try {
    const text = JSON.stringify(value);
    if (typeof text === "string") return text;
  } catch {
    // What was thrown may quote the value.
  }
  throw failure();
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
