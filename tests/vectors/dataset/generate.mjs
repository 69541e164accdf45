// Uploads as Node's FormData writes them: `node generate.mjs > node.json` (Node 20, whose boundaries are random).

import { createHash } from "node:crypto";

const LINES = '{"prompt": "你好", "response": "您好"}\n{"prompt": "", "response": "\\u0041"}';
const PAIRS = '\n \n{"prompt": "p", "chosen": "c", "rejected": "r"}\r\n\r\n{"prompt": "p", "chosen": "d", "rejected": "s"}\n\n';

const escaped = (name) => name.replaceAll('"', "%22").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

async function made(name, shape, content, filename, purpose, type) {
  const form = new FormData();
  const parts = [];
  form.append("file", new Blob([content], { type }), ...(filename ? [filename] : []));
  parts.push({ name: "file", filename: escaped(filename ?? "blob"), content });
  if (purpose) {
    form.append("purpose", purpose);
    parts.push({ name: "purpose", filename: null, content: purpose });
  }
  const response = new Response(form);
  const stored = content.split(/(?<=\n)/).filter((line) => line.trim()).join("");
  const sha256 = createHash("sha256").update(stored).digest("hex");
  const summary = { bytes: Buffer.byteLength(stored), lines: stored.trimEnd().split("\n").length, sha256, shape };
  return { name, client: "node", content_type: response.headers.get("content-type"), body: await response.text(), parts, summary };
}

const cases = [
  await made("a file of two lines", "response", LINES, "dataset.jsonl"),
  await made("blank lines around lines, and a purpose behind the file", "preference", PAIRS, "偏好.jsonl", "fine-tune"),
  await made("a blob without a name", "response", LINES),
  await made("a name that would break the head", "response", LINES, 'a"\r\nContent-Type: text/html\r\n\r\nb.jsonl', undefined, "application/jsonl"),
];
process.stdout.write(`${JSON.stringify(cases, null, 1)}\n`);
