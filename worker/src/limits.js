// What a key may use, as a Durable Object: the truth that all isolates are given parts of. It stores what it knows before it answers, so
// that nothing is given twice. The rule is in the core.

const LONGEST = 64 << 10;
const STATE = "ledger";

export class Limits {
  /** `answer` is the Worker's handler, to be given what to know about this object in place of a context. */
  constructor(object, answer) {
    this.storage = object.storage;
    this.answer = answer;
    object.blockConcurrencyWhile(async () => {
      this.state = (await this.storage.get(STATE)) ?? "";
    });
  }

  async fetch(request) {
    const message = await request.text();
    if (message.length > LONGEST) return new Response(null, { status: 413 });
    // From here to the new state nothing waits, so that messages are taken one after the other.
    const inside = { ledger: this.state, message };
    const response = this.answer(request, inside);
    if (inside.ledger !== this.state) {
      this.state = inside.ledger;
      this.storage.put(STATE, this.state);
    }
    return response;
  }
}
