/** openredaction with its defaults: all patterns, placeholders. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { BENCH } from "../../bench/builds.mjs";

const KEYS = [
  [/EMAIL/, "EMAIL"], [/^PHONE/, "PHONE_INTL"], [/SSN|ITIN/, "US_SSN"], [/CREDIT|CARD_NUMBER|DEBIT/, "BANKCARD"], [/IBAN/, "IBAN"], [/^IP|IPV[46]/, "IP"], [/MAC_/, "MAC"],
  [/NAME/, "PERSON"], [/ADDRESS|POSTCODE|ZIP/, "ADDRESS"], [/DATE_OF_BIRTH|DOB/, "DOB"], [/PASSPORT/, "PASSPORT_CN"], [/NATIONAL_INSURANCE|NINO/, "UK_NINO"],
  [/KEY|TOKEN|SECRET|PASSWORD|JWT|CREDENTIAL/, "SECRET"],
];

export async function open() {
  const { OpenRedaction } = createRequire(join(BENCH, "package.json"))("openredaction");
  const redactor = new OpenRedaction({ redactionMode: "placeholder" });
  return {
    async redact(text) {
      const { detections } = await redactor.detect(text);
      return { findings: detections.map(({ type, position: [start, end] }) => ({ type: KEYS.find(([pattern]) => pattern.test(type))?.[1] ?? type, start, end })) };
    },
    close() {},
  };
}
