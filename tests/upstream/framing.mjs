// Events to bytes, and bytes to writes: line ends, and where the writes are cut.

/** Frames and writes the events of one stream. */
export class EventWriter {
  #connection;
  #traits;
  #line;
  #started = false;

  constructor(connection, traits) {
    this.#connection = connection;
    this.#traits = traits;
    this.#line = traits.crlf ? "\r\n" : traits.cr ? "\r" : "\n";
  }

  /** One event; `final` leaves out its blank line where the model's name asks for that. */
  async event(data, { type, final = false } = {}) {
    const head = type ? `event: ${type}${this.#line}` : "";
    const blank = final && this.#traits["no-blank"] ? "" : this.#line;
    await this.#send(`${head}data: ${data}${this.#line}${blank}`);
  }

  /** A comment, as servers send to keep a connection open. */
  async comment(text) {
    await this.#send(`: ${text}${this.#line}${this.#line}`);
  }

  async #send(text) {
    const bom = this.#traits.bom && !this.#started ? "\ufeff" : "";
    this.#started = true;
    await writeCut(this.#connection, Buffer.from(bom + text), this.#traits);
  }
}

/** Writes bytes in the pieces that the model's name asks for, each a network chunk of its own. */
export async function writeCut(connection, bytes, traits) {
  const size = traits.bytes ? 1 : traits.chunks;
  if (size === undefined && !traits["split-utf8"]) return connection.write(bytes);
  let from = 0;
  while (from < bytes.length) {
    const to = size === undefined ? insideCharacter(bytes, from) : Math.min(from + size, bytes.length);
    await connection.write(bytes.subarray(from, to));
    await connection.turn();
    from = to;
  }
}

/** The next offset after `from` that lies inside a multi-byte character, or the end. */
function insideCharacter(bytes, from) {
  for (let at = from + 1; at < bytes.length; at += 1) if ((bytes[at] & 0xc0) === 0x80) return at;
  return bytes.length;
}
