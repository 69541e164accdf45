// What all isolates know together of a route, as a Durable Object: it takes reports, gives answers, and stores what it knows, so that
// it outlives an eviction. The rule is in the core.

// A report is of one route and a few numbers long.
const LONGEST = 4 << 10;
const STATE = "breaker";

export class Health {
  /** `answer` is the Worker's handler, to be given what to know about this object in place of a context. */
  constructor(object, answer) {
    this.storage = object.storage;
    this.answer = answer;
    object.blockConcurrencyWhile(async () => {
      this.state = (await this.storage.get(STATE)) ?? "";
    });
  }

  async fetch(request) {
    const report = await request.text();
    if (report.length > LONGEST) return new Response(null, { status: 413 });
    // From here to the new state nothing waits, so that reports are taken one after the other.
    const inside = { breaker: this.state, report };
    const response = this.answer(request, inside);
    if (inside.breaker !== this.state) {
      this.state = inside.breaker;
      // What is lost with the machine before it is written is learnt again from the next failures; nobody has to wait for the disk.
      this.storage.put(STATE, this.state, { allowUnconfirmed: true });
    }
    return response;
  }
}
