/** The evaluation set, generated when it is missing or its generator has changed, in `target/redact`. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root, run, say } from "../../scripts/lib.mjs";
import { HERE, python } from "./python.mjs";

export const OUTPUT = join(root, "target/redact");

/** Keys that need to know words rather than forms: judged apart from the structured ones. */
export const NAMES = new Set(["PERSON", "ADDRESS"]);

/** All cases, or undefined where there is no Python to make them. */
export async function cases() {
  mkdirSync(OUTPUT, { recursive: true });
  const hash = createHash("sha256");
  for (const file of readdirSync(HERE).sort()) if (/\.(py|txt)$/.test(file)) hash.update(readFileSync(join(HERE, file)));
  const path = join(OUTPUT, `cases-${hash.digest("hex").slice(0, 12)}.jsonl`);
  if (!existsSync(path)) {
    const oracles = await python("oracles");
    if (!oracles) return undefined;
    say("generating the evaluation set");
    await run(oracles, [join(HERE, "generate.py"), path], { quiet: true, env: { PYTHONDONTWRITEBYTECODE: "1" } });
  }
  return readFileSync(path, "utf8").trim().split("\n").map((line) => JSON.parse(line));
}
