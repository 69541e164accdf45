// Looks for planted values wherever a run may have left them: the output of workerd, what its objects have stored, what an upstream saw.
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

/** The ways in which a value may be written somewhere: as it is, escaped, encoded, with its separators left out. */
function writings(value) {
  const bytes = Buffer.from(value);
  // Base64 of a part of a text depends on where the part begins; what is the same wherever it does are the groups in its middle.
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64").replace(/=+$/, "");
    return text.slice(shift ? 4 : 0, -2);
  });
  const forms = [
    value,
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    [...value].map((char) => (char.codePointAt(0) > 126 ? `\\u${char.codePointAt(0).toString(16).padStart(4, "0")}` : char)).join(""),
    bytes.toString("hex"),
    ...base64,
  ];
  if (/^[\d\s().+-]+$/.test(value)) forms.push(value.replace(/\D/g, ""));
  return [...new Set(forms)].filter((form) => form.length >= 6);
}

/**
 * Searches texts and bytes for values, however they are written. `places` are `{ name: string | Uint8Array | anything that has a JSON }`.
 * Gives `["name: the value's name"]`; values are never shown.
 */
export function sightings(canaries, places) {
  const found = [];
  for (const [place, what] of Object.entries(places)) {
    const bytes = typeof what === "string" ? Buffer.from(what) : what instanceof Uint8Array ? Buffer.from(what) : Buffer.from(JSON.stringify(what) ?? "");
    for (const [name, value] of Object.entries(canaries)) {
      // V8 stores texts of more than one byte a character as UTF-16.
      const patterns = writings(value).flatMap((form) => [Buffer.from(form), Buffer.from(form, "utf16le")]);
      if (patterns.some((pattern) => bytes.includes(pattern))) found.push(`${place}: ${name}`);
    }
  }
  return found;
}

/** Every file below a folder, as places for {@link sightings}. */
export async function filesIn(folder) {
  const places = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    places[path.slice(folder.length + 1)] = await readFile(path);
  }
  return places;
}

/** Fails if any of the values is anywhere in what a run left behind. `more` are further places. */
export async function assertNowhere(canaries, { gates = [], upstreams = [], folders = [], more = {} }) {
  const places = { ...more };
  gates.forEach((gate, at) => (places[`output of gate ${at}`] = gate.output));
  upstreams.forEach((upstream, at) => {
    places[`journal of upstream ${at}`] = upstream.journal;
    places[`requests of upstream ${at}`] = upstream.requests;
  });
  for (const folder of folders) Object.assign(places, await filesIn(folder));
  assert.deepEqual(sightings(canaries, places), []);
}
