/** The page in English. The other dictionaries have this one's type, so a missing or left-over key does not compile. */
import type { RedactAction } from "sluicegate/redact";
import type { ErrorCode, Party } from "../errors.js";
import type { Entity } from "../privacy.js";

/** Texts that stand as they are. */
const text = {
  tagline: "Reasoning models, streamed through one small gate.",
  skip: "Skip to the question",
  newChat: "New chat",
  settings: "Settings",
  theme: "Theme",
  themeAuto: "Theme: as the system",
  themeLight: "Theme: light",
  themeDark: "Theme: dark",
  language: "中文",
  languageLabel: "切换到中文",
  scripted: "Answers are scripted, no model is behind them.",
  scriptedFaults: "Make it misbehave…",
  dismiss: "Dismiss",
  conversation: "Conversation",
  jump: "Jump to latest",
  question: "Your question",
  placeholder: "Ask anything…",
  send: "Send",
  stop: "Stop",
  hint: "Enter sends, Shift+Enter breaks the line, Esc stops",
  model: "Model",
  modelDefault: "The gate’s default",
  modelOther: "Other model…",
  modelOtherLabel: "Model name",
  modelsFailed: "No model list",
  groupOther: "Other",
  preset: "Preset",
  presetNone: "No preset",
  presetCreative: "Creative",
  presetReasoning: "Reasoning",
  presetRealtime: "Real time",
  emptyTitle: "What shall we think about?",
  emptyText: "Ask, and watch the model think before it answers: first token, speed and usage in view, every failure named.",
  you: "You",
  answer: "Answer",
  waiting: "Waiting for the first token",
  stopped: "Stopped",
  noAnswer: "The model thought, but gave no answer.",
  copy: "Copy",
  copied: "Copied",
  copyFailed: "Could not copy",
  copyAnswer: "Copy the answer",
  copyQuestion: "Copy the question",
  copyReasoning: "Copy the reasoning",
  copyCode: "Copy the code",
  regenerate: "Regenerate",
  edit: "Edit",
  editLabel: "Edit the question",
  cancel: "Cancel",
  previous: "Previous version",
  next: "Next version",
  retry: "Retry",
  openSettings: "Open settings",
  statsLabel: "Figures of this answer",
  ttft: "First token",
  speed: "Speed",
  duration: "Time",
  tokensIn: "In",
  tokensOut: "Out",
  tokensReasoning: "Thinking",
  tokensCached: "Cached",
  ended: "End",
  speedChart: "Tokens per second during the answer",
  requestId: "Request",
  vendorSays: "The provider’s words:",
  temperature: "Temperature",
  maxTokens: "Longest answer, in tokens",
  systemPrompt: "System prompt",
  systemPromptHint: "DeepSeek-R1 does best without one.",
  reasoningPanel: "Reasoning",
  reasoningAuto: "Open while thinking, then closed",
  reasoningOpen: "Always open",
  reasoningClosed: "Always closed",
  gatePath: "Path of the gate",
  gatePathHint: "A path on this site, such as /v1: the page’s security policy lets it reach no other host.",
  apiKey: "API key",
  apiKeyHint: "Kept in this tab’s memory only, gone on reload. Never enter a vendor’s key on a page that you do not run.",
  asPreset: "As the preset or the model has it",
  close: "Close",
  done: "Done",
  answerStarted: "The answer has begun.",
  answerGoesOn: "Still answering.",
  stillThinking: "Still thinking.",
  answerDone: "The answer is complete.",
  answerStopped: "The answer was stopped.",
  endLength: "The answer reached its length limit and is unfinished.",
  endFiltered: "The provider’s filter ended this answer.",
  goOn: "Continue",
  goOnWords: "Continue exactly where your answer stopped, without repeating any of it.",
  goesOnAsked: "You asked for the rest here.",
  goesOnCut: "The answer broke off here, and was gone on with.",
  traceTable: "As a table",
  traceLabel: "What this call went through",
  traceHere: "this page → gate",
  traceGate: "at the gate",
  columnPlace: "Where",
  columnModel: "Model",
  columnStart: "Start",
  columnFirst: "First token",
  columnEnd: "End",
  columnResult: "Result",
  columnThen: "And",
  keyConnect: "connecting",
  keyFirst: "waiting for the first token",
  keyStream: "streaming",
  keyPause: "pause",
  keyFailed: "failed",
  keySkipped: "passed over",
  keyContinued: "went on",
  keyRepaired: "request changed",
  keyRefreshed: "credential renewed",
  keyDraining: "read on for its usage",
  hedge: "second request",
  dropped: "given up for the faster one",
  noToken: "none",
  statusContinued: "The answer broke off and goes on",
  statusRestarted: "The answer begins anew",
  statusHedged: "A second request was faster",
  statusChanged: "The request was changed for this model",
  statusAgain: "Asked again",
  faults: "Make it misbehave",
  faultsIntro: "The scripted upstream breaks in any of these ways on purpose. Choose one, and see what the gate makes of it.",
  faultsFailed: "The list did not come.",
  faultOff: "Switch the fault off",
  faultOn: "Fault",
  faultSearch: "Search: cut, 429, silence…",
  faultWhen: "When",
  faultTry: "Try it now",
  faultUse: "For the next questions",
  faultNone: "Nothing is called that.",
  faultWords: "asks for",
  faultQuestion: "Explain in a few sentences how a sluice gate works.",
  without: "Without recovery",
  here: "Here",
  groupAnswer: "Nothing goes wrong",
  groupOdd: "Odd bytes",
  groupStatus: "Error status",
  groupProtocol: "Not the protocol",
  groupNetwork: "No connection",
  groupSilent: "Silence",
  groupSlow: "Slowness",
  groupCut: "Cut off",
  groupEof: "Ends too early",
  groupStall: "Stalls",
  groupError: "Error in the stream",
  groupLength: "Length limit",
  groupGaveUp: "Gives up",
  groupContinuation: "Bad continuations",
  groupRepair: "Refuses the request",
  groupAuth: "Wants another token",
  local: "Model on this device",
  localHint: "The browser’s own model answers when nothing else can. It is slower and smaller, and nothing leaves the device.",
  localReady: "Ready",
  localDownloadable: "Can be downloaded",
  localDownloading: "Is being downloaded",
  localUnavailable: "Not available in this browser",
  localPrepare: "Prepare it",
  localCancel: "Cancel",
  localFailed: "It could not be prepared.",
  hidingOn: "Private data is hidden before it leaves this device.",
  hidingOff: "Private data is sent as it is.",
  hidingFailed: "What hides private data did not load; nothing is sent without it.",
  hidingList: "What will be hidden",
  nothingToHide: "Nothing will be hidden.",
  keepAsIs: "keep as is",
  keptAsIs: "sent as it is",
  hideAgain: "hide again",
  upstreamGot: "What the upstream received",
  upstreamWrote: "What the upstream wrote",
  hiddenNone: "Nothing hidden",
  privacyHere: "Privacy in this conversation",
  privacyWhere: "What stands for what is kept in this tab only, and is gone with it. Nobody else can give the values back.",
  privacy: "Privacy",
  redactOn: "Hide private data",
  redactOnHint: "In this page, before anything leaves the device.",
  redactMode: "Hidden values",
  modeReversible: "Come back in the answer",
  modeIrreversible: "Hidden for good",
  redactNames: "Look for names, too",
  redactNamesHint: "People, places and organisations. Fetched once, 1 MB, when it is switched on.",
  namesLoading: "Is being fetched…",
  namesFailed: "It did not load, and is off.",
  restoreCode: "Give values back in code",
  restoreUrls: "Give values back in addresses",
  restoreHint: "Off by itself: what a prompt made the model write there may be run, or sent away.",
  redactKinds: "What happens to which kind",
  columnKind: "Kind",
  columnAction: "What happens",
  tryPrivate: "Try it with private data",
  tryPrivateHint: "Fills in a phone number, an e-mail address, an ID card and a key. They look real and are nobody’s.",
} as const;

