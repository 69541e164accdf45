// Every misbehaviour as a page can show it: an id, a title in two languages, what a client sees, and the model's name that asks for it.

import { MISBEHAVIOURS, PRIVATE_FAULTS, RECOVERY_FAULTS, RECOVERY_SHOWN } from "./misbehave.mjs";

/** The header that asks for misbehaviours in the words of a model's name. SDKs can set only the name. */
export const FAULT_HEADER = "x-misbehaviour";

/** What a client sees that recovers nothing, in two languages. */
export const SEEN = {
  answer: { en: "A whole answer, as if nothing had happened.", zh: "完整的回答，一切如常。" },
  odd: { en: "A whole answer, in bytes that a strict reader may stumble over.", zh: "完整的回答，但字节形式可能让严格的解析器出错。" },
  status: { en: "An error status instead of an answer.", zh: "收到错误状态，而不是回答。" },
  protocol: { en: "Something that is not an answer of this API.", zh: "收到的内容不是该 API 的回答。" },
  network: { en: "A network error before any answer.", zh: "在任何回答之前出现网络错误。" },
  silent: { en: "Nothing, for as long as it waits.", zh: "一直等待，什么也收不到。" },
  slow: { en: "A whole answer, late or slowly.", zh: "完整的回答，但迟到或缓慢。" },
  cut: { en: "The beginning of an answer, then a network error.", zh: "回答的开头，然后是网络错误。" },
  eof: { en: "The beginning of an answer, which ends as if it were whole.", zh: "回答的开头，却像完整回答一样结束。" },
  stall: { en: "The beginning of an answer, and then no more of it.", zh: "回答的开头，之后再无内容。" },
  error: { en: "The beginning of an answer, then an error inside the stream.", zh: "回答的开头，然后流中出现错误。" },
  length: { en: "The beginning of an answer, marked as cut by its length.", zh: "回答的开头，标记为因长度而截断。" },
  gaveUp: { en: "A part of an answer, or none, and an unusual reason for its end.", zh: "部分回答或没有回答，以及异常的结束原因。" },
  continuation: { en: "After a break: a continuation that does not fit the seam.", zh: "中断之后：与接缝不吻合的续写。" },
  repair: { en: "Status 400 until the request is changed.", zh: "在请求被修改之前返回状态 400。" },
  auth: { en: "Status 401 until the right token comes.", zh: "在收到正确的令牌之前返回状态 401。" },
};

/** What a page can offer to join to a fault's `example`: when it happens. */
export const SCHEDULES = [
  { words: "", title: { en: "On every call", zh: "每次调用" } },
  { words: "-first-of-2", title: { en: "On each first try, not on the second", zh: "每次首次尝试，第二次正常" } },
  { words: "-first-of-3", title: { en: "On the first of every three calls", zh: "每三次调用中的第一次" } },
  { words: "-chance-50", title: { en: "On half of the calls, at random", zh: "随机的一半调用" } },
  { words: "-flap-5-5", title: { en: "For five seconds of every ten", zh: "每十秒中的五秒" } },
];

/** By name, what a client sees of each row of `MISBEHAVIOURS`; the other rows say it themselves. */
const SEES = {
  status: ["status-NNN", "context-overflow"],
  protocol: ["error-200", "html-524", "html-200", "redirect"],
  network: ["reset"],
  silent: ["keepalive-forever", "silence"],
  slow: ["slow-head-MS", "slow-first-MS", "slow-drip-MS", "rate-NNN", "endless", "keepalive"],
  cut: ["cut-N"],
  eof: ["eof-N", "done-no-finish", "null-finish"],
  stall: ["keepalive-stall-N", "stall-N"],
  error: ["error-in-stream-N", "error-event-N", "malformed-N"],
  gaveUp: ["empty-stop", "insufficient", "content-filter"],
  odd: ["no-done", "no-blank", "finish-X", "think-unclosed", "think-open", "think-tags", "reasoning-only", "big-event", "huge-event", "split-utf8", "bytes", "chunks-N", "crlf", "cr", "bom", "wrong-type", "headers-big"],
  answer: ["recording-NAME", "long-NNN", "echo"],
};
const SEEN_OF = Object.fromEntries(Object.entries(SEES).flatMap(([seen, names]) => names.map((name) => [name, seen])));

/**
 * The list: `{ id, title: { en, zh }, group, sees: { en, zh }, example, words, model, needs }`; `needs` names what a request has to
 * hold for the fault to show. */
export const FAULTS = [...MISBEHAVIOURS, ...RECOVERY_FAULTS, ...PRIVATE_FAULTS].map(({ name, example, en, zh }) => {
  const { sees, demo = example, base = "scripted", needs = [] } = RECOVERY_SHOWN[name] ?? { sees: SEEN_OF[name] };
  return { id: name, title: { en, zh }, group: sees, sees: SEEN[sees], example, words: demo, model: `${base}+${demo}`, needs };
});
