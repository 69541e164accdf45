// Which tools the scripted model calls, and with what arguments.

import { createHash } from "node:crypto";
import { excerpt } from "./tokens.mjs";

const DEPTH = 4;

/** The tool calls that answer this request: none, one, or two in parallel. */
export function toolCallsFor(body, question, traits = {}) {
  const functions = (Array.isArray(body.tools) ? body.tools : []).map((tool) => tool?.function).filter((tool) => tool?.name);
  const choice = body.tool_choice;
  if (!functions.length || choice === "none") return [];
  const named = typeof choice === "object" && choice !== null ? choice.function?.name ?? choice.name : undefined;
  const last = body.messages?.at(-1);
  const wanted = named !== undefined || choice === "required" || (last?.role === "user" && /tool|工具/i.test(question));
  if (!wanted) return [];
  const parallel = named === undefined && body.parallel_tool_calls !== false;
  const called = named === undefined ? functions.slice(0, parallel ? 2 : 1) : functions.filter((tool) => tool.name === named);
  const text = traits.echo ? question : excerpt(question, 60);
  return called.map((tool, index) => ({
    id: `call_${index}${createHash("sha256").update(`${tool.name}\n${question}`).digest("hex").slice(0, 22)}`,
    type: "function",
    function: { name: tool.name, arguments: JSON.stringify(valueFor(tool.parameters ?? { type: "object" }, text)) },
  }));
}

/** A value that fits a JSON schema, with `text` wherever it leaves a string open. */
export function valueFor(schema, text, depth = 0) {
  if (!schema || typeof schema !== "object" || depth > DEPTH) return text;
  if ("const" in schema) return schema.const;
  if (Array.isArray(schema.enum) && schema.enum.length) return schema.enum[0];
  const choice = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(choice) && choice.length) return valueFor(choice[0], text, depth + 1);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type ?? (schema.properties ? "object" : "string")) {
    case "object":
      return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, valueFor(inner, text, depth + 1)]));
    case "array":
      return [valueFor(schema.items, text, depth + 1)];
    case "integer":
      return schema.minimum ?? 7;
    case "number":
      return schema.minimum ?? 4.2;
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return text;
  }
}
