import type { Message } from "../types.js";
import { LocalError } from "./error.js";
import { fit } from "./fit.js";
import type { LocalBackend, LocalParameter, LocalRequest } from "./types.js";

/** A call of a local model. */
export interface LocalCall {
  request: LocalRequest;
  stream: boolean;
  /** What the caller has to keep to by itself, since the backend does not. */
  stop: string[];
  maxTokens: number;
  /** What was changed in the request, a sentence each. */
  changes: string[];
}

const NUMBERS = ["temperature", "top_p", "seed", "frequency_penalty", "presence_penalty"] as const;

/** Reads the body of a chat request for `backend`: what it cannot take is refused or left out, and what does not fit is shortened. */
export async function readCall(text: string, backend: LocalBackend): Promise<LocalCall> {
  const body = parse(text);
  const changes: string[] = [];
  const request: LocalRequest = { messages: readMessages(body.messages, backend, changes) };
  if ((body.n ?? 1) !== 1) throw new LocalError("not_supported", "A local model gives one answer at a time.", "n");
  readTools(body, backend, request);
  readFormat(body.response_format, backend, request);

  const stop = readStop(body.stop);
  const limit = body.max_completion_tokens ?? body.max_tokens;
  if (limit !== undefined && limit !== null) {
    if (!Number.isInteger(limit) || (limit as number) < 1) throw new LocalError("invalid_request", "It has to be a whole number over 0.", "max_tokens");
    request.max_tokens = limit as number;
  }
  const known = (name: LocalParameter) => backend.parameters?.includes(name) ?? false;
  const ignored: string[] = [];
  for (const name of NUMBERS) {
    const value = body[name];
    if (typeof value !== "number") continue;
    if (known(name)) request[name] = value;
    else ignored.push(name);
  }
  if (ignored.length > 0) changes.push(`The local model does not take ${ignored.join(", ")}.`);

  const left = await fit(request, backend);
  if (left > 0) changes.push(`The oldest ${left} messages were left out: the local model's context is ${backend.context} tokens.`);
  const maxTokens = known("max_tokens") ? Infinity : (request.max_tokens ?? Infinity);
  if (!known("max_tokens")) delete request.max_tokens;
  if (known("stop") && stop.length > 0) request.stop = stop;
  return { request, stream: body.stream === true, stop, maxTokens, changes };
}

function parse(text: string): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new LocalError("invalid_request", "The body has to be a JSON object.");
}

function readMessages(value: unknown, backend: LocalBackend, changes: string[]): Message[] {
  if (!Array.isArray(value) || value.length === 0) throw new LocalError("invalid_request", "It has to be a list of at least one message.", "messages");
  const system: string[] = [];
  const messages: Message[] = [];
  let moved = false;
  value.forEach((message: Partial<Message> | null, at) => {
    const where = `messages[${at}]`;
    if (typeof message !== "object" || message === null || typeof message.role !== "string") {
      throw new LocalError("invalid_request", "A message has to be an object with a role.", where);
    }
    const { role, tool_calls, tool_call_id, name } = message;
    if ((role === "tool" || tool_calls?.length) && !backend.tools) {
      throw new LocalError("not_supported", "This local model takes no tools.", where);
    }
    const content = readContent(message.content, backend, `${where}.content`);
    if ((role === "system" || role === "developer") && typeof content === "string") {
      moved ||= messages.length > 0;
      system.push(content);
    } else {
      // What else a message holds is of other models: earlier reasoning, ids, annotations.
      messages.push({ role, content, ...(tool_calls?.length && { tool_calls }), ...(tool_call_id && { tool_call_id }), ...(name && { name }) });
    }
  });
  // Chat templates of small models refuse a system message anywhere but first.
  if (moved) changes.push("System messages were put first.");
  return system.length > 0 ? [{ role: "system", content: system.join("\n\n") }, ...messages] : messages;
}

function readContent(content: unknown, backend: LocalBackend, where: string): Message["content"] & {} {
  if (content === undefined || content === null) return "";
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) throw new LocalError("invalid_request", "It has to be a string or a list of parts.", where);
  let onlyText = true;
  content.forEach((part: { type?: unknown; text?: unknown; image_url?: { url?: unknown } } | null, at) => {
    const here = `${where}[${at}]`;
    if (part?.type === "text" && typeof part.text === "string") return;
    if (typeof part?.type !== "string" || part.type === "text") throw new LocalError("invalid_request", "A part has to be an object with a type.", here);
    const isImage = part.type === "image_url";
    if (!isImage || !backend.vision) throw new LocalError("not_supported", `This local model takes no part of type ${part.type}.`, here);
    // A local call does not go to the network, not even for a picture.
    if (!String(part.image_url?.url).startsWith("data:")) throw new LocalError("not_supported", "A local model takes images as data: URLs only.", here);
    onlyText = false;
  });
  return onlyText ? content.map(({ text }) => text).join("") : content;
}

function readTools({ tools, tool_choice }: Record<string, unknown>, backend: LocalBackend, request: LocalRequest): void {
  if (!Array.isArray(tools) || tools.length === 0 || tool_choice === "none") return;
  if (!backend.tools) throw new LocalError("not_supported", "This local model takes no tools.", "tools");
  request.tools = tools;
  if (tool_choice !== undefined && tool_choice !== null) request.tool_choice = tool_choice;
}

function readFormat(format: unknown, backend: LocalBackend, request: LocalRequest): void {
  const { type } = (typeof format === "object" && format !== null ? format : { type: "text" }) as { type?: unknown };
  if (type === "text") return;
  if (!backend.json || (type !== "json_object" && type !== "json_schema")) {
    throw new LocalError("not_supported", "This local model cannot be held to a response format.", "response_format");
  }
  request.response_format = format as LocalRequest["response_format"] & {};
}

function readStop(stop: unknown): string[] {
  const stops = (Array.isArray(stop) ? stop : [stop ?? ""]) as unknown[];
  if (!stops.every((each) => typeof each === "string")) throw new LocalError("invalid_request", "It has to be a string or a list of strings.", "stop");
  return stops.filter((each) => each !== "");
}
