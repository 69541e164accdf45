/** What goes over the wire, looked at where it does: the texts of a request as they left, and of its answer as they came. */

interface Sent {
  messages?: { role?: string; content?: unknown }[];
}

interface Chunk {
  choices?: { index?: number; delta?: { content?: unknown; refusal?: unknown } }[];
}

/** The text of a message: a string, or parts. */
function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part: { text?: unknown } | null) => (typeof part?.text === "string" ? part.text : "")).join("");
}

export interface WireEvents {
  /** A request has left: its messages' texts, in order. */
  sent(messages: { role: string; text: string }[]): void;
  /** A piece of an answer's text has come. */
  came(text: string): void;
}

/** `fetch` that tells of chat requests and of their streamed answers. What passes is not changed. */
export async function tapped(input: RequestInfo | URL, init: RequestInit | undefined, events: WireEvents | undefined): Promise<Response> {
  if (!events) return fetch(input, init);
  if (typeof init?.body === "string") {
    const { messages = [] } = JSON.parse(init.body) as Sent;
    events.sent(messages.map(({ role = "", content }) => ({ role, text: textOf(content) })));
  }
  const answer = await fetch(input, init);
  if (!answer.body || !answer.headers.get("content-type")?.startsWith("text/event-stream")) return answer;
  const lines = new Lines((line) => {
    const text = deltaOf(line);
    if (text !== "") events.came(text);
  });
  const decoder = new TextDecoder();
  const tap = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      lines.push(decoder.decode(chunk, { stream: true }));
      controller.enqueue(chunk);
    },
  });
  return new Response(answer.body.pipeThrough(tap), answer);
}

/** The text in one line of an event stream. */
function deltaOf(line: string): string {
  if (!line.startsWith("data:") || line.length > 1_000_000) return "";
  try {
    const { choices } = JSON.parse(line.slice(5)) as Chunk;
    const first = choices?.find(({ index = 0 }) => index === 0)?.delta;
    return [first?.content, first?.refusal].filter((text) => typeof text === "string").join("");
  } catch {
    return ""; // The end's mark, or an event of another kind.
  }
}

/** Lines out of text in pieces. One that does not end is let go. */
class Lines {
  private rest = "";

  constructor(private readonly each: (line: string) => void) {}

  push(text: string): void {
    const lines = (this.rest + text).split("\n");
    this.rest = (lines.pop() ?? "").slice(-1_000_001);
    for (const line of lines) this.each(line);
  }
}
