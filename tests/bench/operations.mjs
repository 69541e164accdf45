/**
 * What one request costs in operations of the platform, counted and not reasoned: each database and object is spoken to through a Worker that counts.
 *
 * Several isolates of the Worker share one database and one set of objects, as places of the network do, and keys are asked at a steady pace.
 */
import { join } from "node:path";
import { BENCH } from "./builds.mjs";
import { message, startModule, stop, temporaryFolder } from "./children.mjs";
import { workerText, workerd } from "./gateways.mjs";
import { makeKey, makeTables, ourWorker, withStore } from "./ours-worker.mjs";
import { describeStores } from "../worker/store.mjs";
import { number, table } from "./table.mjs";

const ACCESS = { root: "ROOT_SECRET", bootstrap: "ADMIN_KEY" };

/** How callers behave: so many keys, each with these limits, each asking so many times a second, over so many isolates; `stream` for streams. */
const LOADS = [
  { name: "4 keys of 600 a minute, at their limit's pace", keys: 4, isolates: 4, perSecond: 10, limits: { requests_per_minute: 600, tokens_per_minute: 1_000_000, spend_per_month: 1_000 } },
  { name: "the same with 100 streams at most, streamed", keys: 4, isolates: 4, perSecond: 10, stream: true, limits: { requests_per_minute: 600, tokens_per_minute: 1_000_000, spend_per_month: 1_000, concurrent_streams: 100 } },
  { name: "40 keys of 600 a minute, each asking once a second", keys: 40, isolates: 4, perSecond: 1, limits: { requests_per_minute: 600, tokens_per_minute: 1_000_000, spend_per_month: 1_000 } },
  { name: "1 key of 60,000 a minute, 100 a second", keys: 1, isolates: 4, perSecond: 100, limits: { requests_per_minute: 60_000, tokens_per_minute: 100_000_000, spend_per_month: 100_000, concurrent_streams: 500 } },
];

/**
 * Dollars for a million, beyond what a plan includes. Cloudflare's public list: requests and CPU of Workers, requests of Durable Objects and rows of D1 as their pricing
 * pages had them in 2026; rows that an object's own storage writes and reads as those of D1.
 */
export const PRICES = { request: 0.3, cpuMs: 0.02, objectRequest: 0.15, rowWritten: 1, rowRead: 0.001, kvRead: 0.5 };

/** @returns `null` when there is no build, else a result for each load */
export async function countOperations({ quick, progress }) {
  if (!ourWorker({ upstream: "http://127.0.0.1" })) return null;
  const seconds = quick ? 40 : 120;
  const upstream = startModule(join(BENCH, "upstream.mjs"));
  const { port } = await message(upstream);
  try {
    const results = [];
    for (const load of LOADS) {
      const gate = await start(`http://127.0.0.1:${port}`, load.isolates);
      try {
        results.push({ ...load, ...(await run(gate, load, seconds)) });
        progress(`${load.name}: counted`);
      } finally {
        await gate.stop();
      }
    }
    return { seconds, results };
  } finally {
    await stop(upstream);
  }
}

async function start(upstream, isolates) {
  const worker = ourWorker({ upstream, access: ACCESS });
  const namespaces = worker.bindings.filter((line) => line.includes("durableObjectNamespace"));
  const texts = worker.bindings.filter((line) => !line.includes("durableObjectNamespace"));
  const stores = await describeStores([{ kind: "d1", binding: "DB" }], join(temporaryFolder(), "stores"));
  const beside = withStore(stores);
  const counted = stores.bindings.map((line) => line.replace('service = "d1"', 'service = "statements"'));
  const elsewhere = namespaces.map((line) => line.replace(/durableObjectNamespace = "(\w+)"/, 'durableObjectNamespace = ( className = "$1", serviceName = "objects" )'));
  const isolate = { modules: worker.modules, bindings: [...texts, ...elsewhere, ...counted], flags: worker.flags };
  const names = Array.from({ length: isolates - 1 }, (_, at) => `isolate${at + 1}`);
  const bare = (name) => ({ name: `${name}.mjs`, kind: "esModule", path: join(BENCH, "bare", `${name}.mjs`) });
  return workerd({
    ...isolate,
    services: [
      ...beside.services,
      ...names.map((name) => `( name = "${name}", worker = .${name} )`),
      '( name = "objects", worker = .objects )',
      '( name = "statements", worker = .statements )',
    ],
    workers: [
      beside.workers,
      ...names.map((name) => workerText(name, isolate)),
      workerText("objects", { modules: [bare("objects"), ...worker.modules], bindings: [...texts, ...namespaces, ...counted], flags: worker.flags, definition: worker.definition }),
      workerText("statements", { modules: [bare("statements")], bindings: ['( name = "TO", service = "d1" )'] }),
    ].join("\n"),
    extensions: beside.extensions,
    sockets: [...beside.sockets, ...names, "objects", "statements"],
    prepare: makeTables,
  });
}

