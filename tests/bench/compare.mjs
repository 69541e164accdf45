/**
 * Builds of the Worker against each other, to see what a change costs:
 *
 *   node tests/bench/compare.mjs before=../before/worker/build after=worker/build [--rounds 20] [--seconds 1] [--clients 32]
 *
 * Each is a `worker/build`, with `:key` or `:token` behind it one with keys and limits on; all are up at once and take turns in short rounds, so that what else the machine does hits them alike. A figure is the median; a
 * ratio is the median of the rounds' ratios to the first build. CPU is the process's own, all its threads. The floor is the least round: on a busy machine it is
 * the steadier figure.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { BENCH } from "./builds.mjs";
import { message, residentBytes, startModule, stop } from "./children.mjs";
import { workerd } from "./gateways.mjs";
import { ourKeyedWorker, ourWorker } from "./ours-worker.mjs";
import { median } from "./stats.mjs";
import { number, table } from "./table.mjs";
import { MEASURES, SLOW, perform } from "./worker.mjs";

const OPEN = 300;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "20" }, seconds: { type: "string", default: "1" }, clients: { type: "string", default: "32" } },
});
const builds = positionals.map((text) => text.split("=")).map(([name, place]) => {
  const [folder, as] = place.split(":");
  return { name, folder: resolve(folder), as };
});
const worker = ({ folder, as }) => (as ? ourKeyedWorker({ upstream: origin, folder, as }) : ourWorker({ upstream: origin, folder }));

let origin;
const upstream = startModule(join(BENCH, "upstream.mjs"));
const load = startModule(join(BENCH, "load.mjs"));
try {
  const { port } = await message(upstream);
  origin = `http://127.0.0.1:${port}`;
  for (const build of builds) Object.assign(build, await workerd(await worker(build)));
  const { unaryRate, streamRate, unaryLatency, firstByte } = MEASURES;
  await rounds("unary", unaryRate, Number(values.clients));
  await rounds("stream", streamRate, Number(values.clients));
  for (const build of builds) build.loaded = residentBytes(build.child);
  await rounds("unary, 1 client", unaryLatency, 1);
  await rounds("first byte, 1 client", firstByte, 1);
  process.stdout.write(`resident after the load, MiB: ${builds.map(({ name, loaded }) => `${name} ${number(loaded / 2 ** 20)}`).join(", ")}\n\n`);
  await Promise.all(builds.map((build) => build.stop()));
  for (const build of builds) Object.assign(build, await workerd(await worker(build)));
  for (const build of builds) {
    await perform(load, build, { kind: "closed", clients: 1, seconds: 0.3, ...MEASURES.streamRate });
    const before = residentBytes(build.child);
    await perform(load, build, { kind: "open", body: SLOW.body, streams: OPEN });
    process.stdout.write(`${build.name}: ${number((residentBytes(build.child) - before) / OPEN / 1024)} KiB per open stream\n`);
    await perform(load, build, { kind: "close" });
  }
} finally {
  await Promise.all([stop(load), stop(upstream), ...builds.map((build) => build.stop?.())]);
}

async function rounds(title, { body, events }, clients) {
  const job = { kind: "closed", clients, seconds: Number(values.seconds), body, events };
  for (const build of builds) {
    await perform(load, build, job);
    build.samples = [];
  }
  for (let round = 0; round < Number(values.rounds); round += 1) {
    // Whoever comes behind another one meets a machine that is warm from it: the order changes.
    for (const build of round % 2 ? builds.toReversed() : builds) {
      const before = cpuMicros(build.child);
      const { count, end, first } = await perform(load, build, job);
      build.samples.push({ cpu: (cpuMicros(build.child) - before) / count, rate: count / job.seconds, end: end.p50, first: first.p50 });
    }
  }
  const rows = builds.map(({ name, samples }) => {
    const pick = (field) => samples.map((sample) => sample[field]);
    const ratio = (field) => median(samples.map((sample, at) => sample[field] / builds[0].samples[at][field])).toFixed(3);
    const cells = ["cpu", "rate", "end", "first"].flatMap((field) => [number(median(pick(field))), ratio(field)]);
    return [name, number(Math.min(...pick("cpu"))), ...cells];
  });
  const heads = [`${title}, ${values.rounds} rounds`, "CPU µs, floor", "CPU µs", "ratio", "per second", "ratio", "p50 ms", "ratio", "first byte ms", "ratio"];
  process.stdout.write(`${table(heads, rows)}\n\n`);
}

/** Of all threads, in steps finer than the clock ticks of `stat`. */
function cpuMicros({ pid }) {
  const spent = readdirSync(`/proc/${pid}/task`).map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]));
  return spent.reduce((sum, nanos) => sum + nanos, 0) / 1_000;
}
