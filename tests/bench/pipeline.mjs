/** CPU per stream event, from bytes to assembled text, in Node and in Chromium. */
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { appFolder, appImport, BENCH, filesBelow, OUTPUT, packageFolder, ROOT } from "./builds.mjs";
import { chromiumPath } from "./machine.mjs";
import { median, summary } from "./stats.mjs";
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
  const contenders = [...rivals];
  const app = appFolder();
  if (app) {
    const { ourClient } = await import("./ours.mjs");
    contenders.unshift(await ourClient(await appImport(app)));
  }
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  const clock = () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  };
  return pipelineMeasurements(contenders, { ...options, clock, collect, progress });
}

async function inChromium(executablePath, options, progress) {
  const { chromium } = await import("playwright-core");
  const pages = join(OUTPUT, "page");
  const ours = await bundle(pages);
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

/** Bundles the page, and our entries apart from it; gives the entries' URLs, or `null` when there is no build. */
async function bundle(outdir) {
  const { build } = await import("esbuild");
  const common = { bundle: true, format: "esm", platform: "browser", minify: true, outdir, logLevel: "error", absWorkingDir: ROOT };
  await build({ ...common, entryPoints: { page: join(BENCH, "pipeline-page.mjs") } });
  const app = appFolder();
  if (!app) return null;
  // One build with shared chunks: both entries have to meet in the same wasm instance.
  const entries = { main: "sluicegate", slim: "sluicegate/slim" };
  const entryPoints = Object.entries(entries).map(([out, specifier]) => ({ in: specifier, out: `ours-${out}` }));
  await build({ ...common, entryPoints, splitting: true, absWorkingDir: app, nodePaths: [join(app, "node_modules")], loader: { ".wasm": "file" } });
  return Object.fromEntries(Object.entries(entries).map(([out, specifier]) => [specifier, `/ours-${out}.js`]));
}

const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html" };

/** Serves the bundles, and the package's wasm wherever the bundle looks for it. */
function serve(folder) {
  const files = new Map(filesBelow(folder).map((path) => [basename(path), path]));
  const built = packageFolder();
  if (built) for (const path of filesBelow(join(ROOT, "dist/npm"))) if (extname(path) === ".wasm") files.set(basename(path), path);
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
      results: results.map(({ name, note, samples }) => ({ name, note, microsPerEvent: summary(samples) })),
    })),
  };
}

export function report({ places, events, eventBytes, built, options }) {
  const lines = [
    `CPU per stream event: ${events} events of ${eventBytes} bytes (DeepSeek's form, English and Chinese, half of it reasoning), ` +
      `the same bytes and the same text from each; median of ${options.rounds} interleaved rounds.`,
  ];
  if (!built) lines.push("**sluicegate: not built** (`npm run build`); the ratio is to the cheapest of the others.");
  for (const { place, measurements } of places) lines.push(`### ${place}`, placeTable(measurements));
  const notes = new Map(places.flatMap(({ measurements }) => measurements.flatMap(({ results }) => results.map(({ name, note }) => [name, note]))));
  lines.push([...notes].filter(([, note]) => note).map(([name, note]) => `- ${name}: ${note}`).join("\n"));
  return lines.join("\n\n");
}

function placeTable(measurements) {
  return measurements
    .map(({ measure, perChunk, results }) => {
      const base = median(results[0].microsPerEvent.sample);
      const title = `${measure}, ${perChunk} event${perChunk === 1 ? "" : "s"} a chunk`;
      const rows = results.map(({ name, microsPerEvent }) => [name, number(microsPerEvent.median), range(microsPerEvent), ratio(microsPerEvent.median, base)]);
      return table([title, "µs/event", "range", "ratio"], rows);
    })
    .join("\n\n");
}
