/** What went wrong, who has to act, and what to do next, below whatever of the answer arrived. */
import { type Failure, isKnown, PARTY } from "../errors.js";
import { dict, number, say } from "../i18n/index.js";
import { h, icon, textButton, write } from "./dom.js";

/** A failure older than this, in milliseconds, is shown but not spoken: it comes back with a reload or another language. */
const FRESH_MS = 2_000;

export interface FailureActions {
  retry(): void;
  /** Where the rest of the answer can be asked for. */
  goOn?(): void;
  openSettings(): void;
}

/** Makes the row. Its wait counts down until the row leaves the page. */
export function failureRow(failure: Failure, again: boolean, actions: FailureActions): HTMLElement {
  const texts = dict();
  const known = isKnown(failure.code);
  const [what, next] = isKnown(failure.code) ? texts.errors[failure.code] : texts.unknownError;
  const party = isKnown(failure.code) ? PARTY[failure.code] : failure.party;
  const row = h("div", "failure");
  if (Date.now() - failure.at < FRESH_MS) row.setAttribute("role", "alert");
  row.dataset.code = failure.code;
  const facts = h("p", "facts", h("code", "failure-code", failure.code));
  facts.append(h("span", "party", party ? texts.fault[party] : texts.unknownFault));
  if (failure.status) facts.append(h("span", "", `HTTP ${failure.status}`));
  if (failure.requestId) {
    const id = h("span", "request", say(h("span"), "requestId"), " ", h("code", "", failure.requestId));
    facts.append(id);
  }
  const body = h("div", "failure-body");
  if (again) body.append(h("p", "again", texts.regenerateFailed));
  body.append(h("p", "what", h("strong", "", what), " ", next));
  if (failure.retryAt !== undefined) body.append(waitText(failure.retryAt));
  if (failure.detail && (!known || failure.code === "invalid_request" || failure.code === "misconfigured" || failure.code === "internal")) {
    body.append(h("p", "detail", failure.detail));
  }
  if (failure.vendor) body.append(vendorWords(failure.vendor));
  body.append(facts);
  const { goOn } = actions;
  const buttons = h("div", "failure-actions", textButton("retry", actions.retry, "primary retry"), goOn ? textButton("goOn", () => goOn(), "go-on") : null);
  if (failure.code === "unauthorized" || failure.code === "not_found" || failure.code === "network") {
    buttons.append(textButton("openSettings", actions.openSettings));
  }
  body.append(buttons);
  row.append(icon("warn"), body);
  return row;
}

/** What the vendor said, told apart from what the page says. */
function vendorWords(text: string): HTMLElement {
  const quote = h("q", "", text);
  quote.dir = "auto";
  return h("p", "vendor", say(h("span"), "vendorSays"), " ", quote);
}

function waitText(retryAt: number): HTMLElement {
  const node = h("p", "wait");
  // The alert spoke once, with the first value; the countdown is for the eye.
  node.setAttribute("aria-live", "off");
  const tick = (): void => {
    const left = Math.ceil((retryAt - Date.now()) / 1000);
    write(node, left > 0 ? dict().tryAgainIn(number(left)) : dict().tryAgainNow);
    if (left > 0) setTimeout(() => node.isConnected && tick(), 1_000);
  };
  tick();
  return node;
}
