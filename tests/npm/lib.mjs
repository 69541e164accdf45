// What the suites of the package share.

import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export const CHAT = [{ role: "user", content: "Say hello to the gate, and to 门 too. 🙂" }];

/** For what is about one attempt: nothing is sent again, and nothing gone on with. */
export const ONE_ATTEMPT = { retry: false, continuation: false };

/** How soon the upstream has to see a cancel. */
const SOON_MS = 1000;

/** Waits until `holds()`, at most a second, and says whether it did. */
export async function soon(holds, patience = SOON_MS) {
  for (const end = Date.now() + patience; Date.now() < end; await sleep(5)) if (holds()) return true;
  return Boolean(holds());
}

/** What a promise rejects with; fails if it does not. */
export async function failureOf(promise) {
  const outcome = await Promise.resolve(promise).then((value) => ({ value }), (error) => ({ error }));
  if ("error" in outcome) return outcome.error;
  throw new Error(`succeeded with ${JSON.stringify(outcome.value)?.slice(0, 300)}`);
}

/** Reads a stream to its end or its error. */
export async function readAll(stream) {
  const deltas = [];
  try {
    for await (const delta of stream) deltas.push(delta);
    return { deltas, end: deltas.at(-1) };
  } catch (error) {
    return { deltas, error };
  }
}

/** The deltas' texts of one type, joined. */
export function joined(deltas, type, field = "text") {
  return deltas.filter((delta) => delta.type === type).map((delta) => delta[field]).join("");
}

/** The bytes of an event stream with these `data`. */
export function sse(...events) {
  return new TextEncoder().encode(events.map((data) => `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`).join(""));
}

/** One chunk of a streamed answer. */
export function chunk(delta, finish_reason = null, more = {}) {
  return { id: "c", object: "chat.completion.chunk", created: 7, model: "m", choices: [{ index: 0, delta, finish_reason }], ...more };
}

/** A whole answer. */
export function completion(message, more = {}) {
  return { id: "c", object: "chat.completion", created: 7, model: "m", choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason: "stop" }], ...more };
}

/** A streamed response of these byte chunks; `end` runs behind the last one. */
export function streamed(chunks, { end = (controller) => controller.close(), headers = {}, onCancel } = {}) {
  const queue = [...chunks];
  const body = new ReadableStream({
    pull: (controller) => (queue.length ? controller.enqueue(queue.shift()) : end(controller)),
    cancel: onCancel,
  });
  return new Response(body, { headers: { "content-type": "text/event-stream", ...headers } });
}

/** All cases of a folder of vectors, as `{ name, ...case }`, the name with its file's. */
export function vectors(folder) {
  const url = new URL(`../vectors/${folder}/`, import.meta.url);
  const files = readdirSync(url).filter((name) => name.endsWith(".json"));
  return files.flatMap((file) => JSON.parse(readFileSync(new URL(file, url))).map((each) => ({ ...each, name: `${file.slice(0, -5)}: ${each.name}` })));
}

/** Collects unhandled rejections of this process, which no test may cause. */
export function watchRejections() {
  const seen = [];
  process.on("unhandledRejection", (reason) => seen.push(reason));
  return async () => {
    await sleep(20);
    return seen;
  };
}
