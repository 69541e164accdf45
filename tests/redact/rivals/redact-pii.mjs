/**
 * redact-pii gives the redacted text only. Each of its rules is told to write one character of the private use area, and what stands between two
 * such characters is found again in the original.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { BENCH } from "../../bench/builds.mjs";

const RULES = {
  names: "PERSON", credentials: "SECRET", password: "SECRET", username: "SECRET", creditCardNumber: "BANKCARD", emailAddress: "EMAIL", ipAddress: "IP",
  phoneNumber: "PHONE_INTL", streetAddress: "ADDRESS", usSocialSecurityNumber: "US_SSN", zipcode: "ADDRESS", url: "URL", digits: "DIGITS",
};
const FIRST = 0xe000;

export async function open() {
  const load = createRequire(join(BENCH, "package.json"));
  const redactor = new (load("redact-pii").SyncRedactor)();
  // The option for it (`replaceWith`) is ignored by this version. The rule for names is the last.
  const names = [...Object.keys(load("redact-pii/lib/built-ins/simple-regexp-patterns")), "names"];
  redactor.childRedactors.forEach((rule, at) => (rule.replaceWith = String.fromCharCode(FIRST + at)));
  return { redact: (text) => ({ findings: spans(text, redactor.redact(text), names) }), close() {} };
}

function spans(text, redacted, names) {
  const findings = [];
  const parts = redacted.split(/([\ue000-\ue0ff])/);
  let at = parts[0].length;
  for (let index = 1; index < parts.length; index += 2) {
    const next = parts[index + 1];
    // What follows the last rule is the text's end; two rules in a row share what is between them.
    const end = index + 2 === parts.length ? text.length - next.length : next === "" ? at : text.indexOf(next, at);
    const found = end < at ? text.length : end;
    findings.push({ type: RULES[names[parts[index].charCodeAt(0) - FIRST]], start: at, end: found });
    at = found + next.length;
  }
  return merged(findings);
}

/** A rule that left nothing between itself and the next belongs to the next. */
function merged(findings) {
  return findings.filter(({ start, end }) => end > start);
}
