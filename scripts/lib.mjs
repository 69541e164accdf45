// What the scripts share: running programs, saying what happens, the versions that must match.
import { spawn, spawnSync } from "node:child_process";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Tools built from crates live here, one folder a version, so that a second clone finds them. */
export const cache = process.env.SLUICEGATE_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "sluicegate");

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

/** Runs `main`, printing advice plainly and other errors with their stack. */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`\n${error instanceof Advice ? error.message : (error.stack ?? error)}\n`);
    process.exitCode = 1;
  }
}
