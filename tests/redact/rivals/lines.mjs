/** Redactors that are processes, those in Python and our own core natively: they read a text a line as JSON and write its findings a line. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root, run } from "../../../scripts/lib.mjs";
import { HERE, python } from "../python.mjs";

const STARTING_MS = 60_000;

export async function viaPython(which) {
  const path = await python("rivals");
  return path && viaLines(which, path, [join(HERE, "rivals/serve.py"), which]);
}

/** The core as it is in the sources, without any wasm: quick to build while rules are worked on. */
export async function native() {
  const target = join(root, "target/redact/native");
  await run("cargo", ["build", "--quiet", "--release", "--manifest-path", join(HERE, "native/Cargo.toml"), "--target-dir", target]);
  return viaLines("the core", join(target, "release/redact-lines"), []);
}

async function viaLines(which, path, args) {
  const child = spawn(path, args, { stdio: ["pipe", "pipe", "ignore"], env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1", PYTHONWARNINGS: "ignore" } });
  const waiting = [];
  let dead;
  const fail = (error) => {
    dead ??= error;
    waiting.splice(0).forEach(({ reject }) => reject(error));
  };
  child.on("error", fail);
  child.on("close", (code) => fail(new Error(`${which} ended with ${code}`)));
  child.stdin.on("error", fail);
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.resolve(JSON.parse(line)));
  const answered = () => new Promise((resolve, reject) => (dead ? reject(dead) : waiting.push({ resolve, reject })));
  const late = setTimeout(() => child.kill(), STARTING_MS);
  const ready = await answered().catch(() => undefined);
  clearTimeout(late);
  if (!ready) return undefined;
  return {
    redact(text) {
      const answer = answered();
      child.stdin.write(`${JSON.stringify(text)}\n`);
      return answer;
    },
    async close() {
      child.stdin.end();
      if (child.exitCode === null) await new Promise((resolve) => child.once("close", resolve));
    },
  };
}
