// What the build does to a wasm file besides wasm-opt: panics become plain traps, an export gets its name back.

const [IMPORTS, EXPORTS, CODE, DATA, CUSTOM] = [2, 7, 10, 11, 0];

/** What the standard library calls when a program is wrong: it words what happened, for a place where nobody reads it, and traps. */
const PANICS =
  /^<?(?:core|alloc|std|__rustc)(?:\[\w+\])?::.*(?:panic|_fail(?:ed)?\b|handle_error|handle_alloc_error|capacity_overflow|rust_oom|rust_begin_unwind|__rust_alloc_error_handler)/;

/**
 * Makes every panic the trap in which it ends anyway: there is no console to which the standard library could write before it. Needs the
 * names of functions. What stays behind of the places in the sources, which name folders of the machine that builds, is zeroed.
 */
export function trapPanics(wasm) {
  const sections = read(wasm);
  const names = functionNames(sections);
  let at = importedFunctions(sections);
  const code = sections.find(({ id }) => id === CODE);
  const bodies = items(code.body, (reader) => reader.take(reader.number()));
  const UNREACHABLE = Buffer.from([0, 0x00, 0x0b]);
  const trapped = bodies.map((body) => (PANICS.test(names.get(at++) ?? "") ? UNREACHABLE : body));
  if (!trapped.includes(UNREACHABLE)) throw new Error("The wasm names no panics.");
  code.body = Buffer.concat([number(trapped.length), ...trapped.flatMap((body) => [number(body.length), body])]);
  const data = sections.find(({ id }) => id === DATA);
  data.body = Buffer.from(data.body);
  for (const segment of items(data.body, readSegment)) zeroLocations(segment);
  return write(sections);
}

/** `core::panic::Location`: the address and the length of a path, a line and a column. */
function zeroLocations({ address, bytes }) {
  const paths = [];
  for (let at = (4 - (address % 4)) % 4; at + 16 <= bytes.length; at += 4) {
    const [path, length, line, column] = [0, 4, 8, 12].map((offset) => bytes.readUInt32LE(at + offset));
    const start = path - address;
    if (start < 0 || length > 400 || start + length > bytes.length || line === 0 || line > 50_000 || column === 0 || column > 1_000) continue;
    if (!/^[\w@./+-]+\.rs$/.test(bytes.toString("latin1", start, start + length))) continue;
    paths.push([start, start + length]);
    bytes.fill(0, at, at + 16);
  }
  for (const [start, end] of paths) bytes.fill(0, start, end);
}

/** Renames an exported memory. */
export function renameMemory(wasm, from, to) {
  const entry = (name) => Buffer.from([name.length, ...Buffer.from(name), 2]);
  const sections = read(wasm);
  const exported = sections.find(({ id, body }) => id === EXPORTS && body.includes(entry(from)));
  if (!exported) throw new Error("The wasm does not export its memory.");
  const { body } = exported;
  const found = body.indexOf(entry(from));
  exported.body = Buffer.concat([body.subarray(0, found), entry(to), body.subarray(found + entry(from).length)]);
  return write(sections);
}

function read(wasm) {
  const reader = new Reader(wasm);
  reader.take(8);
  const sections = [];
  while (!reader.isAtEnd()) sections.push({ id: reader.take(1)[0], body: reader.take(reader.number()) });
  return sections;
}

function write(sections) {
  const head = Buffer.from("\0asm\x01\0\0\0", "latin1");
  return Buffer.concat([head, ...sections.flatMap(({ id, body }) => [Buffer.from([id]), number(body.length), body])]);
}

/** The items of a section that is a list. */
function items(body, readOne) {
  const reader = new Reader(body);
  return Array.from({ length: reader.number() }, () => readOne(reader));
}

/** An active segment of the only memory, at a fixed address. */
function readSegment(reader) {
  const [kind, opcode] = reader.take(2);
  if (kind !== 0 || opcode !== 0x41) throw new Error("The wasm has data whose address is not known.");
  const address = reader.number();
  reader.take(1);
  return { address, bytes: reader.take(reader.number()) };
}

function importedFunctions(sections) {
  const section = sections.find(({ id }) => id === IMPORTS);
  const limits = (reader) => {
    if (reader.number() & 1) reader.number();
    reader.number();
  };
  const kinds = [
    (reader) => reader.number(),
    (reader) => (reader.take(1), limits(reader)),
    limits,
    (reader) => reader.take(2),
    (reader) => (reader.take(1), reader.number()),
  ];
  const imported = items(section.body, (reader) => {
    for (let name = 0; name < 2; name++) reader.take(reader.number());
    const [kind] = reader.take(1);
    kinds[kind](reader);
    return kind;
  });
  return imported.filter((kind) => kind === 0).length;
}

/** The names of functions by their index, out of the section that debuggers read. */
function functionNames(sections) {
  const names = new Map();
  for (const { id, body } of sections) {
    const reader = new Reader(body);
    if (id !== CUSTOM || reader.take(reader.number()).toString() !== "name") continue;
    while (!reader.isAtEnd()) {
      const [kind] = reader.take(1);
      const part = reader.take(reader.number());
      if (kind !== 1) continue;
      items(part, (entry) => names.set(entry.number(), entry.take(entry.number()).toString()));
    }
  }
  return names;
}

class Reader {
  #at = 0;

  constructor(bytes) {
    this.bytes = bytes;
  }

  isAtEnd() {
    return this.#at >= this.bytes.length;
  }

  take(count) {
    return this.bytes.subarray(this.#at, (this.#at += count));
  }

  /** LEB128, unsigned: seven bits a byte, the lowest first. */
  number() {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const [byte] = this.take(1);
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }
}

function number(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return Buffer.from([...bytes, value]);
}
