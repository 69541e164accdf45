// Libraries of local models, small: made after the published types and sources of the real ones, their traps included.

import { setImmediate as tick } from "node:timers/promises";

/** Turns of the event loop that take some seconds. */
const PATIENCE = 50_000;

/** What all of them run: a model that gives out tokens, and counts what is done with it. */
export class FakeModel {
  tokens = ["Hel", "lo", " wor", "ld"];
  /** Goes on until it is stopped; not quite for ever, so that a test that fails ends. */
  endless = false;
  /** Fails before this token. */
  failAt = Infinity;
  failure = new Error("the device is lost");
  /** Thinks before this token, and hears nothing but a stop. */
  stallAt = Infinity;
  loads = 0;
  unloads = 0;
  /** Loads that were given up. */
  givenUp = 0;
  failLoads = 0;
  running = 0;
  most = 0;
  produced = 0;
  stopped = 0;
  requests = [];

  async load(report, signal) {
    this.loads += 1;
    for (let step = 0; step <= 4; step++) {
      await tick();
      if (signal?.aborted) {
        this.givenUp += 1;
        throw signal.reason;
      }
      report(step, 4);
    }
    if (this.failLoads > 0) {
      this.failLoads -= 1;
      throw new Error("no such file");
    }
  }

  async *generate(isStopped, limit = Infinity) {
    this.running += 1;
    this.most = Math.max(this.most, this.running);
    try {
      for (let at = 0; at < (this.endless ? PATIENCE : this.tokens.length); at++) {
        if (at >= limit) return "length";
        await tick();
        for (let turn = 0; at >= this.stallAt && turn < PATIENCE && !isStopped(); turn++) await tick();
        if (isStopped()) {
          // What is at work has to end first.
          for (let turn = 0; turn < 5; turn++) await tick();
          this.stopped += 1;
          return "abort";
        }
        if (at >= this.failAt) throw this.failure;
        this.produced += 1;
        yield this.tokens[at % this.tokens.length];
      }
      return "stop";
    } finally {
      this.running -= 1;
    }
  }
}

const chunk = (delta, finish_reason = null, more = {}) => ({ id: "", object: "chat.completion.chunk", created: 1, model: "", choices: [{ index: 0, delta, finish_reason, logprobs: null }], ...more });

/** `globalThis.LanguageModel`. */
export function fakeLanguageModel(model, { window = 1000 } = {}) {
  let availability = "downloadable";
  return class LanguageModel {
    static async availability() {
      return availability;
    }

    static async create({ signal, monitor, initialPrompts = [] }) {
      signal?.throwIfAborted();
      if (availability !== "available") {
        const target = new EventTarget();
        monitor?.(target);
        availability = "downloading";
        try {
          await model.load((loaded, total) => target.dispatchEvent(Object.assign(new Event("downloadprogress"), { loaded: loaded / total, total: 1 })), signal);
        } catch (error) {
          availability = "downloadable";
          throw error;
        }
        availability = "available";
      }
      const session = new LanguageModel();
      session.prompts = initialPrompts;
      // The signal given to create() also ends the session.
      signal?.addEventListener("abort", () => session.destroy());
      return session;
    }

    contextWindow = window;
    destroyed = false;

    async measureContextUsage(prompts) {
      return prompts.reduce((sum, { content }) => sum + content.length, 0);
    }

    promptStreaming(prompts, { signal, responseConstraint } = {}) {
      model.requests.push({ prompts: [...this.prompts, ...prompts], responseConstraint });
      let left = false;
      const tokens = model.generate(() => left || signal?.aborted || this.destroyed);
      return new ReadableStream({
        async pull(controller) {
          try {
            const { value, done } = await tokens.next();
            if (signal?.aborted) controller.error(signal.reason);
            else if (done) controller.close();
            else controller.enqueue(value);
          } catch (error) {
            controller.error(error);
          }
        },
        async cancel() {
          left = true;
          await tokens.next();
        },
      }, { highWaterMark: 0 });
    }

    destroy() {
      if (!this.destroyed) model.unloads += 1;
      this.destroyed = true;
    }
  };
}

/** `@mlc-ai/web-llm`. One generation holds a lock; an interrupt before it has begun is forgotten; one that is left keeps the lock. */
export function fakeWebLlm(model) {
  let interrupted = false;
  let lock = Promise.resolve();
  const engine = {
    interruptGenerate: async () => void (interrupted = true),
    unload: async () => void (model.unloads += 1),
    chat: {
      completions: {
        async create(request) {
          model.requests.push(request);
          return (async function* () {
            const before = lock;
            let release;
            lock = new Promise((resolve) => (release = resolve));
            await before;
            await tick();
            interrupted = false;
            const tokens = model.generate(() => interrupted, request.max_tokens);
            let step;
            let ended = false;
            try {
              while (!(step = await tokens.next()).done) yield chunk({ role: "assistant", content: step.value });
              yield chunk({}, step.value);
              yield chunk({}, null, { choices: [], usage: { prompt_tokens: 3, completion_tokens: model.produced, total_tokens: 3 + model.produced } });
              ended = true;
            } catch (error) {
              ended = true;
              throw error;
            } finally {
              if (ended) release();
            }
          })();
        },
      },
    },
  };
  return {
    engine,
    async CreateMLCEngine(_, { initProgressCallback }) {
      // It cannot be stopped.
      await model.load((loaded, total) => initProgressCallback({ progress: loaded / total, timeElapsed: 0, text: "" }));
      return engine;
    },
  };
}

