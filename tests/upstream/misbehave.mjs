// What a model's name asks for. `deepseek-reasoner+cut-5-once+crlf` is a reasoning model whose stream is cut after five
// tokens, the first time only, with CRLF line ends. The table is data: the demo page and README show it. Its rows end one call
// in one way, which three suites check; what only shows over several calls, or needs a certain body, is in recovery.mjs.

import { PRIVATE_ROWS } from "./private.mjs";
import { RECOVERY_ROWS } from "./recovery.mjs";
import { readWhen, WHEN } from "./schedule.mjs";

const entry = (name, pattern, read, en, zh, example = name) => ({ name, pattern, read, en, zh, example });
const flag = () => true;
const number = (match) => Number(match[1]);
const ms = number;

/** Every misbehaviour, in the order in which names are searched: longer names before those that they contain. */
const TABLE = [
  entry("status-NNN", "status-(\\d{3})(?:-retry-(\\d+(?:\\.\\d+)?)|-retryms-(\\d+)|-(date))?", (m) => ({
    code: Number(m[1]),
    retryAfter: m[2],
    retryAfterMs: m[3],
    date: m[4] !== undefined,
  }), "Answers with HTTP status NNN in the vendor's own words.", "以厂商原文返回 HTTP 状态 NNN。", "status-429"),
  entry("recording-NAME", "recording-((?:stream-)?(?:short|usage|length|chinese)|unary|error-400)", (m) => m[1],
    "Replays a recorded answer of llama.cpp, byte for byte.", "逐字节重放 llama.cpp 的录制回答。", "recording-chinese"),
  entry("keepalive-stall-N", "keepalive-stall-(\\d+)", number,
    "After N tokens sends keep-alive comments for ever.", "N 个词元后只发送保活注释，永不结束。", "keepalive-stall-5"),
  entry("keepalive-forever", "keepalive-forever", flag,
    "Sends keep-alive comments from the beginning and never a token.", "从一开始只发送保活注释，从不给出词元。"),
  entry("error-in-stream-N", "error-in-stream-(\\d+)", number,
    "Sends an error inside the stream after N tokens.", "N 个词元后在流中返回错误。", "error-in-stream-5"),
  entry("error-event-N", "error-event-(\\d+)", number,
    "As error-in-stream-N, as an event of type `error`.", "同 error-in-stream-N，但使用 error 类型的事件。", "error-event-5"),
  entry("error-200", "error-200", flag,
    "Answers a stream request with HTTP 200 and a JSON error.", "对流式请求返回 HTTP 200 和 JSON 错误。"),
  entry("html-524", "html-524", flag, "Answers with a gateway's HTML page and status 524.", "返回网关的 HTML 页面，状态 524。"),
  entry("html-200", "html-200", flag, "Answers with an HTML page and status 200.", "返回 HTML 页面，状态 200。"),
  entry("context-overflow", "context-overflow", flag,
    "Refuses the prompt as too long, in the vendor's words.", "以厂商原文拒绝过长的提示。"),
  entry("redirect", "redirect", flag, "Redirects (302) to itself.", "重定向（302）到自身。"),
  entry("reset", "reset", flag, "Destroys the connection before any answer.", "在任何回答之前断开连接。"),
  entry("silence", "silence", flag, "Accepts the request and never answers.", "接受请求，但从不回答。"),
  entry("slow-head-MS", "slow-head-(\\d+)", ms, "Waits MS milliseconds before the response head.", "响应头前等待 MS 毫秒。", "slow-head-1500"),
  entry("slow-first-MS", "slow-first-(\\d+)", ms,
    "Sends the head at once, the first token after MS milliseconds.", "立即发送响应头，MS 毫秒后才给出首个词元。", "slow-first-3000"),
  entry("slow-drip-MS", "slow-drip-(\\d+)", ms, "Waits MS milliseconds between tokens.", "词元之间等待 MS 毫秒。", "slow-drip-500"),
  entry("rate-NNN", "rate-(\\d+)", number, "Streams NNN tokens a second.", "每秒输出 NNN 个词元。", "rate-50"),
  entry("long-NNN", "long-(\\d+)", number, "Answers with NNN tokens.", "回答 NNN 个词元。", "long-2000"),
  entry("endless", "endless", flag,
    "Streams until the client leaves, 100,000 tokens at most.", "持续输出直到客户端离开，最多 100,000 个词元。"),
  entry("cut-N", "cut-(\\d+)", number, "Destroys the connection after N tokens.", "N 个词元后断开连接。", "cut-12"),
  entry("eof-N", "eof-(\\d+)", number,
    "Ends the body cleanly after N tokens, without finish reason or [DONE].", "N 个词元后正常结束正文，无结束原因和 [DONE]。", "eof-12"),
  entry("stall-N", "stall-(\\d+)", number, "Falls silent after N tokens.", "N 个词元后沉默。", "stall-12"),
  entry("malformed-N", "malformed-(\\d+)", number, "Sends broken JSON after N tokens.", "N 个词元后发送损坏的 JSON。", "malformed-5"),
  entry("done-no-finish", "done-no-finish", flag, "Sends [DONE] without a finish reason.", "发送 [DONE]，但没有结束原因。"),
  entry("no-done", "no-done", flag, "Gives a finish reason, but no [DONE].", "给出结束原因，但没有 [DONE]。"),
  entry("no-blank", "no-blank", flag, "Leaves out the blank line after the last event.", "最后一个事件后缺少空行。"),
  entry("null-finish", "null-finish", flag,
    "Ends with [DONE] and a last chunk whose finish_reason is null.", "末块的 finish_reason 为 null，然后是 [DONE]。"),
  entry("empty-stop", "empty-stop", flag, "Stops without a word.", "一言不发就停止。"),
  entry("insufficient", "insufficient(?:-(\\d+))?", (m) => Number(m[1] ?? 10),
    "Gives up after some tokens: insufficient_system_resource.", "若干词元后因系统资源不足而放弃。"),
  entry("content-filter", "content-filter(?:-(\\d+))?", (m) => Number(m[1] ?? 8),
    "Is stopped by a content filter after some tokens.", "若干词元后被内容过滤器中止。"),
  entry("finish-X", "finish-([a-z0-9_]+)", (m) => m[1], "Ends with finish_reason X.", "以 finish_reason X 结束。", "finish-eos"),
  entry("think-unclosed", "think-unclosed", flag,
    "Reasons inline after <think> and never closes the tag.", "在 <think> 后内联推理，从不闭合标签。"),
  entry("think-open", "think-open", flag,
    "Starts inside the reasoning: a closing </think>, no opening tag.", "从推理内部开始：只有 </think>，没有开始标签。"),
  entry("think-tags", "think-tags", flag,
    "Reasons inline in <think>…</think>, the tags split over deltas.", "在 <think>…</think> 中内联推理，标签被拆分到多个增量。"),
  entry("reasoning-only", "reasoning-only", flag,
    "Puts the whole answer into reasoning_content.", "把整个回答放进 reasoning_content。"),
  entry("big-event", "big-event", flag, "Sends 1 MB of text in one event.", "在一个事件中发送 1 MB 文本。"),
  entry("huge-event", "huge-event", flag, "Sends 10 MB of text in one event.", "在一个事件中发送 10 MB 文本。"),
  entry("split-utf8", "split-utf8", flag,
    "Cuts its writes inside multi-byte characters.", "在多字节字符内部切分写入。"),
  entry("bytes", "bytes", flag, "Writes one byte at a time.", "每次写入一个字节。"),
  entry("chunks-N", "chunks-(\\d+)", (m) => Math.max(1, Number(m[1])), "Writes N bytes at a time.", "每次写入 N 个字节。", "chunks-7"),
  entry("crlf", "crlf", flag, "Ends lines with CR LF.", "以 CR LF 结束行。"),
  entry("cr", "cr", flag, "Ends lines with CR.", "以 CR 结束行。"),
  entry("bom", "bom", flag, "Starts the stream with a byte order mark.", "以字节顺序标记开始流。"),
  entry("wrong-type", "wrong-type", flag, "Streams as text/plain.", "以 text/plain 类型输出流。"),
  entry("headers-big", "headers-big(?:-(\\d+))?", (m) => Math.min(64, Number(m[1] ?? 8)),
    "Adds 8 KB of response headers.", "附加 8 KB 响应头。"),
  entry("echo", "echo", flag, "Answers with exactly the last user message.", "原样返回最后一条用户消息。"),
  entry("keepalive", "keepalive", flag,
    "Sends keep-alive comments (blank lines before a JSON answer) before the first token.", "首个词元前发送保活注释（JSON 回答前为空行）。"),
];

