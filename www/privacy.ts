/**
 * What the page knows of private data: the policy that the reader chose, the values that stay as they are in this conversation, and what
 * became of a text on its way out. No DOM. Everything here is in memory only; of the reader's choices the actions are kept, never a value.
 */
import { GateError } from "sluicegate";
import type { Finding, RedactAction, RedactOptions, Redactor } from "sluicegate/redact";
import type { RedactPrefs } from "./prefs.js";

/** What is found unless the packs of other countries are switched on, in the order of the table, with what happens to it by default. */
export const ENTITIES = {
  PHONE_CN: "token", TEL_CN: "token", PHONE_INTL: "token", ID_CN: "token", ID_CN15: "token", BANKCARD: "token", EMAIL: "token", IP: "token",
  MAC: "token", IMEI: "token", IMSI: "token", USCC: "token", PASSPORT_CN: "token", EEP: "token", HRP: "token", MTP: "token", HKID: "token",
  MOID: "token", TWID: "token", PLATE: "token", WECHAT: "token", QQ: "token", SOCIAL: "token", IBAN: "token", SECRET: "label",
  PERSON: "token", ADDRESS: "token", DOB: "token", ORG: "keep",
} as const satisfies Record<string, RedactAction>;

export type Entity = keyof typeof ENTITIES;

/** Longer values are no values that a click lets through. */
const ALLOW_CHARS = 200;
const ALLOW_MAX = 100;

/** A value that was hidden, and what stands for it. */
export interface Given {
  /** As it is called in the text that went out: `手机号1`. */
  label: string;
  value: string;
}

/** What was hidden in a text, and where the text that went out has what. Places, no values. */
export interface Hidden {
  type: string;
  action: RedactAction;
  /** In the text as it was written, in UTF-16 units. */
  start: number;
  end: number;
  /** In the text as it went out. */
  from: number;
  to: number;
}

/** Whether a click may let this through. A secret never; nor what is not to leave in any form. */
export const mayKeep = ({ type, action }: Pick<Finding, "type" | "action">): boolean =>
  type !== "SECRET" && action !== "block" && action !== "local_only";

/** What of a text is going to be hidden, in order. */
export const toHide = (redactor: Redactor, text: string): Finding[] => redactor.find(text).filter(({ action }) => action !== "keep");

const TOKEN = /⟦([^⟦⟧\n]{1,60})⟧/g;

/** The tokens in texts that went out, with what they stand for. */
export function givenIn(redactor: Redactor, texts: readonly string[]): Given[] {
  const found = new Map<string, string>();
  for (const text of texts) for (const [token] of text.matchAll(TOKEN)) if (!found.has(token)) found.set(token, redactor.restore(token));
  return [...found].filter(([token, value]) => value !== token).map(([token, value]) => ({ label: token.slice(1, -1).split("·")[0] ?? "", value }));
}

/** Where tokens and labels stand in a text that went out or came in. */
export function tokensIn(text: string): { from: number; to: number }[] {
  return [...text.matchAll(/⟦[^⟦⟧\n]{1,60}⟧|\*{3}[^*\s]{1,24}\*{3}/g)].map(({ index, 0: token }) => ({ from: index, to: index + token.length }));
}

/**
 * Lays the findings of a text beside the text that went out: what stood between them must stand there still, and what lies between that has
 * taken their place. Undefined if the two do not fit.
 */
export function align(text: string, findings: readonly Finding[], sent: string): Hidden[] | undefined {
  const hidden: Hidden[] = [];
  let at = findings[0]?.start ?? text.length;
  if (text.slice(0, at) !== sent.slice(0, at)) return undefined;
  for (const [index, { type, action, start, end }] of findings.entries()) {
    const next = findings[index + 1];
    const between = text.slice(end, next?.start);
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(sent);
    const to = next === undefined ? sent.length - between.length
      : token !== null && token.index === at ? at + token[0].length
      : sent.indexOf(between, at);
    if (to < at || sent.slice(to, to + between.length) !== between) return undefined;
    hidden.push({ type, action, start, end, from: at, to });
    at = to + between.length;
  }
  return at === sent.length ? hidden : undefined;
}

/** The weights of the search for names: fetched when somebody wants them, and kept for the next redactor. */
class Names {
  private loading: Promise<ArrayBuffer> | undefined;

  load(): Promise<ArrayBuffer> {
    this.loading ??= fetch(new URL("names.bin", document.baseURI)).then((answer) => {
      if (!answer.ok) throw new Error(`${answer.status}`);
      return answer.arrayBuffer();
    });
    this.loading.catch(() => {
      this.loading = undefined;
    });
    return this.loading;
  }
}

/** The policy of this conversation. */
export class Privacy {
  /** What stays as it is, since the reader said so: of this conversation only. */
  readonly kept: { type: string; value: string }[] = [];
  readonly names = new Names();
  /** One key while the page is open: a value keeps its token when the policy changes. */
  private readonly key = crypto.getRandomValues(new Uint8Array(32));

  constructor(private readonly prefs: RedactPrefs, private readonly language: () => "zh" | "en") {}

  get on(): boolean {
    return this.prefs.on;
  }

  /** What `createGate` takes. */
  options(): RedactOptions | false {
    const { on, mode, entities, code, urls } = this.prefs;
    if (!on) return false;
    return { mode, entities, language: this.language(), restore: { code, urls }, allow: this.kept.map(({ value }) => value), key: this.key };
  }

  /** Makes a redactor ready: where names are to be found, no text passes before they are. */
  async prepare(redactor: Redactor): Promise<void> {
    if (!this.prefs.names) return;
    try {
      await redactor.loadNames(await this.names.load());
    } catch (cause) {
      const nextStep = "Switch the search for names off in the settings, or load the page anew.";
      throw new GateError({ code: "redaction_failed", message: "The search for names did not load.", status: 500, party: "gate", nextStep, retryable: true, cause });
    }
  }

  /** Lets a value through from now on; false if it may not be. */
  keep(finding: Finding, value: string): boolean {
    if (!mayKeep(finding) || value.length > ALLOW_CHARS || this.kept.length >= ALLOW_MAX) return false;
    this.kept.push({ type: finding.type, value });
    return true;
  }

  /** Hides a value again. */
  hide(value: string): void {
    const at = this.kept.findIndex((kept) => kept.value === value);
    if (at >= 0) this.kept.splice(at, 1);
  }
}
