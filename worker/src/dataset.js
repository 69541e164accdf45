// Where datasets are kept: R2 if the deployment has it, else rows of D1. What is taken and what is refused the intake says (a call in
// wasm); here is only what moves bytes, and what makes sure that nothing stays behind of an upload that came to nothing.

import { waitUntil } from "cloudflare:workers";
import { namesOf } from "./pump.js";

const FAULTY = 1; // Nothing of it will be kept; the rest is read for what else is wrong.
const OVER = 2; // It is refused.

// A row of D1 holds 2 MB; of a larger text the next one would wait in memory meanwhile.
const CHUNK = 512 << 10;
// Parts of an object in R2 have 5 MiB at least, but for the last one.
const PART = 5 << 20;
// How much is deleted by one statement, in rows: 8 MiB.
const ROWS = 16;

/**
 * Reads a body into the store and gives the response; all ways out free the intake. `assets` is the binding that has the model for names,
 * `null` if there is none, `undefined` if none is wanted or it is loaded. `idle` and `total` are in milliseconds, `now` in unix seconds.
 */
export function upload(intake, request, database, bucket, assets, id, owner, idle, total, perKey, now) {
  const done = taken(intake, request, { database, bucket, id, owner, now }, assets, { idle, total, perKey });
  // A caller who leaves would take the work along, and what is to be swept up after it.
  waitUntil(done.catch(() => {}));
  return done;
}

async function taken(intake, request, at, assets, limits) {
  const deadline = Date.now() + limits.total;
  const reader = request.body?.getReader();
  let store;
  try {
    if (assets !== undefined) intake.learn(await namesOf(assets).catch(() => undefined));
    if (!reader) return intake.broken();
    store = await open(at, limits, (deadline - Date.now()) / 1000);
    if (!store) {
      await drain(reader, limits.idle, deadline);
      return intake.full();
    }
    let faulty = false;
    for (;;) {
      const part = await within(reader.read(), Math.min(limits.idle, deadline - Date.now()));
      if (part === SLOW) return intake.slow();
      if (part === BROKEN) return intake.broken();
      if (part.done) break;
      const told = intake.push(part.value);
      if (told & OVER) {
        await drain(reader, limits.idle, deadline);
        return intake.refuse();
      }
      if (told & FAULTY) {
        // The rows go at once, whatever the caller still has to say.
        if (!faulty) await store.drop();
        faulty = true;
      } else {
        const lines = intake.take();
        if (lines.byteLength > 0) await store.write(lines);
      }
    }
    const row = intake.finish();
    if (row === undefined) return intake.refuse();
    await store.keep(JSON.parse(row));
    store = undefined;
    return intake.accept();
  } catch {
    return intake.failed();
  } finally {
    reader?.cancel().catch(() => {});
    await store?.drop().catch(() => {});
  }
}

const SLOW = Symbol("slow");
const BROKEN = Symbol("broken");

/** What a promise gives, unless it takes longer than so many milliseconds or fails. */
async function within(promise, millis) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, Math.max(millis, 0), SLOW);
  });
  try {
    return await Promise.race([promise.catch(() => BROKEN), late]);
  } finally {
    clearTimeout(timer);
  }
}

// How much of a refused body is read to no end, in bytes: who is cut off while sending sees a broken connection and no answer.
const DRAINED = 16 << 20;

async function drain(reader, idle, deadline) {
  for (let bytes = 0; bytes < DRAINED; ) {
    const part = await within(reader.read(), Math.min(idle, deadline - Date.now()));
    if (part === SLOW || part === BROKEN || part.done) return;
    bytes += part.value.byteLength;
  }
}

/** Where an upload goes, its row being made; `null` if its owner has too many. */
async function open(at, { perKey }, seconds) {
  const { database, bucket, id, owner, now } = at;
  await sweep(database, bucket, now);
  const place = bucket ? "r2" : "d1";
  // Uploads on their way count, so that many at once are no more than one after the other.
  const made = await database
    .prepare(
      "INSERT INTO datasets (id, owner, place, created_at) SELECT ?1, ?2, ?3, ?4 " +
        "WHERE (SELECT COUNT(*) FROM datasets WHERE owner = ?2) < ?5 RETURNING id",
    )
    .bind(id, owner, place, Math.ceil(now + seconds), perKey)
    .all();
  if (made.results.length === 0) return null;
  const sink = bucket ? new Objects(bucket, id) : new Rows(database, id);
  return {
    write: (bytes) => sink.write(bytes),
    drop: async () => {
      await sink.drop();
      await forget(database, id);
    },
    keep: async ({ filename, bytes, lines, sha256, shape }) => {
      await sink.end();
      const kept = await database
        .prepare(
          "UPDATE datasets SET ready = 1, filename = ?2, bytes = ?3, lines = ?4, sha256 = ?5, shape = ?6, created_at = ?7 " +
            "WHERE id = ?1 AND ready = 0 RETURNING id",
        )
        .bind(id, filename, bytes, lines, sha256, shape, now)
        .all();
      if (kept.results.length === 0) throw new Error("swept away");
    },
  };
}

