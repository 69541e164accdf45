/** Gateways side by side, between one upstream and one load generator: three processes, everything on loopback. */
import { join } from "node:path";
import { BENCH, workerFolder } from "./builds.mjs";
import { cpuMillis, message, residentBytes, startModule, stop } from "./children.mjs";
import { KEYED, OPEN, startGateways } from "./gateways.mjs";
import { countOperations, reportOperations } from "./operations.mjs";
import { summary } from "./stats.mjs";
import { number, ratio, table } from "./table.mjs";

const CLIENTS = 32;
const EVENTS = 18;
const DIRECT = "direct";

const chat = (model, extra) =>
  JSON.stringify({
    model,
    messages: [
      { role: "system", content: "You answer briefly, in the language of the question." },
      { role: "user", content: "Why do gates leak, and 怎么办? ".repeat(20) },
    ],
    temperature: 0.6,
    ...extra,
  });

const UNARY = { body: chat("bench-unary"), events: undefined };
const STREAM = { body: chat("bench-18", { stream: true }), events: EVENTS };
export const SLOW = { body: chat("bench-slow", { stream: true }) };

export const MEASURES = {
  unaryLatency: { title: "unary, 1 client", clients: 1, ...UNARY },
  firstByte: { title: "stream, 1 client", clients: 1, ...STREAM },
  unaryRate: { title: `unary, ${CLIENTS} clients`, clients: CLIENTS, ...UNARY },
  streamRate: { title: `streams, ${CLIENTS} clients`, clients: CLIENTS, ...STREAM },
};

export async function run({ quick, rounds = quick ? 2 : 5, seconds = quick ? 1 : 4, progress }) {
  const options = { rounds, seconds, openStreams: quick ? 100 : 500 };
  const upstream = startModule(join(BENCH, "upstream.mjs"));
  const { port } = await message(upstream);
  const origin = `http://127.0.0.1:${port}`;
  const load = startModule(join(BENCH, "load.mjs"));
  const gateways = await startGateways(origin, progress);
  try {
    const targets = [{ name: DIRECT, note: "no gateway", url: `${origin}/v1`, headers: {}, child: upstream }, ...gateways];
    await warmUp(load, targets, seconds, progress);
    const samples = {};
    for (const [id, measure] of Object.entries(MEASURES)) samples[id] = await interleave(load, targets, measure, options, progress);
    const memory = new Map(gateways.map(({ name, failed, child }) => [name, failed ? {} : { loaded: residentBytes(child) }]));
    await Promise.all(gateways.map((gateway) => gateway.stop()));
    const broken = new Set(targets.filter(({ failed }) => failed).map(({ name }) => name));
    await streamMemory(load, origin, broken, memory, options, progress);
    const operations = await countOperations({ quick, progress });
    return { options, built: workerFolder() !== null, results: targets.map((target) => resultOf(target, samples, memory)), operations };
  } finally {
    await Promise.all([stop(load), stop(upstream), ...gateways.map((gateway) => gateway.stop())]);
  }
}

export async function perform(load, { url, headers }, job) {
  load.send({ ...job, url: `${url}/chat/completions`, headers: { "content-type": "application/json", authorization: "Bearer none", ...headers } });
  const { done, failed } = await message(load);
  if (failed) throw new Error(failed);
  return done;
}

/** Compilers and connection pools settle; a gateway that does not work at all is found out here. */
async function warmUp(load, targets, seconds, progress) {
  for (const target of targets.filter(({ failed }) => !failed)) {
    try {
      for (const { clients, body, events } of [MEASURES.unaryRate, MEASURES.streamRate])
        await perform(load, target, { kind: "closed", clients, seconds: Math.min(1, seconds), body, events });
    } catch (error) {
      if (target.name === DIRECT) throw error;
      progress(`${target.name} left out: ${error.message} ${target.child.complaints}`);
      target.failed = error.message;
    }
  }
}

/** Samples of one measure: a map from a target's name to one result per round. */
async function interleave(load, targets, { title, clients, body, events }, { rounds, seconds }, progress) {
  const samples = new Map(targets.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const target of targets) {
      if (target.failed) continue;
      const before = cpuMillis(target.child);
      const result = await perform(load, target, { kind: "closed", clients, seconds, body, events });
      const cpuMicros = ((cpuMillis(target.child) - before) * 1_000) / result.count;
      samples.get(target.name).push({ ...result, rate: result.count / result.seconds, cpuMicros });
    }
    progress(`${title}: round ${round + 1} of ${rounds}`);
  }
  return samples;
}

/** On processes that have seen little: what the load left behind in a heap would hide what a stream takes. */
async function streamMemory(load, origin, broken, memory, { openStreams: streams }, progress) {
  const gateways = await startGateways(origin, () => {});
  try {
    for (const gateway of gateways.filter(({ name, failed }) => !failed && !broken.has(name))) {
      for (const { body, events } of [UNARY, STREAM]) await perform(load, gateway, { kind: "closed", clients: 1, seconds: 0.2, body, events });
      const before = residentBytes(gateway.child);
      await perform(load, gateway, { kind: "open", body: SLOW.body, streams });
      const open = residentBytes(gateway.child);
      await perform(load, gateway, { kind: "close" });
      Object.assign(memory.get(gateway.name), { before, open, perStream: (open - before) / streams });
      progress(`${gateway.name}: ${streams} streams open`);
    }
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
  }
}

