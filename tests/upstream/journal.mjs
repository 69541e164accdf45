// What a server saw, for tests: one entry a request, with what was sent of the answer and how it ended.

import { createHash } from "node:crypto";

const MAX_ENTRIES = 10_000;
const MAX_BODIES = 200;
const MAX_BODY_BYTES = 64 << 20;
const SECRETS = new Set(["authorization", "proxy-authorization", "x-api-key", "api-key", "cookie"]);

/** What stands in the journal for a credential: enough to tell two apart, not enough to use one. */
export function fingerprint(value) {
  return `sha256:${createHash("sha256").update(String(value)).digest("hex").slice(0, 16)}`;
}

/**
 * One request. Times are `performance.now()`. `sent` counts tokens by kind; `tokens` is their sum; `bytes` are those of the body.
 * `end` is how it ended: `open` (not yet), `done`, `early` (the body ended cleanly before the answer did), `dropped` (by this
 * server), `aborted` (by the client). `faults` are the misbehaviours that applied. `body` is kept for the latest 200 only.
 */
export class Entry {
  status = undefined;
  faults = [];
  sent = { reasoning: 0, content: 0, tool: 0 };
  tokens = 0;
  bytes = 0;
  firstTokenAt = undefined;
  lastTokenAt = undefined;
  end = "open";
  endedAt = undefined;
  abortedAt = undefined;

  constructor({ id, at, method, path, query, dialect, headers, body, model }) {
    const shown = Object.entries(headers).map(([name, value]) => [name, SECRETS.has(name) ? fingerprint(value) : value]);
    Object.assign(this, { id, at, method, path, query, dialect, headers: Object.fromEntries(shown), body, model });
  }

  token(kind, count = 1) {
    if (count === 0) return;
    this.sent[kind] += count;
    this.tokens += count;
    this.lastTokenAt = performance.now();
    this.firstTokenAt ??= this.lastTokenAt;
  }

  finish(end) {
    if (this.end !== "open") return;
    this.end = end;
    this.endedAt = performance.now();
    if (end === "aborted") this.abortedAt = this.endedAt;
  }
}

/** The latest entries, bounded in number, and their bodies in number and bytes. */
export class Journal {
  entries = [];
  #bodies = [];
  #bytes = 0;

  add(entry, size) {
    this.entries.push(entry);
    if (this.entries.length > MAX_ENTRIES) this.entries.shift();
    this.#bodies.push({ entry, size });
    this.#bytes += size;
    while (this.#bodies.length > MAX_BODIES || (this.#bytes > MAX_BODY_BYTES && this.#bodies.length > 1)) {
      const oldest = this.#bodies.shift();
      oldest.entry.body = undefined;
      this.#bytes -= oldest.size;
    }
  }

  clear() {
    this.entries.length = 0;
    this.#bodies.length = 0;
    this.#bytes = 0;
  }
}
