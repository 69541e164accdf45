/** What a redactor's findings are worth: recall per entity, precision, false masks. Spans count UTF-16 units. */
import { NAMES } from "./cases.mjs";
import { trueValue } from "./clean.mjs";

/** A letter or digit of any script is part of a value; separators and brackets may stay. */
const SIGNIFICANT = /[\p{L}\p{N}]/u;

/** Whether findings hide a span: at least nine tenths of it, and each letter and digit of it. */
export function hides(findings, text, { start16, end16 }) {
  let covered = 0;
  for (let at = start16; at < end16; at += 1) {
    const inside = findings.some(({ start, end }) => start <= at && at < end);
    covered += inside ? 1 : 0;
    // A zero-width joiner is no letter; a surrogate is half of one.
    if (!inside && (SIGNIFICANT.test(text[at]) || /[\ud800-\udfff]/.test(text[at]))) return false;
  }
  return covered >= 0.9 * (end16 - start16);
}

const touches = (finding, span) => finding.start < span.end16 && finding.end > span.start16;
const same = (found, entity) => found === entity || (found ?? "").startsWith(`${entity}:`);
const key = (type) => type.split(":")[0];

const counter = () => ({ cases: 0, hidden: 0, named: 0, right: 0, wrong: 0 });

/**
 * Runs a redactor over cases.
 *
 * @param redact `(text) => { findings: [{ type, start, end }], text? } | Promise`
 * @returns `entities` by key, `forms` and `kinds` (by entity and spelling, by template's kind), `negatives` by class, and `misses` and `falses` as examples
 */
export async function judgeCases(redact, cases) {
  const result = { entities: {}, forms: {}, kinds: {}, negatives: {}, misses: [], falses: [], excess: 0, masked: 0 };
  const at = (table, name) => (table[name] ??= counter());
  const answers = await Promise.all(cases.map(({ text }) => redact(text)));
  for (const [index, { text, spans, template, negative, id }] of cases.entries()) {
    const { findings, text: redacted } = answers[index];
    for (const span of spans) {
      const value = text.slice(span.start16, span.end16);
      // What stands in the answer although its span was reported as hidden is not hidden.
      const leaked = redacted !== undefined && value.length > 5 && redacted.includes(value) && text.split(value).length === 2;
      const hidden = hides(findings, text, span) && !leaked;
      const named = hidden && findings.some((finding) => touches(finding, span) && same(finding.type, span.entity));
      for (const each of [at(result.entities, span.entity), at(result.forms, `${span.entity} ${span.form}`), at(result.kinds, span.kind)]) {
        each.cases += 1;
        each.hidden += hidden ? 1 : 0;
        each.named += named ? 1 : 0;
      }
      if (!hidden) result.misses.push({ id, entity: span.entity, form: span.form, kind: span.kind, template, text, value });
    }
    for (const finding of findings) {
      const right = spans.some((span) => touches(finding, span));
      at(result.entities, key(finding.type))[right ? "right" : "wrong"] += 1;
      const length = finding.end - finding.start;
      const wanted = spans.reduce((sum, span) => sum + Math.max(0, Math.min(finding.end, span.end16) - Math.max(finding.start, span.start16)), 0);
      result.masked += length;
      result.excess += length - wanted;
      if (!right) result.falses.push({ id, type: finding.type, rule: finding.rule, template, text, value: text.slice(finding.start, finding.end) });
    }
    if (negative) {
      const each = at(result.negatives, template.split("/")[0].slice(3));
      each.cases += 1;
      each.wrong += findings.length > 0 ? 1 : 0;
    }
  }
  return { ...result, ...totals(result) };
}

function totals({ entities, negatives }) {
  const sum = (list, field) => list.reduce((total, each) => total + each[field], 0);
  const structured = Object.entries(entities).filter(([name, each]) => each.cases > 0 && !NAMES.has(name)).map(([, each]) => each);
  const all = Object.values(entities);
  return {
    recall: sum(structured, "hidden") / sum(structured, "cases"),
    namesRecall: sum([...NAMES].map((name) => entities[name] ?? counter()), "hidden") / sum([...NAMES].map((name) => entities[name] ?? counter()), "cases"),
    precision: sum(all, "right") / (sum(all, "right") + sum(all, "wrong")),
    negativesTouched: sum(Object.values(negatives), "wrong") / sum(Object.values(negatives), "cases"),
  };
}

/** Runs a redactor over clean text, at most `bytes` of it: false masks by entity and by kind of text; true addresses are counted apart. */
export async function judgeClean(redact, pieces, bytes = Infinity) {
  let size = 0;
  const read = pieces.filter((piece) => size < bytes && (size += piece.bytes) > 0);
  const result = { bytes: size, entities: {}, kinds: {}, present: 0, names: 0, falses: [] };
  const started = performance.now();
  const answers = await Promise.all(read.map(({ text }) => redact(text)));
  result.seconds = (performance.now() - started) / 1000;
  for (const [index, { kind, text, bytes: length }] of read.entries()) {
    const each = (result.kinds[kind] ??= { bytes: 0, wrong: 0, names: 0 });
    each.bytes += length;
    for (const { type, start, end, rule } of answers[index].findings) {
      const entity = key(type);
      const value = text.slice(start, end);
      if (trueValue(entity, value)) {
        result.present += 1;
        continue;
      }
      result.entities[entity] = (result.entities[entity] ?? 0) + 1;
      if (NAMES.has(entity)) {
        each.names += 1;
        result.names += 1;
      } else each.wrong += 1;
      result.falses.push({ kind, type, rule, value, around: text.slice(Math.max(0, start - 30), end + 20) });
    }
  }
  const wrong = Object.values(result.kinds).reduce((sum, each) => sum + each.wrong, 0);
  return { ...result, wrong, per100KB: (wrong / size) * 1e5, namesPer100KB: (result.names / size) * 1e5 };
}
