// Compiled, not run: what TypeScript says about the package's face. A line under `@ts-expect-error` must be an error.

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ChatOpenAI } from "@langchain/openai";
import OpenAI from "openai";
import { createGate, type Budgets, type ChatRequest, type Delta, type Gate, GateError, type GateOptions, type LocalModel, type Message, type Reply, type RouteOptions } from "sluicegate";
import { createRedactor, type Finding, GateError as RedactError, type Redacted, type RedactOptions, type Redactor, type RedactPolicy } from "sluicegate/redact";
import { createRedactor as createSlimRedactor } from "sluicegate/redact/slim";
import { createGate as createSlimGate } from "sluicegate/slim";
import { type GateSocket, openSocket, type SocketOptions, type SocketRequest } from "sluicegate/socket";
import { type ServerSentEvent, sseStream } from "sluicegate/sse";
import { type AccessToken, createTokens, exchangeToken, type TokenOptions, type TokenSource } from "sluicegate/token";

declare const gate: Gate;

export async function options(): Promise<void> {
  await createGate({ baseUrl: "/v1" });
  const budgets: Budgets = { connect: 1, firstToken: 2, idle: 3, contentIdle: 4, rate: 0, answer: 5, patience: 6, total: Infinity };
  const all: GateOptions = { baseUrl: "/v1", apiKey: async () => "k", dialect: "deepseek", model: "m", headers: { a: "b" }, budgets, thinkTags: "open", fetch };
  await createGate(all);
  await createSlimGate({ ...all, wasm: new URL("https://app.test/sluicegate.wasm") });
  await createSlimGate({ ...all, wasm: fetch("/sluicegate.wasm") });
  const apiKey = async ({ refresh }: { refresh: boolean }) => (refresh ? "new" : "old");
  const route: RouteOptions = { baseUrl: "/v2", apiKey, dialect: "siliconflow", model: "n", headers: {}, budgets, vision: false, tools: true, context: 8192, continuation: "anchor", fetch };
  const local: LocalModel = { id: "x", model: "y", availability: async () => "ready", async *stream(request: { messages: Message[] }, signal: AbortSignal) { yield [request, signal]; } };
  const fallback = [route, local];
  await createGate({ baseUrl: "/v1", fallback, retry: { firstMs: 1, capMs: 2, tries: 3, attempts: 4 }, breaker: { failures: 5, ratioPercent: 50, least: 20, windowMs: 1, openMs: 1 } });
  await createGate({ baseUrl: "/v1", retry: false, breaker: false, hedge: { afterMs: 1, percentile: 95, sharePercent: 5 }, continuation: { most: 1, length: 1, replace: true, by: "prefix" } });
  // @ts-expect-error a route is named by its base URL
  await createGate({ baseUrl: "/v1", fallback: [{ url: "/v2" }] });
  // @ts-expect-error no such way to go on
  await createGate({ baseUrl: "/v1", continuation: { by: "magic" } });
  // @ts-expect-error a retry policy, or false
  await createGate({ baseUrl: "/v1", retry: true });
  // @ts-expect-error the base URL is required
  await createGate({});
  // @ts-expect-error no such dialect
  await createGate({ baseUrl: "/v1", dialect: "claude" });
  // @ts-expect-error no such budget
  await createGate({ baseUrl: "/v1", budgets: { first_token: 1 } });
  // @ts-expect-error no such option
  await createGate({ baseURL: "/v1", baseUrl: "/v1" });
  // @ts-expect-error the slim entry needs the wasm
  await createSlimGate({ baseUrl: "/v1" });
}

export async function calls(signal: AbortSignal): Promise<Message[]> {
  const request: ChatRequest = { messages: [{ role: "user", content: [{ type: "text", text: "x" }] }], preset: "reasoning", vendor_field: { any: 1 } };
  const reply: Reply = await gate.chat(request, { signal, headers: { a: "b" }, budgets: { total: 1 }, retry: false, continuation: { length: 2 }, hedge: false });
  const tokens: number | undefined = reply.usage?.completion_tokens_details?.reasoning_tokens;
  const reason: string | null = reply.choices[0]!.finish_reason;
  const models: { id: string }[] = await gate.models();
  const told: (string | number | undefined)[] = [reply.source, reply.attempts, reply.timeline?.[0]?.event, reply.upstreamTimeline?.[0]?.at];
  void [tokens, reason, models, told];
  // @ts-expect-error messages are required
  await gate.chat({ model: "m" });
  // @ts-expect-error no such preset
  await gate.chat({ messages: [], preset: "wild" });
  // @ts-expect-error a message has a role
  await gate.chat({ messages: [{ content: "x" }] });
  return [...request.messages, reply.message];
}

