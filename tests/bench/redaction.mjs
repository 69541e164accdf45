/** Redaction: throughput, what a stream holds back, detection next to others on the generated set, and what it adds to a download. */
import { readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { cases as load, NAMES } from "../redact/cases.mjs";
import { cleanText, mulberry } from "../redact/clean.mjs";
import { judgeCases, judgeClean } from "../redact/judge.mjs";
import { REDACTORS } from "../redact/rivals/index.mjs";
import { createOurs } from "../redact/rivals/ours.mjs";
import { filesBelow, packageFolder, ROOT } from "./builds.mjs";
import { summary } from "./stats.mjs";
import { kilobytes, number, range, table } from "./table.mjs";

/** Characters of each text that a stream reads one at a time. */
const STREAMED = 10_000;
/** Bytes of a text whose reading is timed: about what a long prompt has. */
const TIMED = 64_000;

export async function run({ quick, rounds = quick ? 3 : 7, progress }) {
  const all = await load();
  if (!all) throw new Error("the evaluation set needs Python 3 with packages of PyPI");
  const clean = await cleanText();
  const texts = workloads(all, clean);
  const test = all.filter(({ split }) => split === "test");
  const contenders = [];
  for (const [id, { name, open, cleanBytes, step = 1, onlyScored }] of Object.entries(REDACTORS)) {
    if (onlyScored) continue;
    const opened = await open().catch((error) => void progress(`${name}: ${error.message}`));
    if (!opened) {
      progress(`${name}: cannot run here`);
      contenders.push({ id, name });
      continue;
    }
    try {
      progress(name);
      const every = step * (quick ? 5 : 1);
      const seen = test.filter((_, index) => index % every === 0);
      const detection = await judgeCases(opened.redact, seen);
      const touched = await judgeClean(opened.redact, clean, quick ? 60_000 : cleanBytes);
      const speed = await throughput(opened.redact, texts, rounds, step > 1);
      contenders.push({ id, name, cases: seen.length, detection: brief(detection), clean: { ...touched, falses: undefined }, speed });
    } catch (error) {
      progress(`${name}: ${error.message}`);
      contenders.push({ id, name });
    } finally {
      await opened.close();
    }
  }
  return { rounds, contenders, defaults: await ourDefaults(texts, rounds, progress), holdBack: await held(texts, quick, progress), sizes: sizes() };
}

/** The examples of misses are for `tests/redact/score.mjs`. */
const brief = ({ misses, falses, ...rest }) => ({ ...rest, misses: misses.length, falses: falses.length });

function workloads(all, clean) {
  const joined = (kind) => clean.filter((piece) => piece.kind === kind).map(({ text }) => text).join("\n");
  const chinese = joined("Chinese reviews");
  const english = joined("documentation").replaceAll(/[^\x20-\x7e\n]/g, "");
  const dirty = all.filter(({ negative }) => !negative).map(({ text }) => text).join("\n");
  const random = mulberry(11);
  const from = (alphabet) => Array.from({ length: STREAMED }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
  // A third each, in turns of a paragraph's size.
  let mixed = "";
  for (let at = 0; mixed.length < TIMED; at += 700) mixed += `${chinese.slice(at, at + 700)}\n${english.slice(at, at + 700)}\n${dirty.slice(at, at + 700)}\n`;
  return {
    "clean Chinese": chinese,
    "clean English": english,
    dirty,
    mixed,
    "all digits": from("0123456789"),
    "no boundaries": from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"),
  };
}

const TIMED_TEXTS = ["clean Chinese", "clean English", "dirty", "mixed"];

/** MB of UTF-8 per second, by text. A slow one reads less, once. */
async function throughput(redact, texts, rounds, slow) {
  const speeds = {};
  for (const name of TIMED_TEXTS) {
    const text = texts[name].slice(0, slow ? 4_000 : TIMED);
    const bytes = Buffer.byteLength(text);
    const sample = [];
    let spent = 0;
    for (let round = 0; round < (slow ? 1 : rounds) && spent < 2_000; round += 1) {
      let times = 0;
      const started = performance.now();
      do {
        await redact(text);
        times += 1;
      } while (performance.now() - started < 60);
      const elapsed = performance.now() - started;
      spent += elapsed;
      sample.push((bytes * times) / 1e6 / (elapsed / 1e3));
    }
    speeds[name] = summary(sample);
  }
  return speeds;
}

/** As an application gets it without options: tokens that can be given back, and the packs that are on. */
async function ourDefaults(texts, rounds, progress) {
  const redactor = await createOurs({}).catch((error) => void progress(`sluicegate/redact: ${error.message}`));
  if (!redactor) return undefined;
  const found = await throughput((text) => redactor.find(text), texts, rounds, false);
  const hidden = await throughput((text) => redactor.redact(text), texts, rounds, false);
  redactor.close();
  return { found, hidden };
}

/** The other tables are still worth having without this one. */
const held = (texts, quick, progress) => holdBack(texts, quick, progress).catch((error) => void progress(`hold-back: ${error.message}`));

/** Characters that have gone in and not come out, nor gone into what a label stands for, after each single character. */
async function holdBack(texts, quick, progress) {
  const rows = [];
  for (const [name, text] of Object.entries(texts)) {
    const redactor = await createOurs({ mode: "irreversible" }).catch((error) => void progress(`sluicegate/redact: ${error.message}`));
    if (!redactor) return undefined;
    const characters = [...text.slice(0, quick ? STREAMED / 5 : STREAMED)];
    const held = await heldAfterEach(redactor.stream(), characters);
    redactor.close();
    if (!held) return undefined;
    const total = held.reduce((sum, each) => sum + each, 0);
    rows.push({ text: name, characters: characters.length, mean: total / held.length, max: Math.max(...held) });
  }
  return rows;
}

async function heldAfterEach(stream, characters) {
  if (stream.held === undefined) return undefined;
  const writer = stream.writable.getWriter();
  const drained = (async () => {
    for await (const _ of stream.readable);
  })();
  const held = [];
  // Byte lengths of the prefixes, to turn held bytes into characters.
  const ends = [0];
  let first = 0;
  for (const character of characters) {
    ends.push(ends.at(-1) + Buffer.byteLength(character));
    await writer.write(character);
    const from = ends.at(-1) - stream.held;
    while (ends[first] < from) first += 1;
    // What is held may grow backwards only within what was not handed out: never below the last start.
    while (first > 0 && ends[first - 1] >= from) first -= 1;
    held.push(ends.length - 1 - first);
  }
  await writer.close();
  await drained;
  return held;
}

/** What an app downloads without redaction, and what it adds. */
function sizes() {
  if (!packageFolder()) return undefined;
  const files = filesBelow(join(ROOT, "dist/npm")).filter((path) => extname(path) === ".wasm" || /(redact|ner|names)[^/]*\.bin$/.test(path));
  return files.map((path) => ({ file: basename(path), raw: readFileSync(path).length, gzip: gzipSync(readFileSync(path), { level: 9 }).length }));
}

const percent = (value) => (Number.isFinite(value) ? `${(value * 100).toFixed(1)} %` : "–");

export function report({ contenders, defaults, holdBack: streams, sizes: files, rounds }) {
  const ran = contenders.filter(({ speed }) => speed);
  const missing = contenders.filter(({ speed }) => !speed).map(({ name }) => name);
  const entities = [...new Set(ran.flatMap(({ detection }) => Object.entries(detection.entities).filter(([, each]) => each.cases > 0).map(([name]) => name)))];
  const speeds = ran.map(({ name, speed }) => [`${name}`, speed]);
  if (defaults) speeds.push(["sluicegate/redact, defaults", defaults.hidden], ["sluicegate/redact, `find`", defaults.found]);
  return [
    ...(missing.length > 0 ? [`**Not measured: ${missing.join(", ")}** (ours needs \`npm run build\`, those in Python \`python3\`).`] : []),
    `MB of UTF-8 per second, median of ${rounds} rounds over ${TIMED / 1000},000 characters (fewer for the slow); those in Python with the price of a pipe.`,
    table(["MB/s", ...TIMED_TEXTS, "range, mixed"], speeds.map(([name, speed]) => [name, ...TIMED_TEXTS.map((text) => number(speed[text].median)), range(speed.mixed)])),
    "Detection on the test half of the generated set, and false masks in clean text (documentation, code, lock files, logs, Chinese reviews).",
    table(
      ["redactor", "cases", "structured recall", "names, addresses", "precision", "negatives touched", "KB clean", "false per 100 KB", "names per 100 KB"],
      ran.map(({ name, cases, detection, clean }) => [
        name, cases, percent(detection.recall), percent(detection.namesRecall), percent(detection.precision), percent(detection.negativesTouched),
        (clean.bytes / 1000).toFixed(0), number(clean.per100KB), number(clean.namesPer100KB),
      ]),
    ),
    table(
      ["recall", ...ran.map(({ name }) => name)],
      [...entities.filter((name) => !NAMES.has(name)), ...NAMES].map((entity) => [entity, ...ran.map(({ detection: { entities: found } }) => percent((found[entity]?.hidden ?? 0) / (found[entity]?.cases ?? 0)))]),
    ),
    streams
      ? `${table(["held back, one character at a time", "characters", "mean", "most"], streams.map(({ text, characters, mean, max }) => [text, characters, mean.toFixed(2), max]))}`
      : "Held back: not measured (ours is not built, or its streams do not say).",
    files ? sizeTable(files) : "Sizes: not built.",
  ].join("\n\n");
}

/** A gate without redaction downloads the first wasm, one with it both; the weights come when names are searched for. */
function sizeTable(files) {
  const both = files.filter(({ file }) => file === "sluicegate.wasm" || file === "redact.wasm");
  const sum = (field) => both.reduce((total, each) => total + each[field], 0);
  const rows = [...files, ...(both.length === 2 ? [{ file: "with redaction: sluicegate.wasm and redact.wasm", raw: sum("raw"), gzip: sum("gzip") }] : [])];
  return table(["wasm and weights", "raw", "gzip"], rows.map(({ file, raw, gzip }) => [file, kilobytes(raw), kilobytes(gzip)]));
}
