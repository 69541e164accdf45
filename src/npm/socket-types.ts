import type { TokenOptions } from "./token-types.js";
import type { ContentPart, Delta, Message, Reply } from "./types.js";

/** A source of single-use tickets: the gate's `/auth/ticket` behind a server of the app, which knows who asks. */
export interface TicketEndpoint {
  /** Answers a POST with `{ "ticket" }`. */
  endpoint: string | URL;
  headers?: Record<string, string>;
  /** As in `fetch`: whether cookies go along. ### Default: same-origin */
  credentials?: RequestCredentials;
}

/** What {@link openSocket} takes. */
export interface SocketOptions {
  /** The gate's socket: `wss://gate.example.com/v1/stream`, or `/v1/stream` for the page's own origin. */
  url: string | URL;
  /** A single-use ticket, a function that gives one, or an endpoint of the app that does. */
  ticket?: string | (() => string | PromiseLike<string>) | TicketEndpoint;
  /** Instead of a ticket: an access token, or what gives one as in `createGate`. The ticket is then asked for with it. */
  token?: string | TokenOptions;
  /** Where the ticket is asked for with the token. ### Default: /auth/ticket beside the socket */
  ticketEndpoint?: string | URL;
  /** Further subprotocols to offer. */
  protocols?: string[];
  /** Ends the opening; an open socket is ended by `close()`. */
  signal?: AbortSignal | null;
  /** How long the opening may take, ticket included. ### Default: 20,000 */
  timeoutMs?: number;
  /** How long the gate may be silent while it owes an answer, pongs included. ### Default: 30,000 */
  idleMs?: number;
  /**
   * How much of an answer may wait to be read, in characters. From a quarter of a million on the gate is asked to pause; an answer that comes
   * nevertheless ends at this bound with `reply_too_large`.
   *
   * ### Default: 8,388,608
   */
  maxBuffer?: number;
  /** The WebSocket to use where the platform has none (Node 20): that of `ws` or `undici`. ### Default: globalThis.WebSocket */
  WebSocket?: WebSocketClass;
  /** Replaces `globalThis.fetch`, for the ticket. */
  fetch?: typeof globalThis.fetch;
}

/** A class of WebSockets, as the platform has it. */
export type WebSocketClass = new (url: string, protocols: string[]) => { send(text: string): void; close(code?: number, reason?: string): void };

/** One request: a prompt, messages, or inputs of several kinds. All other fields are those of a chat request. */
export interface SocketRequest {
  prompt?: string;
  messages?: Message[];
  inputs?: ({ type: "text"; data: string } | { type: "image"; data: string } | ContentPart)[];
  model?: string;
  temperature?: number | null;
  top_p?: number | null;
  max_tokens?: number | null;
  stop_sequences?: string[];
  [field: string]: unknown;
}

/** One answer. Leaving the loop cancels it; the socket stays. */
export interface SocketStream extends AsyncIterable<Delta> {
  [Symbol.asyncIterator](): AsyncIterator<Delta, void, undefined>;
  /** Reads to the end and gives the whole reply. */
  reply(): Promise<Reply>;
  /** Cancels the request. */
  cancel(): void;
}

/** An open socket. It answers one request after the other. */
export interface GateSocket {
  /** Asks, and streams the answer. Nothing is sent before the first read, nor before the answer to a request that was cancelled has ended. */
  stream(request: SocketRequest, options?: { signal?: AbortSignal | null }): SocketStream;
  /** Closes; an answer that is under way is cancelled. */
  close(): void;
  /** Whether requests can be sent. */
  readonly isOpen: boolean;
  /** How it was closed, once it is. */
  readonly closed: Promise<{ code: number; reason: string }>;
}
