// Answers made in advance, so that a benchmark measures what stands before this server and not the server.
// `bench-18` has 18 events of about 286 bytes (then `[DONE]`, with the last), each its own network chunk; `bench-18-burst` is
// the same without waiting between writes; `bench-unary`, or any of them without `stream`, is one JSON body.
// These requests are counted, not logged.

const EVENTS = 18;
const EVENT_BYTES = 286;
const HEAD = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache", "x-request-id": "req_bench" };
const USAGE = { prompt_tokens: 12, completion_tokens: 16, total_tokens: 28 };

/** The text that `bench-18` streams, and `bench-unary` holds. */
export const BENCH_TEXT = Array.from({ length: EVENTS - 2 }, (_, at) => ` word${at}`).join("");

const STREAM = Array.from({ length: EVENTS }, (_, at) => {
  if (at === 0) return event({ role: "assistant", content: "" }, null);
  if (at === EVENTS - 1) return Buffer.concat([event({ content: "" }, "stop", { usage: USAGE }), Buffer.from("data: [DONE]\n\n")]);
  return event({ content: ` word${at - 1}` }, null);
});
const UNARY = Buffer.from(
  JSON.stringify({
    id: "5f0c7a52-0000-4000-8000-000000000018",
    object: "chat.completion",
    created: 1_795_000_000,
    model: "bench-unary",
    choices: [{ index: 0, message: { role: "assistant", content: BENCH_TEXT }, logprobs: null, finish_reason: "stop" }],
    usage: USAGE,
    system_fingerprint: "fp_scripted",
  }),
);
const UNARY_HEAD = { "content-type": "application/json", "content-length": UNARY.length, "x-request-id": "req_bench" };

function event(delta, finish, extra = {}) {
  const render = (fingerprint) =>
    Buffer.from(
      `data: ${JSON.stringify({
        id: "5f0c7a52-0000-4000-8000-000000000018",
        object: "chat.completion.chunk",
        created: 1_795_000_000,
        model: "bench-18",
        system_fingerprint: fingerprint,
        choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
        ...extra,
      })}\n\n`,
    );
  const base = "fp_scripted";
  return render(base.padEnd(base.length + EVENT_BYTES - render(base).length, "0"));
}

/** Answers a benchmark's request; false if the body does not ask for one. */
export function answerBench(body, response) {
  if (!body.includes('"bench-')) return false;
  const name = /"model"\s*:\s*"bench-(18|18-burst|unary)"/.exec(body.toString("latin1"))?.[1];
  if (name === undefined) return false;
  if (name === "unary" || !/"stream"\s*:\s*true/.test(body.toString("latin1"))) {
    response.writeHead(200, UNARY_HEAD);
    response.end(UNARY);
    return true;
  }
  response.writeHead(200, HEAD);
  if (name === "18-burst") {
    for (const bytes of STREAM) response.write(bytes);
    response.end();
    return true;
  }
  let at = 0;
  const next = () => {
    if (response.destroyed) return;
    response.write(STREAM[at++]);
    if (at < EVENTS) setImmediate(next);
    else response.end();
  };
  next();
  return true;
}
