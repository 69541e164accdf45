/**
 * The upstream that the gateways are measured on: as cheap as Node allows, so that it is not what is measured.
 * (The scripted upstream of the tests can do much more, and costs more.)
 *
 * By the request's model: `bench-18` streams 18 events, each its own network chunk; `bench-slow` streams the first event and then
 * one a second without end; anything else gets a whole answer. Run as a module's process, it sends its port as the only message.
 */
import { createServer } from "node:http";
import { stream } from "./workload.mjs";

export const EVENTS = 18;

const { frames } = stream(EVENTS - 1);
const unary = Buffer.from(
  JSON.stringify({
    id: "chatcmpl-5b2c7f3e91d44c0a8e6f2a7d1c9b0e44",
    object: "chat.completion",
    created: 1795360527,
    model: "bench-unary",
    choices: [{ index: 0, message: { role: "assistant", content: "Gates leak, 水往低处流。".repeat(24) }, logprobs: null, finish_reason: "stop" }],
    usage: { prompt_tokens: 18, completion_tokens: 240, total_tokens: 258 },
  }),
);

const UNARY_HEAD = { "content-type": "application/json", "content-length": unary.length };
const STREAM_HEAD = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };

function answer(body, response) {
  if (body.includes('"bench-18"')) burst(response, 0);
  else if (body.includes('"bench-slow"')) trickle(response);
  else response.writeHead(200, UNARY_HEAD).end(unary);
}

/** One event a turn of the event loop: written in one turn, they would leave as one packet. */
function burst(response, at) {
  if (at === 0) response.writeHead(200, STREAM_HEAD);
  if (at === frames.length - 1) {
    response.end(frames[at]);
    return;
  }
  response.write(frames[at]);
  setImmediate(burst, response, at + 1);
}

function trickle(response) {
  response.writeHead(200, STREAM_HEAD);
  let at = 0;
  const next = () => response.write(frames[at++ % (frames.length - 1)]);
  next();
  const timer = setInterval(next, 1_000);
  response.on("close", () => clearInterval(timer));
}

const server = createServer((request, response) => {
  let body = "";
  request.setEncoding("latin1");
  request.on("data", (text) => (body += text));
  request.on("end", () => answer(body, response));
});
server.keepAliveTimeout = 600_000;
server.requestTimeout = 0;
server.listen(0, "127.0.0.1", 4_096, () => process.send({ port: server.address().port }));
process.on("disconnect", () => process.exit());