export function narrow(delta: Delta): string {
  switch (delta.type) {
    case "text":
    case "reasoning":
    case "refusal":
      return delta.text + delta.choice;
    case "tool_call":
      // @ts-expect-error a tool call has no text
      void delta.text;
      return `${delta.index} ${delta.id ?? ""} ${delta.name ?? ""} ${delta.arguments}`;
    case "notice":
      return delta.code + delta.detail;
    case "end":
      return delta.reply.text + delta.outcome + (delta.finish_reason ?? "");
    default: {
      const none: never = delta;
      return none;
    }
  }
}

export async function streams(): Promise<void> {
  for await (const delta of gate.stream({ messages: [] })) narrow(delta);
  for await (const batch of gate.stream({ messages: [] }).batches()) batch.map(narrow);
  const stream = gate.stream({ messages: [] });
  stream.cancel();
  const reply: Reply = await stream.reply();
  void reply;
  // @ts-expect-error a stream is not a promise of a reply
  const wrong: Reply = await gate.stream({ messages: [] });
  void wrong;
}

export function failures(error: unknown): string | undefined {
  if (!(error instanceof GateError)) return undefined;
  const partial: Reply | undefined = error.partial;
  const wait: number | undefined = error.retryAfterMs;
  const attempts: number | undefined = error.attempts;
  const events: string[] = error.timeline?.map(({ event }) => event) ?? [];
  void [partial, wait, attempts, events];
  // @ts-expect-error an error's code is what it is
  error.code = "other";
  return error.code;
}

export function listeners(): () => void {
  gate.on("notice", ({ code, detail }) => void (code + detail));
  const stop = gate.on("end", ({ outcome, usage, timing, error }) => void [outcome === "complete", usage?.total_tokens, timing.totalMs, error?.code]);
  // @ts-expect-error no such event
  gate.on("start", () => {});
  // @ts-expect-error no such outcome
  gate.on("end", ({ outcome }) => outcome === "done");
  return stop;
}

export function sdks(): unknown[] {
  const asFetch: typeof globalThis.fetch = gate.fetch;
  return [
    asFetch,
    new OpenAI({ apiKey: "k", baseURL: "/v1", fetch: gate.fetch }),
    createOpenAICompatible({ name: "gate", baseURL: "/v1", fetch: gate.fetch }),
    new ChatOpenAI({ model: "m", apiKey: "k", configuration: { baseURL: "/v1", fetch: gate.fetch } }),
  ];
}

export async function events(response: Response): Promise<string> {
  const stream: ReadableStream<ServerSentEvent> = response.body!.pipeThrough(sseStream({ maxEventBytes: 1, lenient: true, onComment: (text: string) => void text, onRetry: (millis: number) => void millis }));
  for await (const { type, data, id } of stream) return type + data + id;
  // @ts-expect-error no such option
  sseStream({ strict: true });
  return "";
}

export async function tokens(signal: AbortSignal): Promise<string | undefined> {
  await createGate({ baseUrl: "/v1", token: { endpoint: "/api/token", headers: { a: "b" }, credentials: "include", timeoutMs: 1 } });
  await createGate({ baseUrl: "/v1", token: async ({ signal }) => (await fetch("/api/token", { method: "POST", signal })).json() });
  await createGate({ baseUrl: "/v1", token: () => "text" });
  const given: AccessToken = { accessToken: "x", expiresIn: 60 };
  const signed: TokenOptions = { endpoint: new URL("https://gate.test/auth/token"), apiKey: "key_x", apiSecret: "s", audience: "https://gate.test", dangerouslyAllowBrowser: false, fetch };
  const source: TokenSource = createTokens(async () => given);
  await createGate({ baseUrl: "/v1", token: source, fallback: [{ baseUrl: "/v2", token: signed }] });
  const { access_token, expires_in = 0 } = await exchangeToken({ endpoint: "https://gate.test/auth/token", apiKey: "key_x", apiSecret: "s" }, { signal });
  void [expires_in, await source.renew(access_token, { signal })];
  // @ts-expect-error an endpoint is needed
  await createGate({ baseUrl: "/v1", token: { apiKey: "k", apiSecret: "s" } });
  // @ts-expect-error a function gives a token
  createTokens(async () => ({ expires_in: 60 }));
  return source.get({ signal });
}