/** The shape that every language fills. */
export interface Dictionary {
  text: Record<keyof typeof text, string>;
  thinking(seconds: string): string;
  thought(seconds: string): string;
  seconds(value: string): string;
  tokens(count: number, value: string): string;
  perSecond(value: string): string;
  pager(index: string, count: string): string;
  fault: Record<Party, string>;
  unknownFault: string;
  tryAgainIn(seconds: string): string;
  tryAgainNow: string;
  /** The status line: what is done about a failure, shortest first. */
  againIn(seconds: string): string;
  answersInstead(model: string): string;
  /** Below an answer that went through nothing: one line. */
  quietTrace(first: string | undefined, total: string): string;
  /** Above the chart. */
  traceSummary(attempts: number, count: string, paused: string | undefined, who: string | undefined): string;
  /** What a mark in the chart, or a row's end, says. */
  milliseconds(value: string): string;
  whole(attempts: number, count: string): string;
  partial: string;
  /** Why a route was passed over, and how an answer was gone on with. */
  skips: Record<string, string>;
  ways: Record<string, string>;
  /** How the words of two attempts were joined. */
  joins: Record<string, string>;
  needs: Record<string, string>;
  lacks(what: string): string;
  regenerateFailed: string;
  blockedImage(host: string): string;
  outcomes: Record<string, string>;
  /** What happened, and what to do next. */
  errors: Record<ErrorCode, readonly [what: string, next: string]>;
  unknownError: readonly [what: string, next: string];
  examples: readonly string[];
  /** Kinds of private data. */
  nameOf(type: string): string;
  /** What labels and tokens call a kind. */
  labelOf(type: string): string;
  willHide(count: number, value: string): string;
  hiddenHere(count: number, value: string): string;
  givenCount(count: number, value: string): string;
  more(value: string): string;
  list(items: readonly string[]): string;
  because(what: string, rule: string, certainty: string, happens: string): string;
  certainty: readonly [string, string, string];
  /** What happens to it, as a choice, and as a sentence. */
  actions: Record<RedactAction, string>;
  happens: Record<RedactAction, string>;
  /** What will stand there. */
  becomes: Record<RedactAction, (label: string) => string>;
  givenBack(label: string): string;
  wentOutAs(what: string, token: string): string;
  namesReady(megabytes: string): string;
  /** Looks real, and is nobody's. */
  privateSample: string;
}

