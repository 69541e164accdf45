import type { Message } from "../types.js";
import { makeBackend } from "./backend.js";
import { blobOf } from "./image.js";
import type { LocalModel, LocalRequest } from "./types.js";

interface Prompt {
  role: string;
  content: string | { type: string; value: unknown }[];
  prefix?: boolean;
}

interface Session {
  promptStreaming(input: Prompt[], options?: { signal?: AbortSignal; responseConstraint?: object }): ReadableStream<string>;
  measureContextUsage?(input: Prompt[]): Promise<number>;
  measureInputUsage?(input: Prompt[]): Promise<number>;
  readonly contextWindow?: number;
  readonly inputQuota?: number;
  destroy(): unknown;
}

interface Core {
  expectedInputs?: { type: "text" | "image" | "audio"; languages?: string[] }[];
  expectedOutputs?: { type: "text" | "image" | "audio"; languages?: string[] }[];
}

interface LanguageModel {
  availability(options?: Core): Promise<"unavailable" | "downloadable" | "downloading" | "available">;
  create(options: Core & { initialPrompts?: Prompt[]; signal?: AbortSignal; monitor?(monitor: EventTarget): void }): Promise<Session>;
}

/** Options of {@link promptApi}. */
export interface PromptApiOptions {
  /** The languages of prompts and answers, as in `["en", "ja"]`: the browser may have to load something for each. */
  languages?: string[];
  /** Whether it is asked to take images. Default no. */
  vision?: boolean;
  /** What replies report as their model. Default `prompt-api`: the browser does not say which one it has. */
  name?: string;
}

/** The browser's own model, through the Prompt API (`globalThis.LanguageModel`). In windows only: workers have it not. */
export function promptApi({ languages, vision = false, name = "prompt-api" }: PromptApiOptions = {}): LocalModel {
  const api = () => (globalThis as { LanguageModel?: LanguageModel }).LanguageModel;
  const text = { type: "text" as const, ...(languages && { languages }) };
  const core: Core = { expectedInputs: vision ? [text, { type: "image" }] : [text], expectedOutputs: [text] };

  return makeBackend<Session>({
    id: "prompt-api",
    model: name,
    parameters: [],
    json: true,
    vision,
    async probe() {
      // It rejects where a page's policy forbids it, or a language is unknown to it.
      const availability = (await api()?.availability(core).catch(() => undefined)) ?? "unavailable";
      return availability === "available" ? "ready" : availability;
    },
    // Kept, so that the browser keeps the model in memory; each answer has a session of its own.
    load: (report, signal) =>
      mustHave(api()).create({
        ...core,
        signal,
        monitor(monitor) {
          monitor.addEventListener("downloadprogress", (event) => report({ loaded: (event as ProgressEvent).loaded, total: 1 }));
        },
      }),
    unload: (session) => session.destroy(),
    contextOf: (session) => session.contextWindow ?? session.inputQuota,
    count: (session, messages) => session[session.measureContextUsage ? "measureContextUsage" : "measureInputUsage"]!(messages.map(toPrompt)),
    async *generate(_, request, signal) {
      const prompts = request.messages.map(toPrompt);
      const last = prompts.pop()!;
      // An answer that is begun is to be continued, not to be answered.
      if (last.role === "assistant") last.prefix = true;
      // The API takes one at the head of a session only; a system message that stands alone is the prompt.
      if (last.role === "system") last.role = "user";
      const session = await mustHave(api()).create({ ...core, initialPrompts: prompts, signal });
      try {
        const responseConstraint = constraint(request);
        yield* pieces(session.promptStreaming([last], { signal, ...(responseConstraint && { responseConstraint }) }));
      } finally {
        session.destroy();
      }
    },
  });
}

function mustHave(api: LanguageModel | undefined): LanguageModel {
  if (!api) throw new Error("This browser has no Prompt API here.");
  return api;
}

function toPrompt({ role, content }: Message): Prompt {
  if (!Array.isArray(content)) return { role, content: content ?? "" };
  return {
    role,
    content: content.map((part) => (part.type === "text" ? { type: "text", value: part.text } : { type: "image", value: blobOf(part) })),
  };
}

function constraint({ response_format: format }: LocalRequest): object | undefined {
  return format && { type: "object", ...(format.json_schema?.schema as object | undefined) };
}

/** By a reader: not every engine iterates over streams. */
async function* pieces(stream: ReadableStream<string>): AsyncGenerator<string, void, undefined> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // Of no effect where it has ended.
    await reader.cancel().catch(() => {});
  }
}
