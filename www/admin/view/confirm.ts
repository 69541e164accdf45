/** What cannot be taken back lightly is confirmed by the key's name. */
import { api } from "../api.js";
import type { Context } from "../context.js";
import { dict, t, type TextKey } from "../i18n/index.js";
import type { KeyRecord } from "../types.js";
import { button, fault, h, icon, input, labelled, openDialog, select, tell } from "../ui.js";
import { showOnce } from "./once.js";

export type Deed = "rotate" | "disable" | "enable" | "revoke";

const HOUR = 3_600;
const OVERLAPS = { hour: HOUR, day: 24 * HOUR, week: 168 * HOUR } as const;
const TEXTS: Record<Deed, TextKey> = { rotate: "rotateText", disable: "disableText", enable: "enableText", revoke: "revokeText" };

async function act(deed: Deed, record: KeyRecord, overlap: number, changed: () => void): Promise<() => void> {
  if (deed === "rotate") {
    const made = await api.rotate(record.id, overlap);
    return () => {
      tell(dict().done.rotated(record.name));
      changed();
      showOnce(made);
    };
  }
  const said = { disable: "disabled", enable: "enabled", revoke: "revoked" } as const;
  await { disable: api.disable, enable: api.enable, revoke: api.revokeTokens }[deed](record.id);
  return () => {
    tell(dict().done[said[deed]](record.name));
    changed();
  };
}

/** Asks, then does it. To enable harms nobody: there the name is only shown. */
export function confirmDeed(deed: Deed, record: KeyRecord, context: Context, changed: () => void): void {
  const dialog = openDialog(dict().confirmTitle[deed](record.name));
  const own = record.id === context.session.key_id && deed !== "enable";
  const typed = input("");
  const overlap = select([["0", t("overlapNone")], ...(Object.entries(OVERLAPS).map(([name, seconds]) => [String(seconds), dict().overlaps[name as keyof typeof OVERLAPS]] as const))], String(OVERLAPS.day));
  const needsName = deed !== "enable";
  const submit = button(t(deed), () => form.requestSubmit(), deed === "enable" ? "primary" : "danger");
  const matches = (): boolean => !needsName || typed.value.trim() === record.name.trim();
  const judge = (): void => {
    submit.setAttribute("aria-disabled", String(!matches()));
    if (matches()) fault(typed, "");
  };
  typed.addEventListener("input", judge);
  const form = h("form", "confirm", h("p", "", t(TEXTS[deed])),
    own ? h("div", "warning", icon("warn"), h("p", "", t("ownKey"))) : undefined,
    deed === "rotate" ? labelled(t("overlap"), overlap) : undefined,
    needsName ? h("p", "confirm-name", h("code", "", record.name)) : undefined,
    needsName ? labelled(t("confirmName"), typed) : undefined);
  form.noValidate = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!matches()) {
      fault(typed, t("confirmName"));
      return typed.focus();
    }
    if (submit.disabled) return;
    submit.disabled = true;
    act(deed, record, Number(overlap.value), changed)
      .then((after) => {
        dialog.close();
        after();
      }, (error: unknown) => {
        if (!context.ended(error)) dialog.fail(error);
      })
      .finally(() => (submit.disabled = false));
  });
  dialog.body.append(form);
  dialog.foot.append(button(t("cancel"), dialog.close), submit);
  judge();
  (needsName ? typed : submit).focus();
}