/** What the page calls each kind, and what its tokens do. */
const ENTITY_NAMES: Record<Entity, readonly [name: string, label: string]> = {
  PHONE_CN: ["phone", "PHONE"], TEL_CN: ["landline", "LANDLINE"], PHONE_INTL: ["phone abroad", "PHONE_INTL"], ID_CN: ["ID card", "ID_CARD"],
  ID_CN15: ["old ID card", "OLD_ID_CARD"], BANKCARD: ["bank card", "BANK_CARD"], EMAIL: ["e-mail", "EMAIL"], IP: ["IP address", "IP"],
  MAC: ["hardware address", "MAC"], IMEI: ["device number", "IMEI"], IMSI: ["SIM card", "IMSI"], USCC: ["company code", "USCC"],
  PASSPORT_CN: ["passport", "PASSPORT"], EEP: ["Hong Kong and Macau permit", "EEP"], HRP: ["home return permit", "HRP"], MTP: ["Taiwan resident permit", "MTP"],
  HKID: ["Hong Kong ID", "HKID"], MOID: ["Macau ID", "MOID"], TWID: ["Taiwan ID", "TWID"], PLATE: ["number plate", "PLATE"], WECHAT: ["WeChat id", "WECHAT"],
  QQ: ["QQ number", "QQ"], SOCIAL: ["social insurance number", "SOCIAL_NO"], IBAN: ["bank account", "IBAN"], SECRET: ["secret key", "SECRET"],
  PERSON: ["person", "PERSON"], ADDRESS: ["address", "ADDRESS"], DOB: ["date of birth", "BIRTH_DATE"], ORG: ["organisation", "ORG"],
};

const entity = (type: string): readonly [string, string] => ENTITY_NAMES[type as Entity] ?? [type, type];
const count = (value: number, one: string, other: string): string => (new Intl.PluralRules("en").select(value) === "one" ? one : other);

