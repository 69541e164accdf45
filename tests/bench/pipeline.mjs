/** CPU per stream event, from bytes to assembled text, in Node and in Chromium. */
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { appFolder, appImport, BENCH, filesBelow, OUTPUT, packageFolder, ROOT } from "./builds.mjs";
import { chromiumPath } from "./machine.mjs";
import { broken, OUR_ENTRY, OUR_PIPELINE, OUR_WASM, ourClients } from "./ours.mjs";
import { summary } from "./stats.mjs";
import { number, range, ratio, table } from "./table.mjs";
import { EVENT_BYTES } from "./workload.mjs";
import { EVENTS, pipelineMeasurements } from "./tasks.mjs";

const CHROMIUM_FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--js-flags=--expose-gc",
];

export async function run({ quick, rounds, progress }) {
  const options = { rounds: rounds ?? (quick ? 3 : 9), ms: quick ? 40 : 150 };
  const places = [];
  places.push({ place: "Node", measurements: await inNode(options, (line) => progress(`Node: ${line}`)) });
  const path = chromiumPath();
  if (path) places.push({ place: "Chromium", measurements: await inChromium(path, options, (line) => progress(`Chromium: ${line}`)) });
  else progress("no Chromium found (set CHROMIUM to its path): Node only");
  return { options, events: EVENTS, eventBytes: EVENT_BYTES, built: packageFolder() !== null, places: places.map(summarised) };
}

async function inNode(options, progress) {
  // Imported here: the other parts of the bench do without these libraries.
  const { rivals } = await import("./contenders.mjs");
  const ours = await ourContenders().catch((error) => [broken(error)]);
  const contenders = [...ours, ...rivals];
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  const clock = () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  };
  return pipelineMeasurements(contenders, { ...options, clock, collect, progress });
}

async function ourContenders() {
  const app = appFolder();
  if (!app) return [];
  const outfile = join(OUTPUT, "ours-pipeline.mjs");
  await bundled({ entryPoints: [join(BENCH, OUR_PIPELINE)], outfile });
  const load = await appImport(app);
  return ourClients({ gate: await load(OUR_ENTRY), pipeline: await import(pathToFileURL(outfile).href), wasm: readFileSync(wasmPath()) });
}

const wasmPath = () => join(ROOT, "dist/npm", OUR_WASM);

async function inChromium(executablePath, options, progress) {
  const { chromium } = await import("playwright-core");
  const pages = join(OUTPUT, "page");
  const ours = await bundlePage(pages);
  const server = await serve(pages);
  const browser = await chromium.launch({ executablePath, headless: true, args: CHROMIUM_FLAGS });
  try {
    const page = await browser.newPage();
    const failures = [];
    page.on("console", (message) => (message.type() === "info" ? progress(message.text()) : undefined));
    page.on("pageerror", (error) => failures.push(error));
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    await page.waitForFunction(() => globalThis.runPipelineBench).catch((error) => {
      throw failures[0] ?? error;
    });
    return await page.evaluate((all) => globalThis.runPipelineBench(all), { ...options, ours });
  } finally {
    await browser.close();
    server.close();
  }
}

/** Bundles the page, and our parts apart from it; gives the URLs of ours, or `null` when there is no build. */
async function bundlePage(folder) {
  await bundled({ entryPoints: [join(BENCH, "pipeline-page.mjs")], outfile: join(folder, "page.js") });
  const app = appFolder();
  if (!app) return null;
  await bundled({ entryPoints: [join(BENCH, OUR_PIPELINE)], outfile: join(folder, "pipeline.js") });
  await bundled({ stdin: { contents: `export * from "${OUR_ENTRY}";`, resolveDir: app }, outfile: join(folder, "gate.js"), loader: { ".wasm": "file" } });
  return { gate: "/gate.js", pipeline: "/pipeline.js", wasm: `/${OUR_WASM}` };
}

async function bundled(options) {
  const { build } = await import("esbuild");
  await build({ bundle: true, format: "esm", platform: "browser", minify: true, logLevel: "error", ...options });
}

const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html" };

/** Serves the bundles, and the package's wasm in whatever folder its entry looks for it. */
function serve(folder) {
  const files = new Map(filesBelow(folder).map((path) => [basename(path), path]));
  if (packageFolder()) files.set(OUR_WASM, wasmPath());
  const server = createServer((request, response) => {
    const name = basename(new URL(request.url, "http://localhost").pathname);
    if (name === "") {
      response.writeHead(200, { "content-type": "text/html" });
      response.end('<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>');
      return;
    }
    const path = files.get(name);
    response.writeHead(path ? 200 : 404, { "content-type": TYPES[extname(name)] ?? "text/plain" });
    response.end(path && readFileSync(path));
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

function summarised({ place, measurements }) {
  return {
    place,
    measurements: measurements.map(({ results, ...measure }) => ({
      ...measure,
      results: results.map(({ samples, ...result }) => (samples ? { ...result, microsPerEvent: summary(samples) } : result)),
    })),
  };
}

export function report({ places, events, eventBytes, built, options }) {
  const lines = [
    `CPU per stream event: ${events} events of ${eventBytes} bytes (DeepSeek's form, English and Chinese, half of it reasoning), ` +
      `the same bytes and the same text from each; median of ${options.rounds} interleaved rounds. Node: the process's CPU time, all threads; ` +
      "Chromium: the clock around a loop that never waits, so other work on the machine shows.",
  ];
  if (!built) lines.push("**sluicegate: not built** (`npm run build`); the ratio is to the cheapest of the others.");
  for (const { place, measurements } of places) lines.push(`### ${place}`, placeTable(measurements));
  const results = places.flatMap(({ measurements }) => measurements.flatMap((each) => each.results));
  const notes = results.flatMap(({ name, note, failed }) => [note && `- ${name}: ${note}`, failed && `- ${name}: **failed**: ${failed}`]);
  lines.push([...new Set(notes)].filter(Boolean).join("\n"));
  return lines.join("\n\n");
}

function placeTable(measurements) {
  return measurements
    .map(({ measure, perChunk, results }) => {
      const base = results.find(({ microsPerEvent }) => microsPerEvent)?.microsPerEvent.median;
      const title = `${measure}, ${perChunk} event${perChunk === 1 ? "" : "s"} a chunk`;
      const rows = results.map(({ name, microsPerEvent: micros }) =>
        micros ? [name, number(micros.median), range(micros), ratio(micros.median, base)] : [name, "failed", "–", "–"],
      );
      return table([title, "µs/event", "range", "ratio"], rows);
    })
    .join("\n\n");
}
