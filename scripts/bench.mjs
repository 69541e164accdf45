/**
 * `npm run bench [-- pipeline worker size redaction --quick --rounds N --seconds S]`: side-by-side tables, ours next to others.
 *
 * Prints Markdown on standard output and progress on standard error, and leaves the figures in `target/bench/<part>.json`.
 * It judges nothing: whatever it measures, it ends with success, unless it could not measure at all.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const BENCH = join(ROOT, "tests/bench");
const OUTPUT = join(ROOT, "target/bench");
const PARTS = { pipeline: "Pipeline", worker: "Worker", size: "Size", redaction: "Redaction" };

const started = Date.now();
const progress = (line) => process.stderr.write(`[${((Date.now() - started) / 1000).toFixed(0).padStart(4)} s] ${line}\n`);

const { values, positionals } = readArguments();
const parts = positionals.length > 0 ? positionals : Object.keys(PARTS);
installMissing(ROOT, join(ROOT, "node_modules/esbuild"), "the project's tools");
installMissing(BENCH, join(BENCH, "node_modules/openai"), "what the bench compares with");

const { machine, machineLine } = await import("../tests/bench/machine.mjs");
const host = machine();
process.stdout.write(`# Bench${values.quick ? " (quick: few rounds, wide error)" : ""}\n\n${machineLine(host)}\n`);
mkdirSync(OUTPUT, { recursive: true });
for (const part of parts) await runPart(part);

async function runPart(part) {
  progress(`${part}: starting`);
  process.stdout.write(`\n## ${PARTS[part]}\n\n`);
  try {
    const { run, report } = await import(`../tests/bench/${part}.mjs`);
    const result = await run({ quick: values.quick, rounds: values.rounds, seconds: values.seconds, progress });
    process.stdout.write(`${report(result)}\n`);
    const path = join(OUTPUT, `${part}.json`);
    writeFileSync(path, `${JSON.stringify({ part, at: new Date().toISOString(), quick: values.quick, machine: host, ...result }, null, 2)}\n`);
    progress(`${part}: done, figures in target/bench/${part}.json`);
  } catch (error) {
    // The other parts are still worth having.
    process.stdout.write(`Not measured: ${error.message}\n`);
    process.stderr.write(`${error.stack}\n`);
  }
}

function readArguments() {
  const options = { quick: { type: "boolean", default: false }, rounds: { type: "string" }, seconds: { type: "string" } };
  try {
    const parsed = parseArgs({ options, allowPositionals: true });
    const unknown = parsed.positionals.find((part) => !(part in PARTS));
    if (unknown) throw new Error(`there is no part "${unknown}": ${Object.keys(PARTS).join(", ")}`);
    for (const name of ["rounds", "seconds"]) parsed.values[name] = positive(name, parsed.values[name]);
    return parsed;
  } catch (error) {
    process.stderr.write(`bench: ${error.message}\nusage: npm run bench -- [${Object.keys(PARTS).join("] [")}] [--quick] [--rounds N] [--seconds S]\n`);
    process.exit(2);
  }
}

function positive(name, text) {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0) || (name === "rounds" && !Number.isInteger(value))) throw new Error(`--${name} takes a number above 0`);
  return value;
}

/** `npm ci` where something is missing or the lock file has changed since. */
function installMissing(folder, witness, what) {
  const lock = createHash("sha256").update(readFileSync(join(folder, "package-lock.json"))).digest("hex");
  const stamp = join(folder, "node_modules/.bench-installed");
  const stamped = existsSync(stamp) && readFileSync(stamp, "utf8") === lock;
  if (existsSync(witness) && (folder === ROOT || stamped)) return;
  progress(`installing ${what} (npm ci)`);
  // Quiet about engines: some of the others ask for a newer Node than they need.
  const done = spawnSync("npm", ["ci", "--ignore-scripts", "--loglevel=error"], { cwd: folder, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
  if (done.status !== 0) {
    process.stderr.write(`bench: \`npm ci\` failed in ${folder}\n`);
    process.exit(1);
  }
  writeFileSync(stamp, lock);
}