export const en: Dictionary = {
  text,
  thinking: (seconds) => `Thinking ${seconds} s`,
  thought: (seconds) => `Thought for ${seconds} s`,
  seconds: (value) => `${value} s`,
  tokens: (count, value) => (new Intl.PluralRules("en").select(count) === "one" ? `${value} token` : `${value} tokens`),
  perSecond: (value) => `${value} tokens/s`,
  pager: (index, count) => `${index}/${count}`,
  fault: {
    caller: "This request",
    operator: "The gate’s operator",
    upstream: "The model’s provider",
    network: "The network",
    gate: "A bug in the gate",
  },
  unknownFault: "Unknown",
  tryAgainIn: (seconds) => `Worth trying again in ${seconds} s.`,
  tryAgainNow: "Worth trying again now.",
  againIn: (seconds) => `Again in ${seconds} s`,
  answersInstead: (model) => `${model} answers instead`,
  quietTrace: (first, total) => (first ? `One attempt: first token after ${first}, ${total} in all.` : `One attempt: ${total} in all.`),
  traceSummary: (attempts, count, paused, who) =>
    [`${count} ${attempts === 1 ? "attempt" : "attempts"}`, paused && `${paused} of waiting`, who && `answered by ${who}`].filter(Boolean).join(" · "),
  milliseconds: (value) => `${value} ms`,
  whole: (attempts, count) => (attempts === 1 ? "A whole answer at the first attempt." : `A whole answer after ${count} attempts.`),
  partial: "What arrived is kept; the rest can be asked for.",
  skips: {
    circuit_open: "its breaker is open", rate_limited: "it asked for time", vision: "it takes no images", tools: "it takes no tools", context: "its context is too short",
  },
  ways: {
    prefix: "behind the words that were there (prefix)", prefill: "behind the words that were there (prefill)",
    anchor: "asked for the rest, joined where the words repeat (anchor)", restart: "begun anew",
  },
  joins: {
    "by prefix": "The upstream went on behind the last word.", "joined where the words repeat": "Joined where the words repeat.",
    "joined without an overlap: the seam may show": "Joined without an overlap: the seam may show.",
  },
  needs: {
    tools: "tools", "an earlier reasoning_content": "earlier reasoning sent back", "earlier tool calls": "earlier calls of tools",
  },
  lacks: (what) => `Shows only for a request with ${what}, which this page does not send.`,
  regenerateFailed: "The new answer failed, so the earlier one is shown.",
  blockedImage: (host) => `blocked image: ${host}`,
  outcomes: {
    complete: "complete", length: "length limit", tool_calls: "tool calls", filtered: "filtered", truncated: "cut off",
    overloaded: "overloaded", empty: "empty", aborted: "stopped", timed_out: "timed out", over_budget: "over budget", failed: "failed",
  },
  errors: {
    invalid_request: ["A field of the request is missing or wrong.", "Correct it in the settings and send again."],
    payload_too_large: ["The request is larger than the gate takes.", "Send less text, or start a new chat."],
    headers_too_large: ["The request’s headers are larger than the gate takes.", "Clear this site’s cookies and try again."],
    unsupported_media_type: ["The gate does not take this kind of body.", "Check that the gate’s path in the settings is right."],
    not_found: ["There is no such address on the gate.", "Check the gate’s path in the settings."],
    method_not_allowed: ["The address exists, but not for this kind of request.", "Check the gate’s path in the settings."],
    model_not_found: ["Nobody here serves this model.", "Choose another model from the list."],
    context_overflow: ["The conversation is longer than the model can read.", "Start a new chat, or lower the longest answer."],
    reasoning_replay: ["The model disagrees about getting its earlier reasoning back.", "Start a new chat; the operator can set the replay policy."],
    unauthorized: ["The gate does not accept your key, or wants one.", "Enter a valid API key in the settings."],
    forbidden: ["Your key may not do this.", "Ask the gate’s operator for access."],
    authentication: ["The provider refused the gate’s own key.", "The operator has to correct the key; try another model meanwhile."],
    quota_exceeded: ["The account with the provider has no balance for this model.", "The operator has to top it up; try another model meanwhile."],
    misconfigured: ["The gate’s configuration is wrong.", "The operator has to correct it."],
    not_supported: ["The provider does not have this function.", "Choose another model."],
    rate_limit_exceeded: ["Your limit for this minute or day is reached.", "Wait for the time given, then retry."],
    concurrency_limit_exceeded: ["Too many of your answers are running at the same moment.", "Wait until one has ended, then retry."],
    insufficient_quota: ["Your budget is used up.", "Wait until it resets, or ask the operator for more."],
    request_exceeds_limit: ["This request alone is larger than your limit.", "Shorten the conversation or ask for a shorter answer."],
    limits_unavailable: ["The gate could not look up your limits.", "Retry shortly."],
    rate_limited: ["Too many requests in a short time.", "Wait for the time given, then retry."],
    concurrency_limited: ["Too many requests at the same moment.", "Wait a moment, then retry."],
    overloaded: ["The provider is too busy.", "Retry shortly, or choose another model."],
    private_data: ["The text holds private data that the policy does not let out.", "Take out what is named, or change the redaction policy."],
    local_only: ["This text may be read by a model on this device only, and none is ready.", "Prepare a local model, or take out what is named."],
    redaction_failed: ["Private data could not be hidden, so nothing was sent.", "Report it with the request id."],
    stream_gone: ["The stream is not kept any more.", "Ask again."],
    socket_busy: ["Too many requests wait on one connection.", "Wait for an answer to end."],
    circuit_open: ["The provider has failed so often that it is left alone for now.", "Wait for the time given, or choose another model."],
    upstream_error: ["The provider failed.", "Retry; if it lasts, report the request id."],
    protocol: ["The provider answered with something that is not the protocol.", "Retry; if it lasts, the operator has to check the address."],
    event_too_large: ["One piece of the answer was larger than the gate takes.", "Ask for a shorter answer."],
    reply_too_large: ["The answer was larger than the gate takes.", "Lower the longest answer in the settings."],
    truncated: ["The answer was cut off before the model was done.", "What arrived is kept; retry for a whole answer."],
    empty: ["The model stopped without a word.", "Retry; rephrase the question if it repeats."],
    network: ["The gate could not be reached.", "Check your connection and the gate’s path in the settings, then retry."],
    timeout_connect: ["The provider did not pick up in time.", "Retry, or choose another model."],
    timeout_first_token: ["The model did not begin its answer in time.", "Retry, or choose another model."],
    timeout_idle: ["The answer stalled: nothing arrived any more.", "What arrived is kept; retry for a whole answer."],
    timeout_content_idle: ["The answer stalled: the line was open, but no text came.", "What arrived is kept; retry for a whole answer."],
    timeout_rate: ["The answer came too slowly to be worth waiting for.", "What arrived is kept; retry, or choose another model."],
    timeout_total: ["The answer took longer than allowed.", "Ask for less, or for a shorter answer."],
    cancelled: ["The request was cancelled.", "Nothing needs to be done."],
    internal: ["Something went wrong in the gate itself.", "Report it with the request id."],
  },
  unknownError: ["The request failed in a way that this page does not know.", "Retry; if it lasts, report the code."],
  examples: [
    "Explain how TLS keeps a secret between two strangers, with a small table.",
    "A bat and a ball cost $1.10; the bat costs $1 more than the ball. How much is the ball?",
    "Write a debounce function in TypeScript and show how to test it.",
    "Derive the quadratic formula step by step.",
  ],
  nameOf: (type) => entity(type)[0],
  labelOf: (type) => entity(type)[1],
  willHide: (items, value) => count(items, `${value} item will be hidden:`, `${value} items will be hidden:`),
  hiddenHere: (items, value) => (items === 0 ? "Nothing hidden" : `${value} hidden`),
  givenCount: (_, value) => `${value} given back`,
  more: (value) => `and ${value} more`,
  list: (items) => new Intl.ListFormat("en", { type: "unit", style: "short" }).format(items),
  because: (what, rule, certainty, happens) => `${what[0]?.toUpperCase() ?? ""}${what.slice(1)}: ${certainty}, by the rule ${rule}. ${happens}`,
  certainty: ["possibly one", "probably one", "surely one"],
  actions: {
    token: "comes back", label: "label", mask: "partly shown", hash: "hash", drop: "left out", block: "do not send", local_only: "this device only", keep: "send as it is",
  },
  happens: {
    token: "The upstream gets a token; the answer has the value again.",
    label: "The upstream gets a label in its place, for good.",
    mask: "The upstream gets a few of its characters.",
    hash: "The upstream gets a hash that nobody can undo.",
    drop: "It is left out.",
    block: "A text that holds it is not sent.",
    local_only: "Only a model on this device may read it.",
    keep: "It is sent as it is.",
  },
  becomes: {
    token: (label) => `⟦${label}⟧`, label: (label) => `***${label}***`, mask: () => "1•••8", hash: () => "#", drop: () => "∅",
    block: () => "not sent", local_only: () => "this device", keep: () => "=",
  },
  givenBack: (label) => `Given back on this device: ${label}`,
  wentOutAs: (what, token) => `Hidden (${what}): the upstream received ${token === "" ? "nothing" : token}`,
  namesReady: (megabytes) => `Ready, ${megabytes} MB.`,
  privateSample:
    "Write a short note to our customer: call 138 0013 8000 or write to zhang.wei@mail-box.cn, ID card 11010519491231002X. Use api_key=sk-Fa4eK3yN0tRea1Abc9Xy7Qw5Zt2 on the staging server.",
};