/** `@wllama/wllama`. It runs ahead of its reader; leaving the loop does not stop it; a second generation at once hangs for ever. */
export function fakeWllama(model) {
  const deleted = [];
  let corrupt = false;
  class Wllama {
    cacheManager = { delete: async (url) => void deleted.push(url) };

    constructor(paths, config) {
      Object.assign(this, { paths, config });
    }

    setCompat(compat) {
      this.compat = compat;
    }

    async loadModelFromUrl(url, parameters) {
      if (this.loaded) throw new Error("Module is already initialized");
      Wllama.last = this;
      this.parameters = parameters;
      if (this.paths.default === "/missing.wasm") await new Promise(() => {});
      await model.load((loaded, total) => parameters.progressCallback({ loaded: loaded * 100, total: total * 100 }), parameters.signal);
      this.loaded = !corrupt;
    }

    getLoadedContextInfo() {
      return { success: this.loaded };
    }

    async createChatCompletion({ abortSignal, ...request }) {
      model.requests.push(request);
      if (model.running > 0) await new Promise(() => {});
      // As the library's own: each value a promise, which rejects though nobody may read it.
      const values = [];
      const slot = () => {
        const one = {};
        one.promise = new Promise((resolve, reject) => Object.assign(one, { resolve, reject }));
        values.push(one);
      };
      slot();
      const push = (value, done) => (values.at(-1).resolve([value, done]), slot());
      const run = async () => {
        const tokens = model.generate(() => abortSignal?.aborted, request.max_tokens);
        push(chunk({ role: "assistant", content: null }));
        let step;
        while (!(step = await tokens.next()).done) push(chunk({ content: step.value }, null, { timings: { predicted_n: 1 } }));
        if (step.value === "abort") throw Object.assign(new Error("Operation aborted"), { name: "AbortError" });
        push(chunk({}, step.value));
        push(chunk({}, null, { choices: [], usage: { prompt_tokens: 3, completion_tokens: model.produced, total_tokens: 3 + model.produced } }));
      };
      run().then(() => push(undefined, true), (error) => values.at(-1).reject(error));
      return (async function* () {
        for (let at = 0; ; at++) {
          const [value, done] = await values[at].promise;
          if (value !== undefined) yield value;
          if (done) return;
        }
      })();
    }

    async exit() {
      if (this.loaded) model.unloads += 1;
      this.loaded = false;
    }
  }
  return { Wllama, deleted, breakFile: (broken = true) => (corrupt = broken) };
}

/** `@huggingface/transformers`. The text comes by a callback, a word at a time; the load cannot be stopped. */
export function fakeTransformers(model) {
  const EOS = 0n;
  class TextStreamer {
    special_ids = new Set([EOS]);

    constructor(_, options) {
      this.options = options;
    }

    put(token, text) {
      this.options.token_callback_function([token]);
      if (text) this.options.callback_function(text);
    }
  }
  class InterruptableStoppingCriteria {
    interrupted = false;

    interrupt() {
      this.interrupted = true;
    }
  }
  const library = {
    TextStreamer,
    InterruptableStoppingCriteria,
    async pipeline(task, id, options) {
      library.asked = { task, id, options };
      options.progress_callback({ status: "initiate", name: id, file: "model.onnx" });
      await model.load((loaded, total) => {
        options.progress_callback({ status: "progress", name: id, file: "model.onnx", progress: 0, loaded: loaded * 7, total: total * 7 });
        options.progress_callback({ status: "progress_total", name: id, progress: 0, loaded: loaded * 100, total: total * 100, files: {} });
      });
      const generator = async (messages, { max_new_tokens, streamer, stopping_criteria, ...sampling }) => {
        model.requests.push({ messages, max_new_tokens, ...sampling });
        const tokens = model.generate(() => stopping_criteria.interrupted, max_new_tokens);
        let step;
        let count = 0n;
        while (!(step = await tokens.next()).done) streamer.put((count += 1n), step.value);
        if (step.value === "stop") streamer.put(EOS, "");
        return [{ generated_text: messages }];
      };
      generator.tokenizer = {
        apply_chat_template: (messages, { tokenize, add_generation_prompt, return_tensor, return_dict }) => {
          if (!tokenize || !add_generation_prompt || return_tensor !== false || return_dict !== false) throw new Error("not a list of ids");
          return messages.flatMap(({ content }) => Array.from(content, () => 1));
        },
      };
      generator.dispose = async () => void (model.unloads += 1);
      return generator;
    },
  };
  return library;
}
