/** The processes that the bench starts. Whatever happens, they end with it. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const running = new Set();
const folders = new Set();

function stopAll() {
  for (const child of running) child.kill("SIGKILL");
  running.clear();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

process.once("exit", stopAll);
for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]]) process.once(signal, () => process.exit(code));

/** A folder that goes with the bench. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "sluicegate-bench-"));
  folders.add(folder);
  return folder;
}

/** Starts a process; its errors are kept for whoever asks why it failed. */
export function start(command, args, { stdio = ["ignore", "ignore", "pipe"], ...options } = {}) {
  const child = spawn(command, args, { stdio, ...options });
  running.add(child);
  child.complaints = "";
  child.stderr?.setEncoding("utf8").on("data", (text) => {
    child.complaints = (child.complaints + text).slice(-4_000);
  });
  child.once("exit", () => running.delete(child));
  child.once("error", (error) => {
    running.delete(child);
    child.complaints += error.message;
  });
  return child;
}

/** A Node module in its own process with a message channel. */
export const startModule = (path, args = []) =>
  start(process.execPath, [path, ...args], { stdio: ["ignore", "ignore", "pipe", "ipc"] });

/** The next message of a module's process; fails when the process ends first. */
export function message(child) {
  return new Promise((resolve, reject) => {
    const ended = (code) => reject(new Error(`process ended with ${code} before it answered: ${child.complaints}`));
    child.once("exit", ended);
    child.once("message", (value) => {
      child.off("exit", ended);
      resolve(value);
    });
  });
}

/** Ends a process and waits for that. */
export function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", resolve);
    child.kill("SIGKILL");
  });
}

/** Resident memory in bytes. */
export function residentBytes({ pid }) {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) * 1024;
}

/** CPU time spent so far in milliseconds, all threads; `NaN` where there is no `/proc`. */
export function cpuMillis({ pid }) {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return NaN;
  // The second field may hold spaces; it ends at the last parenthesis. Ticks are 10 ms on every Linux that Node runs on.
  const fields = readFileSync(path, "utf8").split(") ").at(-1).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