export async function sockets(signal: AbortSignal, source: TokenSource): Promise<Reply> {
  const options: SocketOptions = { url: "/v1/stream", token: source, protocols: ["own"], signal, timeoutMs: 1, idleMs: 2, maxBuffer: 3, WebSocket, fetch };
  const socket: GateSocket = await openSocket(options);
  await openSocket({ url: new URL("wss://gate.test/v1/stream"), ticket: "t" });
  await openSocket({ url: "/v1/stream", ticket: async () => "t" });
  await openSocket({ url: "/v1/stream", ticket: { endpoint: "/api/ticket", credentials: "include" } });
  await openSocket({ url: "/v1/stream", token: { endpoint: "/api/token" } });
  const request: SocketRequest = { prompt: "x", max_tokens: 5, stop_sequences: ["."], vendor_field: 1 };
  for await (const delta of socket.stream(request, { signal })) narrow(delta);
  const stream = socket.stream({ messages: [{ role: "user", content: "x" }] });
  stream.cancel();
  socket.close();
  const { code, reason }: { code: number; reason: string } = await socket.closed;
  void [socket.isOpen, code + 1, reason.length];
  // @ts-expect-error the address is needed
  await openSocket({ ticket: "t" });
  // @ts-expect-error a ticket is no number
  await openSocket({ url: "/v1/stream", ticket: 5 });
  return stream.reply();
}

export async function redaction(): Promise<void> {
  const policy: RedactPolicy = { mode: "irreversible", language: "en", entities: { EMAIL: "block" }, packs: ["all", "us"], allow: ["*@example.com"], threshold: 0.6 };
  const rules: RedactPolicy["rules"] = [{ name: "ORDER", pattern: "[A-Z]{2}\\d{6}", label: "order", context: ["order"], action: "label" }];
  const options: RedactOptions = { ...policy, rules, disable: ["x"], answers: "mask", restore: { urls: true }, hint: true, names: { bias: 10 }, key: new Uint8Array(32) };
  const redactor: Redactor = await createRedactor(options);
  await createRedactor();
  await createSlimRedactor({ wasm: fetch("/redact.wasm") });
  const { text, findings }: Redacted = redactor.redact("x");
  const found: Finding[] = redactor.find(text);
  const said: (string | number)[] = findings.map(({ replacement, start, end, score }) => replacement + start + end + score);
  const restored: string = redactor.restore(text, { json: true });
  const stream = redactor.stream();
  const read: ReadableStream<string> = new ReadableStream<string>().pipeThrough(stream).pipeThrough(redactor.restoreStream());
  const held: number = stream.held;
  const { changed, localOnly, counts } = redactor.maskBody({ messages: [] }, { format: "json" });
  void [found, said, restored, read, held, changed, localOnly, counts[0]?.count, redactor.counts().restored, RedactError];
  redactor.session.clear();
  redactor.close();
  const own = await createGate({ baseUrl: "/v1", redact: options });
  await createGate({ baseUrl: "/v1", redact: true });
  const back: string = own.restore(own.redact("x").text);
  const given: number | undefined = (await own.chat({ messages: [] })).redaction?.restored;
  void [back, given, own.redactor?.find("x")];
  // @ts-expect-error the slim entry needs the wasm
  await createSlimRedactor({});
  // @ts-expect-error no such action
  await createRedactor({ entities: { EMAIL: "hide" } });
  // @ts-expect-error no such format
  redactor.maskBody("x", { format: "xml" });
  // @ts-expect-error a gate may have no redactor
  own.redactor.find("x");
}
