/**
 * One line at the head of an answer: what is being done about a failure, as it happens. It has its room from the beginning, so it moves
 * nothing; its countdown is for the eye, and is spoken once.
 */
import type { Answer } from "../chat.js";
import { isKnown } from "../errors.js";
import { dict, number, t } from "../i18n/index.js";
import type { Notice } from "../notice.js";
import { h, write } from "./dom.js";

const MODEL = /^.*\//;

/** A model's name without its vendor. */
export const shortModel = (model: string): string => model.replace(MODEL, "");

const reason = (code: string | undefined): string => (code === undefined ? "" : isKnown(code) ? dict().errors[code][0] : code);

function action(notice: Notice, now: number): string {
  switch (notice.kind) {
    case "retried": {
      const left = notice.until === undefined ? 0 : Math.ceil((notice.until - now) / 1000);
      return left > 0 ? dict().againIn(number(left)) : t("statusAgain");
    }
    case "fell_back":
      return dict().answersInstead(shortModel(notice.model ?? notice.detail));
    case "continued":
      return t("statusContinued");
    case "restarted":
      return t("statusRestarted");
    case "hedged":
      return t("statusHedged");
    case "request_changed":
      return t("statusChanged");
  }
}

/** What a notice says: what is done, then why. */
export function noticeText(notice: Notice, now: number): string {
  const why = notice.kind === "request_changed" ? notice.detail : reason(notice.code);
  return [action(notice, now), why].filter(Boolean).join(" · ");
}

export class StatusLine {
  readonly node = h("span", "recovery");
  private readonly seen = h("span", "recovery-text");
  private readonly spoken = h("span", "unseen");
  private shown: Notice | undefined;

  constructor() {
    this.seen.setAttribute("aria-hidden", "true");
    this.spoken.setAttribute("aria-live", "polite");
    this.node.append(this.seen, this.spoken);
  }

  /** Shows the answer's notice at `now`, or nothing. */
  update({ notice }: Answer, now: number): void {
    const text = notice ? noticeText(notice, now) : "";
    write(this.seen, text);
    if (this.seen.title !== text) this.seen.title = text;
    if (notice === this.shown) return;
    this.shown = notice;
    write(this.spoken, text);
  }
}
