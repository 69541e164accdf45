/** A new key and its secret, which are seen this one time: copied, then gone from the page. */
import { t } from "../i18n/index.js";
import { type NewKey } from "../types.js";
import { button, copyButton, fault, h, icon, input, labelled, openDialog } from "../ui.js";
import { samplePanel } from "./samples.js";

function secretRow(label: string, secret: string, hint?: string): HTMLElement {
  const shown = h("code", "secret", secret);
  shown.tabIndex = 0;
  shown.setAttribute("aria-label", label);
  shown.setAttribute("role", "textbox");
  shown.setAttribute("aria-readonly", "true");
  return h("div", "once-row", h("p", "once-label", label), h("div", "once-value", shown, copyButton(label, () => secret)), hint ? h("p", "hint", hint) : undefined);
}

export function showOnce(made: NewKey): void {
  const stored = input("", "checkbox");
  const confirm = labelled(t("onceStored"), stored);
  confirm.classList.add("check-field");
  const dialog = openDialog(t("onceTitle"), {
    wide: true,
    mayClose() {
      fault(stored, stored.checked ? "" : t("onceNotYet"));
      if (!stored.checked) stored.focus();
      return stored.checked;
    },
  });
  stored.addEventListener("change", () => fault(stored, ""));
  dialog.node.classList.add("once");
  dialog.body.append(
    h("div", "warning", icon("warn"), h("p", "", t("onceText"))),
    secretRow(t("onceKey"), made.key),
    made.secret ? secretRow(t("onceSecret"), made.secret, t("onceSecretHint")) : "",
    samplePanel(made),
  );
  dialog.foot.append(confirm, button(t("done"), () => {
    if (stored.checked) dialog.close();
    else {
      fault(stored, t("onceNotYet"));
      stored.focus();
    }
  }, "primary"));
  dialog.body.querySelector<HTMLElement>(".copy")?.focus();
}
