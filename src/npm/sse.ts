import { toGateError } from "./error.js";
import { load } from "./wasm.js";

/** One event of a stream. */
export interface ServerSentEvent {
  /** The `event` field; `message` if there was none. */
  type: string;
  /** The `data` lines, joined by line feeds. */
  data: string;
  /** The last event id, as the standard keeps it: it outlives the event that set it. */
  id: string;
}

/** Options of {@link sseStream}. */
export interface SseOptions {
  /** The size that one event may have, in bytes. Over it the stream fails with `event_too_large`. Default 4 MiB. */
  maxEventBytes?: number;
  /** Deliver a last block that lacks its blank line; the standard discards it. Default false. */
  lenient?: boolean;
  /** Called for comments (`: keep-alive`), without the colon. */
  onComment?: (text: string) => void;
  /** Called for `retry` fields, with milliseconds. */
  onRetry?: (millis: number) => void;
}

/**
 * A TransformStream from bytes to events, as the WHATWG HTML standard reads them, whatever the chunks are.
 *
 * ```ts
 * for await (const { data } of response.body.pipeThrough(sseStream())) …
 * ```
 */
export function sseStream(options: SseOptions = {}): TransformStream<Uint8Array, ServerSentEvent> {
  const { maxEventBytes = 4 << 20, lenient = false, onComment, onRetry } = options;
  let decoder: { feed(...args: [Uint8Array, string[], string[], number[]]): void; finish(events: string[]): void; free(): void };

  function deliver(events: string[], controller: TransformStreamDefaultController<ServerSentEvent>): void {
    for (let i = 0; i < events.length; i += 3) controller.enqueue({ type: events[i]!, data: events[i + 1]!, id: events[i + 2]! });
  }

  return new TransformStream({
    async start() {
      const { EventDecoder } = await load();
      decoder = new EventDecoder(maxEventBytes, lenient);
    },
    transform(chunk, controller) {
      const events: string[] = [];
      const comments: string[] = [];
      const retries: number[] = [];
      try {
        decoder.feed(chunk, events, comments, retries);
      } catch (error) {
        throw toGateError(error);
      } finally {
        comments.forEach((text) => onComment?.(text));
        retries.forEach((millis) => onRetry?.(millis));
        deliver(events, controller);
      }
    },
    flush(controller) {
      const events: string[] = [];
      decoder.finish(events);
      decoder.free();
      deliver(events, controller);
    },
  });
}
