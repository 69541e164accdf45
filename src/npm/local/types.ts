import type { Message } from "../types.js";

/** Whether a local model can answer: `ready` means at once, without any download or load; all else but `unavailable` needs {@link LocalBackend.prepare}. */
export type LocalAvailability = "ready" | "downloadable" | "downloading" | "unavailable";

/** How far a download or a load is: bytes where the library counts them, else a share of a `total` of 1. */
export interface LocalProgress {
  loaded: number;
  total?: number;
}

/** Options of {@link LocalBackend.prepare}. */
export interface PrepareOptions {
  onProgress?(progress: LocalProgress): void;
  /** Leaves; the load itself is given up when all who wait for it have left. */
  signal?: AbortSignal;
}

/** Sampling parameters that a backend may honour, in the wire's names. */
export type LocalParameter = "max_tokens" | "stop" | "temperature" | "top_p" | "seed" | "frequency_penalty" | "presence_penalty";

/**
 * A chat request as a backend gets it: checked, without what the backend cannot take. At most one system message, and that first; contents
 * are strings, or lists of text and image parts where the backend has `vision`.
 */
export interface LocalRequest {
  messages: Message[];
  max_tokens?: number;
  stop?: string[];
  temperature?: number;
  top_p?: number;
  seed?: number;
  frequency_penalty?: number;
  presence_penalty?: number;
  /** Only where the backend has `tools`. */
  tools?: unknown[];
  tool_choice?: unknown;
  /** Only where the backend has `json`: `{ type: "json_object" }` or `{ type: "json_schema", json_schema }`. */
  response_format?: { type: string; json_schema?: { schema?: unknown } };
}

/** A model on the user's device, behind one small interface. */
export interface LocalBackend {
  /** `prompt-api`, `transformers`, `web-llm`, `wllama`, or a name of your own. */
  readonly id: string;
  /** What replies report as their model. */
  readonly model: string;
  /** Never starts anything. */
  availability(): Promise<LocalAvailability>;
  /** Downloads and loads. Quick if that is done already; joins a load in progress. Where a browser asks for it, call it on a click. */
  prepare(options?: PrepareOptions): Promise<void>;
  /**
   * One answer: pieces of text, or OpenAI chunks (`chat.completion.chunk`; the last with choices carries a `finish_reason`). Called for one
   * request at a time. When `signal` aborts, or the loop is left, the generation stops; the iterator ends once it has.
   */
  stream(request: LocalRequest, signal: AbortSignal): AsyncIterable<string | object>;
  /** Stops what runs, and frees the memory. `prepare()` loads again. */
  dispose?(): Promise<void>;
  /** How many tokens prompt and answer may have together. Default: not known, nothing is left out. */
  readonly context?: number;
  /** Whether it takes images. Default: no; requests with images are refused. */
  readonly vision?: boolean;
  /** Whether it takes tools. Default: no; requests with tools are refused. */
  readonly tools?: boolean;
  /** Whether it takes `response_format`. Default: no; requests for JSON are refused. */
  readonly json?: boolean;
  /** The parameters that it honours. Default none: `stop` and `max_tokens` are then kept to from outside, all others left out with a notice. */
  readonly parameters?: readonly LocalParameter[];
  /** Counts the tokens of a prompt. Default: they are estimated. */
  count?(messages: Message[]): Promise<number>;
  /** This backend as a transport: see `localFetch`. The backends of this package have it; `localBackend` gives it to others. */
  fetch?: typeof globalThis.fetch;
}

/** One of this package's backends. */
export type LocalModel = LocalBackend & Required<Pick<LocalBackend, "dispose" | "fetch">>;
