/**
 * Redactors under one interface, ours among them: `open()` gives `{ redact(text), close() }`, where `redact` gives (a promise of)
 * `{ findings: [{ type, start, end }], text? }` in UTF-16 units with our keys as types, or undefined where it cannot run here.
 * `cleanBytes` bounds the clean text that one reads, and `step` lets it read only every nth case in the bench: both by its speed.
 */
import * as openredaction from "./openredaction.mjs";
import * as ours from "./ours.mjs";
import { native, viaPython } from "./lines.mjs";
import * as redactPii from "./redact-pii.mjs";

export const REDACTORS = {
  ours: { name: "sluicegate/redact", open: ours.open, cleanBytes: Infinity },
  // Not in the bench: what it finds is what ours finds.
  native: { name: "the core, natively", open: native, cleanBytes: Infinity, onlyScored: true },
  "redact-pii": { name: "redact-pii 3.4.0", open: redactPii.open, cleanBytes: 600_000 },
  openredaction: { name: "openredaction 1.1.5", open: openredaction.open, cleanBytes: 300_000 },
  argus: { name: "argus-redact 0.8.22", open: () => viaPython("argus"), cleanBytes: 300_000 },
  "presidio-patterns": { name: "Presidio 2.2.366, patterns", open: () => viaPython("presidio-patterns"), cleanBytes: 300_000 },
  "presidio-spacy": { name: "Presidio 2.2.366, spaCy small", open: () => viaPython("presidio-spacy"), cleanBytes: 60_000, step: 5 },
};
