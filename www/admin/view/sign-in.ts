/** The way in. The key is taken out of the field before it is sent, and held by nothing but the request. */
import { api, ApiError } from "../api.js";
import { t, type TextKey } from "../i18n/index.js";
import { button, failure, fault, h, input, labelled } from "../ui.js";

/** `reason` says why one is here again. */
export function signIn(reason: TextKey | undefined, entered: () => Promise<void>): HTMLElement {
  const field = input("", "password");
  field.maxLength = 512;
  field.setAttribute("autocapitalize", "off");
  field.dir = "ltr";
  const submit = button(t("signIn"), () => undefined, "primary");
  submit.type = "submit";
  const note = h("div", "sign-in-note");
  note.id = "sign-in-note";
  if (reason) note.append(h("p", "reason", t(reason)));
  // No action, no names: were the script gone, the browser would have nothing to put into an address.
  const form = h("form", "sign-in", h("h2", "", t("signIn")), h("p", "lead", t("signInText")), note, labelled(t("signInKey"), field, { hint: t("signInKeyHint") }), submit);
  form.noValidate = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const key = field.value.trim();
    field.value = "";
    fault(field, key === "" ? t("signInNeeded") : "");
    if (key === "") return field.focus();
    void enter(key);
  });

  async function enter(key: string): Promise<void> {
    submit.disabled = true;
    note.replaceChildren(h("p", "", t("loading")));
    try {
      await api.signIn(key);
      await entered();
    } catch (error) {
      const refused = error instanceof ApiError && error.status === 401;
      const shown = failure(error);
      if (refused) shown.querySelector("strong")?.parentElement?.replaceChildren(h("strong", "", t("signInRefused")));
      note.replaceChildren(shown);
      submit.disabled = false;
      if (refused) fault(field, t("signInRefused"));
      field.focus();
    }
  }
  return form;
}
