/**
 * The load generator, in a process of its own: takes one job a message, answers each with one message.
 *
 * - `{kind: "closed", url, headers, body, clients, seconds, events?}`: every client sends its next request when the last one has ended, on a connection
 *   of its own that stays open. Gives the count, the seconds it took, and the latencies to the first byte of the body and to the end (`{p50, p99}` in ms).
 * - `{kind: "open", url, headers, body, streams}`: opens so many streams, answers when each has had its first byte, and holds them;
 *   `{kind: "close"}` lets them go.
 *
 * A job fails on the first answer that is not what the upstream sent: a gateway that is quick to fail must not win.
 */
import { Client } from "undici";
import { quantile } from "./stats.mjs";

/** A gateway that answers nothing for so long is reported, not waited for. */
const ANSWER_WITHIN_MS = 10_000;

let held = [];

const kinds = { closed, open, close };

process.on("message", async (job) => {
  try {
    process.send({ done: await kinds[job.kind](job) });
  } catch (error) {
    process.send({ failed: error.message });
  }
});
process.on("disconnect", () => process.exit());

const connect = (url) =>
  new Client(new URL(url).origin, { pipelining: 1, keepAliveTimeout: 600_000, headersTimeout: ANSWER_WITHIN_MS, bodyTimeout: ANSWER_WITHIN_MS });

/** One request; `first` and `end` are milliseconds from the call. Keeps the body only where `keep` asks for it. */
function once(client, { url, headers, body }, keep) {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    let status = 0;
    let first = NaN;
    let last;
    const parts = [];
    client.dispatch({ path: new URL(url).pathname, method: "POST", headers, body }, {
      onRequestStart() {},
      onResponseStart(_, code) {
        status = code;
      },
      onResponseData(_, chunk) {
        if (last === undefined) first = performance.now() - started;
        last = chunk;
        if (keep) parts.push(chunk);
      },
      onResponseEnd() {
        resolve({ status, first, end: performance.now() - started, last, text: keep ? Buffer.concat(parts).toString() : undefined });
      },
      onResponseError(_, error) {
        reject(error);
      },
    });
  });
}

function check({ status, last, text }, { events }) {
  if (status !== 200) throw new Error(`status ${status}: ${(text ?? String(last)).slice(0, 300)}`);
  if (events === undefined) {
    if (text !== undefined && !JSON.parse(text).choices[0].message.content) throw new Error(`no answer in ${text.slice(0, 300)}`);
    return;
  }
  if (!last.includes("[DONE]")) throw new Error(`a stream ended without [DONE]: …${last.toString().slice(-300)}`);
  const seen = text?.match(/^data: \{/gm)?.length;
  if (text !== undefined && seen !== events) throw new Error(`${seen} events instead of ${events}`);
}

async function closed(job) {
  const clients = Array.from({ length: job.clients }, () => connect(job.url));
  const firsts = [];
  const ends = [];
  // Before the clock runs: opens the connections, and looks at each answer as a whole.
  await Promise.all(clients.map(async (client) => check(await once(client, job, true), job)));
  const started = performance.now();
  const until = started + job.seconds * 1_000;
  await Promise.all(
    clients.map(async (client) => {
      while (performance.now() < until) {
        const seen = await once(client, job, false);
        check(seen, job);
        firsts.push(seen.first);
        ends.push(seen.end);
      }
    }),
  );
  const seconds = (performance.now() - started) / 1_000;
  await Promise.all(clients.map((client) => client.destroy()));
  return { count: ends.length, seconds, first: latencies(firsts), end: latencies(ends) };
}

const latencies = (sample) => ({ p50: quantile(sample, 0.5), p99: quantile(sample, 0.99) });

/** Opened in small groups: a backlog that overflows would be measured as slowness. */
const OPEN_AT_ONCE = 50;

async function open(job) {
  for (let at = 0; at < job.streams; at += OPEN_AT_ONCE) {
    const group = Array.from({ length: Math.min(OPEN_AT_ONCE, job.streams - at) }, () => connect(job.url));
    held.push(...group);
    await Promise.all(group.map((client) => firstByte(client, job)));
  }
  return { open: held.length };
}

function firstByte(client, { url, headers, body }) {
  return new Promise((resolve, reject) => {
    client.dispatch({ path: new URL(url).pathname, method: "POST", headers, body }, {
      onRequestStart() {},
      onResponseStart(_, code) {
        if (code !== 200) reject(new Error(`status ${code}`));
      },
      onResponseData: () => resolve(),
      onResponseEnd: () => reject(new Error("a stream ended that has no end")),
      onResponseError: (_, error) => reject(error),
    });
  });
}

async function close() {
  const clients = held;
  held = [];
  await Promise.all(clients.map((client) => client.destroy().catch(() => {})));
  return {};
}
