/** Python environments of the evaluation: the oracles, and the redactors to compare with. Made once per list of requirements, in the project's cache. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ask, cache, run, say } from "../../scripts/lib.mjs";

export const HERE = dirname(fileURLToPath(import.meta.url));

const LISTS = { oracles: "requirements.txt", rivals: "rivals/requirements.txt" };

/** The path of a Python with those packages, or undefined where there is no Python 3 or they cannot be had. */
export async function python(name) {
  const requirements = join(HERE, LISTS[name]);
  const wanted = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 16);
  const folder = join(cache, `redact-${name}-${wanted}`);
  const path = join(folder, "bin/python");
  if (existsSync(join(folder, ".ready"))) return path;
  if (!ask("python3", ["--version"])) return undefined;
  say(`Python packages of the evaluation of redaction (${name})`);
  mkdirSync(cache, { recursive: true });
  try {
    await run("python3", ["-m", "venv", "--clear", folder], { quiet: true });
    await run(path, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements], { quiet: true });
  } catch (error) {
    say(`not installed: ${error.message.split("\n").at(-1)}`);
    return undefined;
  }
  writeFileSync(join(folder, ".ready"), "");
  return path;
}
