/**
 * `node tests/redact/score.mjs [NAME] [--split dev|test|all] [--verbose] [--floors]`: what one redactor finds of the evaluation set, entity by entity, and
 * what it touches of clean text. NAME is one of `rivals/index.mjs`, by default `ours` (after `npm run build`).
 *
 * `--verbose` shows examples of misses and false masks; `--json FILE` writes everything. `--floors` ends with 1 below the project's aim.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Advice, isMain, runMain } from "../../scripts/lib.mjs";
import { number, table } from "../bench/table.mjs";
import { cases as load, NAMES } from "./cases.mjs";
import { cleanText } from "./clean.mjs";
import { judgeCases, judgeClean } from "./judge.mjs";
import { REDACTORS } from "./rivals/index.mjs";

/** The aim: recall of structured entities, false masks per 100 KB of clean text. */
export const FLOORS = { recall: 0.98, per100KB: 1 };

const percent = (share) => (Number.isFinite(share) ? `${(share * 100).toFixed(1)} %` : "–");
const share = (part, whole) => (whole > 0 ? part / whole : NaN);

async function main() {
  const options = { split: { type: "string", default: "all" }, verbose: { type: "boolean", default: false }, floors: { type: "boolean", default: false }, json: { type: "string" } };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const redactor = REDACTORS[positionals[0] ?? "ours"];
  if (!redactor) throw new Advice(`One of ${Object.keys(REDACTORS).join(", ")}.`);
  const all = await load();
  if (!all) throw new Advice("The evaluation set is made by Python 3 with packages of PyPI.");
  const chosen = all.filter(({ split }) => values.split === "all" || split === values.split);
  const opened = await redactor.open();
  if (!opened) throw new Advice(`${redactor.name} cannot run here; ours needs \`npm run build\`.`);
  const detection = await judgeCases(opened.redact, chosen);
  const clean = await judgeClean(opened.redact, await cleanText(), redactor.cleanBytes);
  await opened.close();
  process.stdout.write(`${report(redactor.name, chosen.length, detection, clean)}\n`);
  if (values.verbose) process.stdout.write(`\n${examples(detection, clean)}\n`);
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ detection, clean }, null, 1)}\n`);
  if (values.floors && (detection.recall < FLOORS.recall || clean.per100KB > FLOORS.per100KB)) process.exitCode = 1;
}

function report(name, count, detection, clean) {
  const entities = Object.entries(detection.entities).filter(([, each]) => each.cases > 0 || each.wrong > 0);
  const forms = Object.entries(detection.forms).filter(([, each]) => each.hidden < each.cases);
  const negatives = Object.entries(detection.negatives).filter(([, each]) => each.wrong > 0).sort(([, a], [, b]) => b.wrong - a.wrong);
  return [
    `## ${name}: ${count} cases`,
    table(
      ["entity", "values", "recall", "under its name", "precision", "false"],
      entities.map(([entity, each]) => [entity, each.cases, percent(share(each.hidden, each.cases)), percent(share(each.named, each.cases)), percent(share(each.right, each.right + each.wrong)), each.wrong]),
    ),
    `Structured recall **${percent(detection.recall)}**; ${[...NAMES].join(" and ")} ${percent(detection.namesRecall)}; precision ${percent(detection.precision)}; `
      + `${percent(detection.negativesTouched)} of the negatives touched; ${percent(detection.excess / detection.masked)} of what was masked did not have to be.`,
    ...(forms.length > 0 ? [table(["spelling not always found", "values", "recall"], forms.map(([form, each]) => [form, each.cases, percent(share(each.hidden, each.cases))]))] : []),
    ...(negatives.length > 0 ? [table(["negatives touched", "cases", "touched"], negatives.map(([kind, each]) => [kind, each.cases, each.wrong]))] : []),
    `Clean text, ${(clean.bytes / 1000).toFixed(0)} KB: **${number(clean.per100KB)} false masks per 100 KB**, and ${number(clean.namesPer100KB)} of names and addresses; ${clean.present} true addresses found.`,
    table(
      ["clean text", "KB", "false masks", "per 100 KB", "names"],
      Object.entries(clean.kinds).map(([kind, each]) => [kind, (each.bytes / 1000).toFixed(0), each.wrong, number((each.wrong / each.bytes) * 1e5), each.names]),
    ),
    `By entity: ${Object.entries(clean.entities).sort(([, a], [, b]) => b - a).map(([entity, times]) => `${entity} ${times}`).join(", ") || "none"}.`,
  ].join("\n\n");
}

/** At most three of a kind. */
function examples({ misses, falses }, clean) {
  const few = (list, group) => list.filter((each, index) => list.slice(0, index).filter((other) => group(other) === group(each)).length < 3);
  const line = (text) => JSON.stringify(text.length > 160 ? `${text.slice(0, 160)}…` : text);
  return [
    "### Misses", ...few(misses, (each) => `${each.kind} ${each.form}`).map((each) => `${each.id} ${each.kind} ${each.form} ${line(each.value)} in ${line(each.text)}`),
    "### False masks in cases", ...few(falses, (each) => `${each.type} ${each.template.split("/")[0]}`).map((each) => `${each.id} ${each.type} ${each.rule ?? ""} ${line(each.value)} in ${line(each.text)}`),
    "### False masks in clean text", ...few(clean.falses, (each) => `${each.type} ${each.kind}`).map((each) => `${each.kind} ${each.type} ${each.rule ?? ""} ${line(each.value)} in ${line(each.around)}`),
  ].join("\n");
}

if (isMain(import.meta.url)) await runMain(main);