const COMPILED = [...PRIVATE_ROWS.toReversed(), ...RECOVERY_ROWS, ...TABLE].map((row) => ({
  ...row,
  key: row.key ?? row.name.replace(/-(?:N+|MS|X|NAME)$/, ""),
  regex: new RegExp(`(?<![a-z0-9])${row.pattern}(?<when>${WHEN})(?![a-z0-9])`, "i"),
}));

/** The list to show: `{ name, example, en, zh }`. Any of them takes a schedule: `-once`, `-times-K`, … (schedule.mjs). */
export const MISBEHAVIOURS = TABLE.map(shown);

/** The same for what tests of recovery need. A call without recovery ends in more than one way by these, or by none. */
export const RECOVERY_FAULTS = RECOVERY_ROWS.map(shown);

/** The same for what tests of redaction need. */
export const PRIVATE_FAULTS = PRIVATE_ROWS.map(shown);

/** How a page shows those: `{ sees, demo, base, needs }` by name. */
export const RECOVERY_SHOWN = Object.fromEntries([...RECOVERY_ROWS, ...PRIVATE_ROWS].map(({ name, sees, demo, base, needs }) => [name, { sees, demo, base, needs }]));

function shown({ name, example, en, zh }) {
  return { name, example, en, zh };
}

/**
 * Reads a model's name into `{ key: value }`, keys as in the table without their parameters (`cut`, `slow-first`).
 * `countdown(key, times, when)` says whether a misbehaviour with a schedule applies to this call; by default it does. `times` is
 * the limit of `-once` and `-times-K`, else infinite.
 */
export function traitsOf(model, countdown = () => true) {
  const traits = {};
  let rest = String(model);
  for (const row of COMPILED) {
    const match = row.regex.exec(rest);
    if (!match) continue;
    rest = `${rest.slice(0, match.index)}+${rest.slice(match.index + match[0].length)}`;
    const when = readWhen(match.groups.when);
    const always = Object.keys(when).length === 0;
    if (always || countdown(row.key, when.times ?? Infinity, when)) traits[row.key] = row.read(match);
  }
  return traits;
}

/** Whether a model of this name thinks before it answers: what vendors call reasoning models. */
export function isReasoningModel(model) {
  return /r1|reasoner|v4|flash/i.test(model);
}

/** R1 and its kin refuse `reasoning_content` in a request. */
export function refusesReasoning(model) {
  return /r1|reasoner/i.test(model);
}

/** V4 wants `reasoning_content` back after a turn with tool calls. */
export function wantsReasoning(model) {
  return /v4|flash/i.test(model) && !refusesReasoning(model);
}
