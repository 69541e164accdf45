// One request's connection: writes that respect back-pressure, sleeps that end with the connection, and the record of
// how it went. Everything that waits rejects with `Gone` when the client leaves, so that no timer outlives it.

/** Thrown out of every wait once there is no one to answer. */
export class Gone extends Error {}

const YIELD_EVERY = 64;

export class Connection {
  #request;
  #response;
  #record;
  #waiting = new Set();
  #writes = 0;
  #gone = false;
  #left = Infinity;
  #atLimit;
  #early = false;

  constructor(request, response, record, entry) {
    this.#request = request;
    this.#response = response;
    this.#record = record;
    this.entry = entry;
    response.on("finish", () => {
      record.finished = true;
      entry.finish(this.#early ? "early" : "done");
    });
    response.on("error", () => {});
    response.on("close", () => {
      this.#gone = true;
      if (!response.writableFinished && !record.dropped) {
        record.aborted = true;
        record.abortedAt = Date.now();
      }
      entry.finish(record.dropped ? "dropped" : "aborted");
      for (const leave of [...this.#waiting]) leave();
    });
  }

  /** Sends the response head at once. */
  head(status, headers) {
    this.#check();
    this.#record.status = status;
    this.entry.status = status;
    this.#response.writeHead(status, headers);
    this.#response.flushHeaders();
  }

  /** Once `bytes` of the body are out, does `action` (`cut`, `eof` or `stall`) in place of all else. */
  limit(bytes, action) {
    this.#left = bytes;
    this.#atLimit = action;
  }

  /** Does what a limit or a name asks for at the end: `cut`, `eof` or `stall`. */
  async stop(action) {
    if (action === "cut") await this.drop();
    else if (action === "eof") this.end(undefined, { early: true });
    else await this.silence();
  }

  /** Writes, and waits while the client reads more slowly than we write. */
  async write(bytes) {
    this.#check();
    if (bytes.length >= this.#left) {
      const last = bytes.subarray(0, this.#left);
      this.#left = Infinity;
      await this.write(last);
      await this.stop(this.#atLimit);
      throw new Gone("the limit is reached");
    }
    if (bytes.length === 0) return;
    this.#left -= bytes.length;
    this.entry.bytes += bytes.length;
    const flowing = this.#response.write(bytes);
    if (!flowing) await this.#wait((done) => this.#on("drain", done));
    else if (++this.#writes % YIELD_EVERY === 0) await this.turn();
  }

  /** Ends the body cleanly; `early`, before the answer was whole. */
  end(bytes, { early = false } = {}) {
    this.#check();
    this.#early = early;
    this.entry.bytes += bytes?.length ?? 0;
    this.#response.end(bytes);
  }

  /** Sends what is written, then destroys the connection. */
  async drop() {
    this.#check();
    const { socket } = this.#request;
    while (this.#response.writableLength > 0 || socket.writableLength > 0) await this.turn();
    this.#record.dropped = true;
    socket.destroy();
  }

  /** Waits `ms` milliseconds; 0 does not wait. */
  async sleep(ms) {
    this.#check();
    if (!(ms > 0)) return;
    await this.#wait((done) => {
      const timer = setTimeout(done, ms);
      return () => clearTimeout(timer);
    });
  }

  /** Lets the event loop turn, so that the next write is a network chunk of its own. */
  async turn() {
    await this.#wait((done) => {
      const immediate = setImmediate(done);
      return () => clearImmediate(immediate);
    });
  }

  /** Waits until the client leaves. */
  async silence() {
    await this.#wait(() => () => {});
  }

  #check() {
    if (this.#gone) throw new Gone("the client has left");
  }

  #on(event, listener) {
    this.#response.once(event, listener);
    return () => this.#response.off(event, listener);
  }

  #wait(start) {
    this.#check();
    return new Promise((resolve, reject) => {
      let stop;
      const leave = () => {
        stop?.();
        this.#waiting.delete(leave);
        reject(new Gone("the client has left"));
      };
      this.#waiting.add(leave);
      stop = start(() => {
        stop?.();
        this.#waiting.delete(leave);
        resolve();
      });
    });
  }
}