async function run({ ports }, { keys, isolates, perSecond, limits, stream = false }, seconds) {
  const made = await Promise.all(Array.from({ length: keys }, () => makeKey(ports, limits)));
  const places = ["main", ...Array.from({ length: isolates - 1 }, (_, at) => `isolate${at + 1}`)];
  const counts = () => Promise.all(["objects", "statements"].map(async (name) => (await fetch(`http://127.0.0.1:${ports[name]}/counts`)).json()));
  const body = JSON.stringify({ model: stream ? "bench-18" : "bench-unary", stream, max_tokens: 256, messages: [{ role: "user", content: "Why do gates leak?" }] });
  const ask = async (at, key) => {
    const response = await fetch(`http://127.0.0.1:${ports[places[at % isolates]]}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
      body,
    });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${response.status} ${text.slice(0, 200)}`);
  };
  const before = await counts();
  // A little below the pace of the limit: the bench's clock is not the gate's.
  const every = 1_050 / perSecond;
  const started = performance.now();
  let asked = 0;
  const one = async ({ key }, from) => {
    for (let at = 0; performance.now() - started < seconds * 1_000; at += 1) {
      const due = started + from * every + at * every;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
      // Each key's requests come to the isolates in turn.
      await ask(at, key);
      asked += 1;
    }
  };
  await Promise.all(made.map((key, at) => one(key, at / keys)));
  const after = await counts();
  const grown = Object.fromEntries(after.flatMap((now, at) => Object.keys(now).map((name) => [name, now[name] - (before[at][name] ?? 0)])));
  const { KeyLimits = 0, RouteHealth = 0, statements = 0, writes = 0 } = grown;
  return { requests: asked, keyLimits: KeyLimits / asked, routeHealth: RouteHealth / asked, statements: statements / asked, rowsWritten: (KeyLimits + RouteHealth + writes) / asked, kvReads: 0 };
}

/** Dollars that a million requests cost beyond the requests themselves. */
const dollars = ({ keyLimits, routeHealth, statements, rowsWritten }) =>
  (keyLimits + routeHealth) * PRICES.objectRequest + rowsWritten * PRICES.rowWritten + statements * PRICES.rowRead;

export function reportOperations(counted, cpuMicros) {
  if (!counted) return "";
  const { seconds, results } = counted;
  const request = PRICES.request + (cpuMicros / 1_000) * PRICES.cpuMs;
  return [
    `Operations of the platform for one request, counted over ${seconds} s of each load, from cold; every isolate meets every key. KV is not used`,
    table(
      ["", "requests", "to KeyLimits", "to RouteHealth", "D1 statements", "KV reads", "$ per million"],
      results.map((each) => [each.name, each.requests, number(each.keyLimits), number(each.routeHealth), number(each.statements), each.kvReads, dollars(each).toFixed(3)]),
    ),
    `Dollars at list prices beyond what a plan includes: an object's request ${PRICES.objectRequest} a million, a row written ${PRICES.rowWritten} (each message to KeyLimits writes one, a statement reads about one, ${PRICES.rowRead}). ` +
      `The requests themselves are ${PRICES.request} a million and their CPU ${PRICES.cpuMs} a million ms: with the CPU measured above, ${request.toFixed(3)} a million.`,
  ].join("\n\n");
}