/**
 * Removes what uploads left behind whose machine died: of a row that is not ready, `created_at` is when its upload will have ended at the
 * latest, a minute aside for its last words.
 */
async function sweep(database, bucket, now) {
  const left = await database.prepare("SELECT id FROM datasets WHERE ready = 0 AND created_at < ?1 LIMIT 4").bind(now - 60).all();
  for (const { id } of left.results) {
    await bucket?.delete(id);
    await forget(database, id);
  }
}

/** Removes the rows of a dataset, that of its name last: until then it can be done again. */
async function forget(database, id) {
  const chunks = database.prepare(
    `DELETE FROM dataset_chunks WHERE dataset_id = ?1 AND seq IN (SELECT seq FROM dataset_chunks WHERE dataset_id = ?1 LIMIT ${ROWS})`,
  );
  for (;;) {
    const { meta } = await chunks.bind(id).run();
    if (!(meta.changes > 0)) break;
  }
  await database.prepare("DELETE FROM datasets WHERE id = ?1").bind(id).run();
}

/** Removes a dataset that nobody can ask for any more. */
export async function remove(database, bucket, id, place) {
  if (place === "r2") await bucket.delete(id);
  await forget(database, id);
}

/** Content as rows: texts of so many bytes, each in a row. */
class Rows {
  #database;
  #id;
  #seq = 0;
  #bytes = new Pile(CHUNK);
  #text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  constructor(database, id) {
    this.#database = database;
    this.#id = id;
  }

  async write(bytes) {
    for (const chunk of this.#bytes.add(bytes)) await this.#put(this.#text.decode(chunk, { stream: true }));
  }

  async end() {
    await this.#put(this.#text.decode(this.#bytes.rest()));
  }

  async drop() {}

  async #put(content) {
    if (content === "") return;
    await this.#database.prepare("INSERT INTO dataset_chunks VALUES (?1, ?2, ?3)").bind(this.#id, this.#seq, content).run();
    this.#seq += 1;
  }
}

/** Content as an object of R2: at once if it is small, else in parts. */
class Objects {
  #bucket;
  #id;
  #upload;
  #parts = [];
  #bytes = new Pile(PART);
  #isKept = false;

  constructor(bucket, id) {
    this.#bucket = bucket;
    this.#id = id;
  }

  async write(bytes) {
    for (const part of this.#bytes.add(bytes)) await this.#part(part);
  }

  async end() {
    const rest = this.#bytes.rest();
    this.#isKept = true;
    if (!this.#upload) return void (await this.#bucket.put(this.#id, rest, { httpMetadata: METADATA }));
    if (rest.byteLength > 0) await this.#part(rest);
    await this.#upload.complete(this.#parts);
  }

  async drop() {
    if (this.#isKept) await this.#bucket.delete(this.#id);
    else await this.#upload?.abort();
  }

  async #part(bytes) {
    this.#upload ??= await this.#bucket.createMultipartUpload(this.#id, { httpMetadata: METADATA });
    this.#parts.push(await this.#upload.uploadPart(this.#parts.length + 1, bytes));
  }
}

// Also for whoever opens the bucket to the world: nothing in it is a page.
const METADATA = { contentType: "application/jsonl", contentDisposition: "attachment" };

/** Bytes until there are so many. */
class Pile {
  #size;
  #bytes;
  #filled = 0;

  constructor(size) {
    this.#size = size;
    this.#bytes = new Uint8Array(size);
  }

  /** Takes bytes and gives what is full, each piece before the next one is asked for. */
  *add(bytes) {
    for (let at = 0; at < bytes.byteLength; ) {
      const piece = bytes.subarray(at, at + this.#size - this.#filled);
      this.#bytes.set(piece, this.#filled);
      at += piece.byteLength;
      this.#filled += piece.byteLength;
      if (this.#filled < this.#size) return;
      this.#filled = 0;
      yield this.#bytes;
    }
  }

  rest() {
    return this.#bytes.subarray(0, this.#filled);
  }
}

/** A stream of what a dataset holds, or `null`. It breaks if not all of it is there: what comes whole is whole. */
export async function content(database, bucket, id, place, bytes) {
  const { readable, writable } = new FixedLengthStream(bytes);
  if (place === "r2") {
    const object = await bucket?.get(id);
    if (!object) return null;
    object.body.pipeTo(writable).catch(() => {});
    return readable;
  }
  const next = database.prepare("SELECT content FROM dataset_chunks WHERE dataset_id = ?1 AND seq = ?2");
  const first = await next.bind(id, 0).first("content");
  if (first === null) return null;
  copied(next, id, first, writable).catch(() => {});
  return readable;
}

async function copied(next, id, first, writable) {
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  try {
    for (let [seq, text] = [0, first]; text !== null; text = await next.bind(id, seq).first("content")) {
      await writer.write(encoder.encode(text));
      seq += 1;
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error);
  }
}
