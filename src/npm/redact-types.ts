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

/** Where the weights of the search for names come from. */
export type NamesSource = BufferSource | Response | string | URL;

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
  /**
   * Loads what finds names of people, places and organisations: `sluicegate/names.bin`, as bytes, as a response or by its address. Texts that
   * begin from then on are searched for them.
   */
  loadNames(weights: NamesSource | PromiseLike<NamesSource>): Promise<void>;
  /** Whether names are searched for. */
  readonly hasNames: boolean;
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
  /** The session as a text, to be kept on the device: it holds the values. */
  export(): string;
  /** Goes on with an exported session; the redactor must have the key of the one that it comes from. */
  import(session: string): void;
}
