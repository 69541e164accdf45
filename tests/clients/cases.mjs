// What every client asks, and the models that it asks for: a gateway under test has to route these names.

export const MODELS = {
  chat: "scripted-chat",
  reasoning: "scripted-r1",
  utf8: "scripted-r1+split-utf8",
  endless: "scripted-chat+endless+rate-200",
  overflow: "scripted-chat+context-overflow",
  limited: "scripted-chat+status-429-retryms-10",
  onceLimited: "scripted-chat+status-429-retryms-10-once",
  errorInStream: "scripted-r1+error-in-stream-9",
  cut: "scripted-r1+cut-9",
  eof: "scripted-r1+eof-9",
};

/** Long enough that part of it counts as cached. */
const SYSTEM = "You are a careful assistant. ".repeat(14).trim();

export const CHAT = [
  { role: "system", content: SYSTEM },
  { role: "user", content: "Say hello to the gate, and to 门 too. 🙂" },
];

export const TOOL_CHAT = [{ role: "user", content: "Use each tool for “Zürich”, 北京 and 🙂." }];

export const TOOLS = [
  { name: "weather", description: "The weather of a place.", parameters: schema({ place: { type: "string" }, days: { type: "integer" } }) },
  { name: "clock", description: "The time of a place.", parameters: schema({ place: { type: "string" }, exact: { type: "boolean" } }) },
];

/** The tools as the wire has them. */
export const WIRE_TOOLS = TOOLS.map((tool) => ({ type: "function", function: tool }));

/** A word that no other request has, in letters only, so that nothing takes it for a number to hide. */
export function tagFor(name) {
  const letters = Array.from(`${process.pid}${Date.now()}`, (digit) => "abcdefghij"[digit]).join("");
  return `${name.replace(/[^a-z]/gi, "")}${letters}`;
}

function schema(properties) {
  return { type: "object", properties, required: Object.keys(properties), additionalProperties: false };
}
