import type { Delta } from "./types.js";
import type { Bindings } from "./wasm.js";

/** Numbers per record, as `src/js/src/batch.rs` writes them. */
const RECORD = 6;
/** Up to here a loop beats TextDecoder, whose call alone costs as much as about 60 characters. */
const SHORT = 64;

// A text that starts with U+FEFF keeps it.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
let numbers = new Uint32Array(0);
let bytes = new Uint8Array(0);

/** Reads the batch behind `header` out of the core's memory, without a call into it. */
export function readBatch({ memory, noticeCodes }: Bindings, header: number): Delta[] {
  if (numbers.buffer !== memory.buffer) {
    numbers = new Uint32Array(memory.buffer);
    bytes = new Uint8Array(memory.buffer);
  }
  const h = header >>> 2;
  let at = numbers[h]! >>> 2;
  const count = numbers[h + 1]!;
  const start = numbers[h + 2]!;
  const length = numbers[h + 3]!;
  const text = length <= SHORT && numbers[h + 4] === 1 ? ascii(start, length) : decoder.decode(bytes.subarray(start, start + length));
  const deltas: Delta[] = new Array(count);
  let from = 0;
  for (let i = 0; i < count; i++, at += RECORD) {
    const choice = numbers[at + 1]!;
    const index = numbers[at + 2]!;
    const afterId = from + numbers[at + 3]!;
    const afterName = afterId + numbers[at + 4]!;
    const end = afterName + numbers[at + 5]!;
    const piece = text.slice(afterName, end);
    switch (numbers[at]) {
      case 0:
        deltas[i] = { type: "text", text: piece, choice };
        break;
      case 1:
        deltas[i] = { type: "reasoning", text: piece, choice };
        break;
      case 2:
        deltas[i] = { type: "refusal", text: piece, choice };
        break;
      case 3:
        deltas[i] = { type: "tool_call", choice, index, arguments: piece };
        if (afterId > from) (deltas[i] as { id?: string }).id = text.slice(from, afterId);
        if (afterName > afterId) (deltas[i] as { name?: string }).name = text.slice(afterId, afterName);
        break;
      default:
        deltas[i] = { type: "notice", code: noticeCodes[index]!, detail: piece };
    }
    from = end;
  }
  return deltas;
}

function ascii(start: number, length: number): string {
  let text = "";
  for (let i = start; i < start + length; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}
