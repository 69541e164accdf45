// What tests of recovery ask for: breaks at a chosen place, answers that can be continued (well or badly), tokens that expire, and
// bodies that have to be repaired. The rows have the form of those in misbehave.mjs, and are searched before them.

const FIELD = "[a-z][a-z0-9_]*";
const NUMBER = "\\d+(?:\\.\\d+)?";

const row = (key, suffix, pattern, read, en, zh, example, extra = {}) => ({ key, name: key + suffix, pattern, read, en, zh, example, ...extra });
const flag = () => true;
const number = (match) => Number(match[1]);
const field = (match) => match[1].toLowerCase();
const limit = (match) => ({ field: match[1].toLowerCase(), bound: Number(match[2]) });

const ENDS = {
  cut: ["Destroys the connection", "断开连接"],
  eof: ["Ends the body cleanly, without finish reason or [DONE],", "正常结束正文（无结束原因和 [DONE]）"],
  stall: ["Falls silent", "沉默"],
};
const PLACES = {
  reasoning: ["N tokens of reasoning, or at its end", "N 个推理词元后（或推理结束时）", 5, { base: "scripted-r1" }],
  text: ["N tokens of text", "N 个正文词元后", 12, {}],
  tool: ["N pieces of tool arguments", "N 段工具参数后", 3, { needs: ["tools"] }],
  bytes: ["N bytes of the body", "正文 N 个字节后", 1500, {}],
};

/** Where a stream can break, besides after N tokens of any kind: `{ key, end, place }`. */
export const BREAKS = Object.keys(ENDS).flatMap((end) => Object.keys(PLACES).map((place) => ({ key: `${end}-${place}`, end, place })));

const breakRows = BREAKS.map(({ key, end, place }) => {
  const [where, zhWhere, count, extra] = PLACES[place];
  return row(key, "-N", `${key}-(\\d+)`, number, `${ENDS[end][0]} after ${where}.`, `${zhWhere}${ENDS[end][1]}。`, `${key}-${count}`, { sees: end, ...extra });
});

const continued = (variant, en, zh) =>
  row(`continue-${variant}`, "", `continue-${variant}`, flag, en, zh, `continue-${variant}`, { sees: "continuation", demo: `cut-20-first-of-2+continue-${variant}` });

export const RECOVERY_ROWS = [
  ...breakRows,
  row("trickle", "-N-MS", "trickle-(\\d+)-(\\d+)", (m) => ({ after: Number(m[1]), ms: Number(m[2]) }),
    "After N tokens, one token every MS milliseconds.", "N 个词元后，每 MS 毫秒一个词元。", "trickle-10-1000", { sees: "slow" }),
  row("keepalive-first", "-MS", "keepalive-first-(\\d+)", number,
    "Sends keep-alive comments for MS milliseconds before the first token.", "首个词元前发送 MS 毫秒的保活注释。", "keepalive-first-3000", { sees: "slow" }),
  row("numbered", "-N", "numbered-(\\d+)", number,
    "Answers with N tokens, no two alike.", "回答 N 个互不相同的词元。", "numbered-60", { sees: "answer", demo: "numbered-60+cut-40-first-of-2" }),
  row("length", "-N", "length-(\\d+)", number,
    "Stops after N tokens with finish_reason length; the rest can be asked for.", "N 个词元后以 finish_reason length 停止，其余可续写。", "length-40", { sees: "length" }),
  row("rejects-prefill", "", "rejects-prefill", flag,
    "Refuses (400) a dialogue whose last message is an assistant's.", "拒绝（400）以 assistant 消息结尾的对话。", "rejects-prefill",
    { sees: "repair", demo: "cut-20-first-of-2+rejects-prefill", needs: ["a last assistant message"] }),
  row("echoes-prefill", "", "echoes-prefill", flag,
    "Repeats the last assistant message before it goes on.", "先重复末尾的 assistant 消息再续写。", "echoes-prefill",
    { sees: "continuation", demo: "cut-20-first-of-2+echoes-prefill", needs: ["a last assistant message"] }),
  continued("preface", "Asked to go on, first says \"Sure, continuing:\".", "被要求续写时，先说 “Sure, continuing:”。"),
  continued("restart", "Asked to go on, starts the whole answer over.", "被要求续写时，从头给出整个回答。"),
  continued("bare", "Asked to go on, does so without repeating the anchor.", "被要求续写时，不重复锚点直接续写。"),
  continued("unrelated", "Asked to go on, says something else.", "被要求续写时，答非所问。"),
  row("wants-token", "-TOKEN", "wants-token-([a-z0-9_.]+)", (m) => m[1],
    "Accepts the bearer token TOKEN only; 401 otherwise.", "只接受令牌 TOKEN，否则 401。", "wants-token-fresh", { sees: "auth" }),
  row("unsupported", "-FIELD", `unsupported-(${FIELD})`, field,
    "Refuses (400) a body that has the field FIELD.", "拒绝（400）带有字段 FIELD 的请求。", "unsupported-temperature", { sees: "repair", needs: ["temperature"] }),
  row("only-default", "-FIELD", `only-default-(${FIELD})`, field,
    "Refuses (400) any value of FIELD but its default, 1.", "拒绝（400）FIELD 的任何非默认值（默认 1）。", "only-default-temperature", { sees: "repair", needs: ["temperature"] }),
  row("at-most", "-FIELD-N", `at-most-(${FIELD})-(${NUMBER})`, limit,
    "Refuses (400) a FIELD over N.", "拒绝（400）大于 N 的 FIELD。", "at-most-temperature-0.5", { sees: "repair", needs: ["temperature"] }),
  row("at-least", "-FIELD-N", `at-least-(${FIELD})-(${NUMBER})`, limit,
    "Refuses (400) a FIELD under N.", "拒绝（400）小于 N 的 FIELD。", "at-least-max_tokens-256", { sees: "repair", needs: ["max_tokens"] }),
  row("context", "-N", "context-(\\d+)", number,
    "Refuses (400) when prompt and max_tokens exceed N tokens, with the numbers.", "提示与 max_tokens 之和超过 N 个词元时拒绝（400），并给出数字。", "context-2048",
    { sees: "repair", needs: ["max_tokens"] }),
  row("refuses-reasoning", "", "refuses-reasoning", flag,
    "Refuses (400) reasoning_content in the dialogue.", "拒绝（400）对话中的 reasoning_content。", "refuses-reasoning", { sees: "repair", needs: ["an earlier reasoning_content"] }),
  row("wants-reasoning", "", "wants-reasoning", flag,
    "Refuses (400) tool calls in the dialogue without their reasoning_content.", "拒绝（400）对话中缺少 reasoning_content 的工具调用。", "wants-reasoning",
    { sees: "repair", needs: ["earlier tool calls"] }),
];