function resultOf({ name, note, failed }, samples, memory) {
  if (failed) return { name, note, failed };
  const pick = (id, field) => samples[id].get(name).map(field);
  const beyond = (id, field) => samples[id].get(name).map((sample, round) => field(sample) - field(samples[id].get(DIRECT)[round]));
  return {
    name,
    note,
    unaryP50: summary(pick("unaryLatency", ({ end }) => end.p50)),
    unaryP99: summary(pick("unaryLatency", ({ end }) => end.p99)),
    addedUnaryP50: summary(beyond("unaryLatency", ({ end }) => end.p50)),
    addedUnaryP99: summary(beyond("unaryLatency", ({ end }) => end.p99)),
    firstByteP50: summary(pick("firstByte", ({ first }) => first.p50)),
    addedFirstByteP50: summary(beyond("firstByte", ({ first }) => first.p50)),
    addedFirstByteP99: summary(beyond("firstByte", ({ first }) => first.p99)),
    unaryPerSecond: summary(pick("unaryRate", ({ rate }) => rate)),
    unaryCpuMicros: summary(pick("unaryRate", ({ cpuMicros }) => cpuMicros)),
    streamsPerSecond: summary(pick("streamRate", ({ rate }) => rate)),
    streamCpuMicros: summary(pick("streamRate", ({ cpuMicros }) => cpuMicros)),
    memory: memory.get(name),
  };
}

const MEBI = 2 ** 20;

/** What keys and limits add to the same Worker without: medians of all rounds. */
function keysCost(open, keyed) {
  const rows = [
    ["unary p50, ms", "addedUnaryP50"], ["first byte p50, ms", "addedFirstByteP50"],
    ["unary CPU, µs", "unaryCpuMicros"], ["stream CPU, µs", "streamCpuMicros"],
    ["requests/s", "unaryPerSecond"], ["streams/s", "streamsPerSecond"],
  ];
  return table(["keys and limits", "off", "on", "difference"], rows.map(([title, field]) => [
    title, number(open[field].median), number(keyed[field].median), number(keyed[field].median - open[field].median),
  ]));
}

export function report({ options, built, results, operations }) {
  const working = results.filter(({ failed }) => !failed);
  const direct = working.find(({ name }) => name === DIRECT);
  const gateways = working.filter(({ name }) => name !== DIRECT);
  const tap = working.find(({ name }) => name === "JS tap");
  const portkey = working.find(({ name }) => name === "Portkey");
  const [open, keyed] = [OPEN, KEYED].map((name) => working.find((each) => each.name === name));
  const lines = [
    `Median of ${options.rounds} interleaved rounds of ${options.seconds} s each, on loopback. A stream is ${EVENTS} events, each its own packet.`,
  ];
  if (!built) lines.push("**sluicegate: not built** (`npm run build`); the others only.");
  lines.push(
    `Latency that a gateway adds, 1 client (direct: unary p50 ${number(direct.unaryP50.median)} ms, p99 ${number(direct.unaryP99.median)} ms; first byte of a stream ${number(direct.firstByteP50.median)} ms)`,
    table(
      ["added, ms", "unary p50", "unary p99", "first byte p50", "first byte p99"],
      gateways.map((each) => [
        each.name,
        ...[each.addedUnaryP50, each.addedUnaryP99, each.addedFirstByteP50, each.addedFirstByteP99].map(({ median: value }) => number(value)),
      ]),
    ),
    `Throughput, ${CLIENTS} clients; CPU is the process's own, all its threads`,
    table(
      ["", "requests/s", "to tap", "CPU µs", "streams/s", "to tap", "to Portkey", "CPU µs"],
      working.map((each) => [
        each.name,
        number(each.unaryPerSecond.median),
        ratio(each.unaryPerSecond.median, tap?.unaryPerSecond.median),
        number(each.unaryCpuMicros.median),
        number(each.streamsPerSecond.median),
        ratio(each.streamsPerSecond.median, tap?.streamsPerSecond.median),
        ratio(each.streamsPerSecond.median, portkey?.streamsPerSecond.median),
        number(each.streamCpuMicros.median),
      ]),
    ),
    `Resident memory: after all of the above, and of a fresh process before and while ${options.openStreams} streams are open`,
    table(
      ["", "after the load, MiB", "fresh, MiB", "streams open, MiB", "KiB per stream"],
      gateways.map(({ name, memory }) => [
        name, number(memory.loaded / MEBI), number(memory.before / MEBI), number(memory.open / MEBI), number(memory.perStream / 1024),
      ]),
    ),
    ...(open && keyed ? ["What keys and limits add; latencies are over a direct request, 1 client", keysCost(open, keyed)] : []),
    ...(operations ? [reportOperations(operations, keyed?.unaryCpuMicros.median ?? NaN)] : []),
    results.map(({ name, note, failed }) => `- ${name}: ${note}${failed ? `; **left out**: ${failed}` : ""}`).join("\n"),
  );
  return lines.join("\n\n");
}
