// A client that hides nothing: status, headers, each network chunk, and how the body ended.

import { request } from "node:http";

/** Sends a chat body and reads the answer: `{ status, headers, chunks, text, ended, error }`; `stopAfter` chunks it leaves. */
export function post(base, body, { path = "/chat/completions", headers = {}, stopAfter = Infinity, timeout = 10_000 } = {}) {
  return new Promise((resolve) => {
    const result = { status: undefined, headers: {}, chunks: [], ended: false, error: undefined };
    const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
    const call = request(base + path, { method: "POST", agent: false, headers: { "content-type": "application/json", "content-length": bytes.length, ...headers } });
    const timer = setTimeout(() => call.destroy(new Error("timeout")), timeout);
    const settle = () => {
      clearTimeout(timer);
      resolve({ ...result, bytes: Buffer.concat(result.chunks), text: Buffer.concat(result.chunks).toString() });
    };
    call.on("error", (error) => {
      result.error ??= error.code ?? error.message;
      settle();
    });
    call.on("response", (response) => {
      Object.assign(result, { status: response.statusCode, headers: response.headers });
      response.on("data", (chunk) => {
        result.chunks.push(chunk);
        if (result.chunks.length >= stopAfter) call.destroy();
      });
      response.on("end", () => {
        result.ended = true;
      });
      response.on("error", (error) => {
        result.error ??= error.code ?? error.message;
      });
      response.on("close", settle);
    });
    call.end(bytes);
  });
}

/** The `data:` payloads of a well-formed stream. */
export function dataOf(text) {
  return text
    .split(/\r\n\r\n|\n\n|\r\r/)
    .flatMap((block) => block.split(/\r\n|\n|\r/))
    .filter((line) => line.startsWith("data: "))
    .map((line) => line.slice(6));
}

/** Puts a stream's chunks together: `{ text, reasoning, calls, finish, usage, done, chunks }` of the first choice. */
export function assemble(text) {
  const result = { text: "", reasoning: "", calls: [], finish: null, usage: undefined, done: false, chunks: [] };
  for (const data of dataOf(text)) {
    if (data === "[DONE]") {
      result.done = true;
      continue;
    }
    const chunk = JSON.parse(data);
    result.chunks.push(chunk);
    if (chunk.usage) result.usage = chunk.usage;
    for (const choice of chunk.choices ?? []) {
      if (choice.index !== 0) continue;
      result.text += choice.delta?.content ?? choice.text ?? "";
      result.reasoning += choice.delta?.reasoning_content ?? "";
      result.finish = choice.finish_reason ?? result.finish;
      for (const call of choice.delta?.tool_calls ?? []) {
        result.calls[call.index] ??= { id: call.id, type: "function", function: { name: call.function.name, arguments: "" } };
        result.calls[call.index].function.arguments += call.function.arguments;
      }
    }
  }
  return result;
}
