// When a misbehaviour happens: always, or for some calls only. The words that follow it in a name
// (`cut-12-every-3-times-2`) and the fields of `upstream.schedule({ … })` mean the same.

const SECOND_MS = 1000;
const MAX_SCOPES = 10_000;
const NUMBER = "\\d+(?:\\.\\d+)?";

const WORDS = [
  ["once", () => ({ times: 1 })],
  [`times-(\\d+)`, (m) => ({ times: Number(m[1]) })],
  [`from-(\\d+)`, (m) => ({ from: Number(m[1]) })],
  [`first-of-(\\d+)`, (m) => ({ firstOf: Number(m[1]) })],
  [`every-(\\d+)`, (m) => ({ every: Number(m[1]) })],
  [`chance-(${NUMBER})(?:-seed-(\\d+))?`, (m) => ({ chance: Number(m[1]) / 100, ...(m[2] === undefined ? {} : { seed: Number(m[2]) }) })],
  [`flap-(${NUMBER})-(${NUMBER})`, (m) => ({ bad: Number(m[1]) * SECOND_MS, good: Number(m[2]) * SECOND_MS })],
];
const READERS = WORDS.map(([pattern, read]) => [new RegExp(`^-${pattern}(?![a-z0-9.])`, "i"), read]);
const FIELDS = {
  times: (value) => Number.isInteger(value) && value >= 0,
  from: (value) => Number.isInteger(value) && value >= 1,
  firstOf: (value) => Number.isInteger(value) && value >= 1,
  every: (value) => Number.isInteger(value) && value >= 1,
  chance: (value) => value >= 0 && value <= 1,
  seed: Number.isInteger,
  bad: (value) => value >= 0,
  good: (value) => value >= 0,
};

/** The pattern of any row of such words. */
export const WHEN = `(?:${WORDS.map(([pattern]) => `-${pattern.replaceAll(/\((?!\?)/g, "(?:")}`).join("|")})*`;

/** Reads such words into `{ times, from, firstOf, every, chance, seed, bad, good }`, as far as they are there. */
export function readWhen(words) {
  const when = {};
  let rest = words;
  while (rest) {
    const found = READERS.map(([regex, read]) => [regex.exec(rest), read]).find(([match]) => match);
    if (!found) throw new TypeError(`no schedule: ${rest}`);
    Object.assign(when, found[1](found[0]));
    rest = rest.slice(found[0][0].length);
  }
  return when;
}

/** Checks the fields of a schedule that a test gives, so that a misspelt one does not mean "always". */
export function checkWhen(when) {
  for (const [field, value] of Object.entries(when)) {
    if (!FIELDS[field]) throw new TypeError(`a schedule has no ${field} (it has ${Object.keys(FIELDS).join(", ")})`);
    if (typeof value !== "number" || !FIELDS[field](value)) throw new TypeError(`${field} cannot be ${value}`);
  }
  if ((when.bad === undefined) !== (when.good === undefined)) throw new TypeError("bad and good go together");
  return when;
}

/** Counts the calls of each scope, and says of each whether it is one that misbehaves. The oldest scopes are forgotten. */
export class Occasions {
  #scopes = new Map();

  /**
   * Whether this call of `scope` misbehaves at time `now`. A call has to pass every field: `from` counts from 1; `every` (the
   * last of so many) and `firstOf` (the first of so many) count from there; `bad` and `good` are milliseconds in turns from
   * the first call; `times` bounds how many misbehave in all.
   */
  due(scope, when, now) {
    const state = this.#scopes.get(scope) ?? this.#begin(scope, now);
    state.calls += 1;
    const call = state.calls - ((when.from ?? 1) - 1);
    if (call < 1) return false;
    if (when.firstOf !== undefined && (call - 1) % Math.max(when.firstOf, 1) !== 0) return false;
    if (when.every !== undefined && call % Math.max(when.every, 1) !== 0) return false;
    if (when.bad !== undefined && (now - state.since) % (when.bad + when.good) >= when.bad) return false;
    if (when.chance !== undefined && chanceAt(when.seed ?? 1, state.calls) >= when.chance) return false;
    if (state.hits >= (when.times ?? Infinity)) return false;
    state.hits += 1;
    return true;
  }

  clear() {
    this.#scopes.clear();
  }

  #begin(scope, now) {
    if (this.#scopes.size >= MAX_SCOPES) this.#scopes.delete(this.#scopes.keys().next().value);
    const state = { calls: 0, hits: 0, since: now };
    this.#scopes.set(scope, state);
    return state;
  }
}

/** A number from 0 to 1 that depends on nothing but a seed and the call's number: mixed as in splitmix, 32 bits. */
export function chanceAt(seed, call) {
  let mixed = (Math.imul(seed, 0x9e3779b1) + Math.imul(call, 0x85ebca77)) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
}
