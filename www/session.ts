/** One call at a time: asks the gate, and hands each batch of deltas to the conversation. */
import { type ChatRequest, createGate, type Gate, type Model } from "sluicegate";
import type { Redactor } from "sluicegate/redact";
import type { Answer, Chat } from "./chat.js";
import { failureOf } from "./errors.js";
import { requestFields } from "./faults.js";
import { t } from "./i18n/index.js";
import type { DeviceModel } from "./local.js";
import { connection, gateUrl, type Prefs } from "./prefs.js";
import { align, givenIn, type Privacy, toHide } from "./privacy.js";
import { traceOf } from "./trace.js";
import { tapped } from "./wire.js";

/** How long after it was asked to leave, in milliseconds, a page that is still there takes a broken connection for its leaving. */
const LEAVING_MS = 5_000;
/** How a call ends whose connection the browser takes away. */
const CUT: readonly string[] = ["network", "truncated", "cancelled"];

export interface SessionEvents {
  /** The gate's list came, for an answer that names no model; gives the model to ask. */
  models(models: Model[]): string;
  /** What of its question has left the device is known. */
  sent(answer: Answer): void;
  /** The first piece of an answer, or more of it. */
  more(answer: Answer): void;
  /** It ended; `shown` is the answer to show now. */
  end(answer: Answer, shown: Answer): void;
}

export class Session {
  private ended: Promise<void> = Promise.resolve();
  private gate: Promise<Gate> | undefined;
  /** For the list of models, which holds nothing private: without the engine that hides. */
  private lister: Promise<Gate> | undefined;
  private leftAt = -Infinity;
  /** What the tokens of this conversation stand for, under the policy before. */
  private carried: Promise<string | undefined> = Promise.resolve(undefined);
  private running: { answer: Answer; chat: Chat; abort: AbortController; redactor?: Redactor } | undefined;

  /** What answers when nothing else can, where the browser has a model of its own. */
  device: DeviceModel | undefined;

  constructor(private readonly prefs: Prefs, private readonly privacy: Privacy, private readonly events: SessionEvents) {}

  /** The answer under way. */
  get answer(): Answer | undefined {
    return this.running?.answer;
  }

  /** The gate for the present connection and policy. It is made on first use, so that the page shows before its wasm has come. */
  connect(): Promise<Gate> {
    if (this.gate) return this.gate;
    // As it is now: the next one waits for this gate.
    const { carried } = this;
    const gate = createGate({
      ...this.site(),
      redact: this.privacy.options(),
      fetch: (input, init) => tapped(input, init, this.tap()),
      ...(this.device ? { fallback: [this.device] } : {}),
    }).then(async (made) => {
      if (made.redactor) await this.ready(made.redactor, carried);
      return made;
    });
    this.gate = gate;
    // A start that failed, say because the wasm did not come, is tried again by the next call.
    gate.catch(() => {
      if (this.gate === gate) this.gate = undefined;
    });
    return gate;
  }

  /** The models that the gate offers. */
  async models(signal?: AbortSignal): Promise<Model[]> {
    const lister = (this.lister ??= createGate(this.site()));
    lister.catch(() => {
      this.lister = undefined;
    });
    return (await lister).models(signal ? { signal } : {});
  }

  private site(): { baseUrl: string; apiKey?: () => string } {
    return { baseUrl: gateUrl(), ...(connection.apiKey ? { apiKey: () => connection.apiKey } : {}) };
  }

  private async ready(redactor: Redactor, carried: Promise<string | undefined>): Promise<void> {
    await this.privacy.prepare(redactor);
    const session = await carried;
    try {
      if (session !== undefined) redactor.session.import(session);
    } catch {
      // One that does not fit is begun anew: every request brings its values along.
    }
  }

  /** Forgets the gate: the connection or the policy changed. What its tokens stand for goes on to the next. */
  reconnect(): void {
    const { gate: old, ended, carried: before } = this;
    this.gate = undefined;
    this.lister = undefined;
    if (!old) return;
    this.carried = old.then(({ redactor }) => redactor?.session.export() ?? before, () => before);
    // Wiped once nothing needs it.
    void Promise.all([old, this.carried, ended]).then(([{ redactor }]) => redactor?.close()).catch(() => undefined);
  }

  /** Another conversation: nothing of this one goes on. */
  forget(): void {
    this.reconnect();
    this.carried = Promise.resolve(undefined);
  }

  /** What is noted of a call under way: the question as it left, and the answer as it came. */
  private tap(): Parameters<typeof tapped>[2] {
    const { running } = this;
    if (!running?.redactor) return undefined;
    const { answer, chat, redactor } = running;
    return {
      sent: (messages) => {
        const question = chat.get(answer.parent);
        const last = messages.findLast(({ role }) => role === "user");
        answer.given = givenIn(redactor, messages.map(({ text }) => text));
        if (question?.role === "user" && last && !answer.before) {
          question.sent = last.text;
          question.hidden = align(question.text, toHide(redactor, question.text), last.text) ?? [];
        }
        this.events.sent(answer);
      },
      came: (text) => {
        answer.raw = (answer.raw ?? "") + text;
      },
    };
  }

  /** Ends the answer under way; its upstream request is aborted. */
  stop(): void {
    this.running?.abort.abort();
  }

  /** The page is about to leave, perhaps: connections that break now are not the provider's failure. */
  leave(): void {
    this.leftAt = Date.now();
  }

  /** Resolves when the last call has ended, however it did. */
  idle(): Promise<void> {
    return this.ended;
  }

  /** Asks for `answer`; events tell of the rest. */
  run(chat: Chat, answer: Answer): void {
    this.ended = this.drive(chat, answer);
  }

  private async drive(chat: Chat, answer: Answer): Promise<void> {
    const abort = new AbortController();
    this.running = { answer, chat, abort };
    let shown = answer;
    try {
      const gate = await this.connect();
      // Without a model the core can only refuse; why there is no list to choose from is what the reader has to know.
      if (!answer.model) answer.model = this.events.models(await this.models(abort.signal));
      abort.signal.throwIfAborted();
      if (gate.redactor) this.running.redactor = gate.redactor;
      const stream = gate.stream(this.request(chat, answer), { signal: abort.signal });
      for await (const batch of stream.batches()) {
        const now = Date.now();
        for (const delta of batch) chat.apply(answer, delta, now);
        this.events.more(answer);
        if (abort.signal.aborted) break;
      }
      if (answer.endedAt === undefined) chat.stop(answer, Date.now());
    } catch (error) {
      const now = Date.now();
      const failure = failureOf(error, now);
      const left = now - this.leftAt < LEAVING_MS && CUT.includes(failure.code);
      if (abort.signal.aborted || left) chat.stop(answer, now);
      else shown = chat.fail(answer, failure, now, error instanceof Error ? traceOf(error) : undefined);
    }
    if (this.running.answer === answer) this.running = undefined;
    this.events.end(answer, shown);
  }

  private request(chat: Chat, answer: Answer): ChatRequest {
    const { preset, temperature, maxTokens, system } = this.prefs;
    return {
      messages: chat.messages(answer, system, t("goOnWords")),
      stream_options: { include_usage: true },
      ...(answer.model ? { model: answer.model } : {}),
      ...(preset ? { preset } : {}),
      ...(temperature === null ? {} : { temperature }),
      ...(maxTokens === null ? {} : { max_tokens: maxTokens }),
      ...(answer.fault ? requestFields(answer.fault.words, { temperature, maxTokens }) : {}),
    };
  }
}
