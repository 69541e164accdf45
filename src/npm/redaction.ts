import { checked, type CoreRedactor, openRedactor } from "./core-redactor.js";
import type { ErrorFields, GateError } from "./error.js";
import type { RedactBindings } from "./redact-wasm.js";
import type { RedactCounts, RedactOptions } from "./redact-types.js";
import { redactedFetch, type Send } from "./redaction-fetch.js";
import type { Choice, Delta } from "./types.js";

/**
 * What a gate does about private data.
 *
 * The rule: a request is masked before anything else of the gate looks at it, and an answer gets its values back after everything else has.
 * What lies between (retries, fallbacks, continuation, resuming, the network) sees tokens only, and works as it would without. Errors go the
 * other way: they are made to be logged, so that what is private in them is hidden for good.
 */
export class Redaction {
  readonly redactor: CoreRedactor;

  constructor(redactor: CoreRedactor) {
    this.redactor = redactor;
  }

  /** A request, a JSON text, as it may go out. Throws where it may not; nothing is sent then. */
  request(body: string): MaskedRequest {
    const { text, local, json, counts } = this.redactor.request(body);
    const answer = new Answer(this, counts, json);
    // A model on the device is no third party: what only it may read it gets as it is.
    return local.length > 0 ? { body, localOnly: local, answer } : { body: text, answer };
  }

  /** `send` for SDKs, with masked requests and answers that have their values again. */
  fetch(send: Send, refused: (error: GateError) => void): typeof globalThis.fetch {
    return redactedFetch(this, send, refused);
  }

  /** The fields of an error without what is private in them: they hold words of the upstream. */
  error<T extends ErrorFields>(fields: T): T {
    const { message, vendor } = fields;
    const scrub = (text: string) => this.redactor.scrub(text);
    const said = vendor?.message === undefined ? vendor : { ...vendor, message: scrub(vendor.message) };
    return { ...fields, message: scrub(message), vendor: said };
  }
}

/** Opens what `createGate({ redact })` asks for. */
export async function openRedaction(options: true | RedactOptions): Promise<Redaction> {
  return new Redaction(await openRedactor(options === true ? {} : options));
}

/** A request that may go out. */
export interface MaskedRequest {
  body: string;
  /** Only to a model on the device: the types of what is in it. */
  localOnly?: string[];
  answer: Answer;
}

/** The channels of an answer, by their number in `src/redact-js/src/answer.rs`. */
const CHANNELS = ["text", "reasoning", "refusal", "tool_call"] as const;

/** The answer to one request, on its way back. */
export class Answer {
  readonly #redaction: Redaction;
  readonly #counts: RedactCounts["counts"];
  readonly #json: boolean;
  readonly #needed: boolean;
  #deltas: InstanceType<RedactBindings["AnswerDeltas"]> | undefined;

  constructor(redaction: Redaction, counts: RedactCounts["counts"], json: boolean) {
    this.#redaction = redaction;
    this.#counts = counts;
    this.#json = json;
    this.#needed = redaction.redactor.needsAnswers;
  }

  /** A batch with its tokens given back. It may be shorter, or empty: a part of a token waits for the rest. */
  batch(deltas: Delta[]): Delta[] {
    if (!this.#needed) return deltas;
    const out: Delta[] = [];
    for (let at = 0; at < deltas.length; ) {
      const delta = deltas[at++]!;
      if (delta.type === "end" || delta.type === "notice") {
        // What came before is to be forgotten, and so is what is held of it.
        if (delta.type === "notice" && delta.code === "restarted") this.#deltas?.restart();
        out.push(delta);
        continue;
      }
      const given = [textOf(delta)];
      // Pieces of one text that came together cross to the core together.
      for (let next = deltas[at]; next && goesOn(delta, next); next = deltas[++at]) given.push(textOf(next));
      const text = this.#push(delta, given.join(""));
      const isHead = delta.type === "tool_call" && (delta.id !== undefined || delta.name !== undefined);
      if (text !== "" || isHead) out.push(delta.type === "tool_call" ? { ...delta, arguments: text } : { ...delta, text });
    }
    return out;
  }

  /** What is held back, once the answer is over, well or not. */
  rest(): Delta[] {
    const deltas = this.#deltas;
    if (!deltas) return [];
    const pieces = checked(() => JSON.parse(deltas.rest()) as { kind: number; choice: number; index: number; text: string }[]);
    return pieces.map(({ kind, choice, index, text }) => {
      const type = CHANNELS[kind]!;
      return type === "tool_call" ? { type, choice, index, arguments: text } : { type, text, choice };
    });
  }

  /** The choices of the whole reply with their tokens given back. */
  choices(choices: Choice[]): Choice[] {
    if (!this.#needed) return choices;
    const whole = (channel: (typeof CHANNELS)[number], text: string) => checked(() => this.#open().whole(CHANNELS.indexOf(channel), text));
    return choices.map((choice) => ({
      ...choice,
      text: whole("text", choice.text),
      reasoning: whole("reasoning", choice.reasoning),
      ...(choice.refusal !== undefined && { refusal: whole("refusal", choice.refusal) }),
      tool_calls: choice.tool_calls.map((call) => ({
        ...call,
        function: { ...call.function, arguments: whole("tool_call", call.function.arguments) },
      })),
    }));
  }

  /** What was done, in both directions; the last call. */
  close(): RedactCounts {
    const { counts, restored } = checked(() => JSON.parse(this.#open().counts()) as RedactCounts);
    this.#deltas?.free();
    this.#deltas = undefined;
    return { counts: [...this.#counts, ...counts], restored };
  }

  /** The fields of an error of this call. */
  error(fields: ErrorFields): ErrorFields {
    return this.#redaction.error(fields);
  }

  #push(delta: Piece, text: string): string {
    const index = delta.type === "tool_call" ? delta.index : 0;
    return checked(() => this.#open().push(CHANNELS.indexOf(delta.type), delta.choice, index, text));
  }

  #open(): InstanceType<RedactBindings["AnswerDeltas"]> {
    return (this.#deltas ??= this.#redaction.redactor.deltas(this.#json));
  }
}

/** A delta that is a piece of a text. */
type Piece = Exclude<Delta, { type: "end" | "notice" }>;

function textOf(delta: Piece): string {
  return delta.type === "tool_call" ? delta.arguments : delta.text;
}

/** Whether `next` is the next piece of the same text. */
function goesOn(delta: Piece, next: Delta): next is Piece {
  if (next.type !== delta.type || next.choice !== (delta as Piece).choice) return false;
  return next.type !== "tool_call" || (next.index === (delta as typeof next).index && next.id === undefined && next.name === undefined);
}
