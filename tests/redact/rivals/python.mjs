/** The redactors in Python, each a process that reads a text a line as JSON and writes its findings a line. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { HERE, python } from "../python.mjs";

const STARTING_MS = 60_000;

export async function viaPython(which) {
  const path = await python("rivals");
  if (!path) return undefined;
  const child = spawn(path, [join(HERE, "rivals/serve.py"), which], { stdio: ["pipe", "pipe", "ignore"], env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1", PYTHONWARNINGS: "ignore" } });
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
