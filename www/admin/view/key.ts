/** One key: what it is, what limits hold for it, what it is using, and what can be done with it. */
import { api } from "../api.js";
import type { Context, View } from "../context.js";
import { isFixed, masked, namesOr, roleText, setCurrency, stateOf, stateText } from "../format.js";
import { moment, number, span, t } from "../i18n/index.js";
import { hrefOf } from "../place.js";
import type { Defaults, KeyRecord, Meter } from "../types.js";
import { button, h, icon, link, Loaded } from "../ui.js";
import { confirmDeed, type Deed } from "./confirm.js";
import { effectiveLimits } from "./effective.js";
import { editKey } from "./key-form.js";
import { liveUsage } from "./live.js";
import { samplePanel } from "./samples.js";

export function keyView(id: string, context: Context): View {
  let defaults: Defaults | undefined;
  let meters: readonly Meter[] | undefined;
  let record: KeyRecord | undefined;
  const limits = h("div", "");
  const drawLimits = (): void => {
    if (record) limits.replaceChildren(effectiveLimits(record, defaults, meters));
  };
  // Made once: a change of the key does not begin the chart anew.
  const live = context.can("usage")
    ? liveUsage(id, context, (seen) => {
        meters = seen;
        drawLimits();
      })
    : undefined;
  const loaded = new Loaded<KeyRecord>(
    async (signal) => {
      const asked = context.can("limits") ? api.defaults(signal).catch(() => undefined) : undefined;
      const [found, general] = await Promise.all([api.key(id, signal), asked]);
      defaults = general;
      setCurrency(general?.currency);
      return found;
    },
    (found) => {
      record = found;
      drawLimits();
      return draw(found);
    },
    { signal: context.signal, onError: context.ended, binding: "DB" },
  );
  const reload = (): void => void loaded.load();

  function draw(found: KeyRecord): Node {
    const state = stateOf(found, Date.now());
    context.title(found.name);
    return h("div", "key-page",
      h("div", "key-actions", h("span", `badge ${state}`, stateText(state)), ...actions(found, state === "disabled")),
      isFixed(found) ? h("p", "hint", t("fixedText")) : undefined,
      found.id === context.session.key_id ? h("div", "warning", icon("warn"), h("p", "", t("ownKey"))) : undefined,
      h("section", "card", facts(found)),
      live,
      h("section", "card", h("div", "card-head", h("h3", "", t("effective"))), h("p", "hint", t("effectiveText")), limits),
      h("section", "card", samplePanel(found)));
  }

  function actions(found: KeyRecord, isDisabled: boolean): HTMLElement[] {
    if (!context.can("edit") || isFixed(found)) return [];
    const deed = (which: Deed): HTMLElement => {
      const node = button(t(which), () => confirmDeed(which, found, context, reload), which === "disable" || which === "revoke" ? "danger-quiet" : "");
      node.dataset.focus = which === "disable" || which === "enable" ? "switch" : which;
      return node;
    };
    const edit = button(t("editKey"), () => void editKey(found, context, reload), "primary", "edit");
    edit.dataset.focus = "edit";
    return [edit, deed("rotate"), deed(isDisabled ? "enable" : "disable"), deed("revoke")];
  }

  function facts(found: KeyRecord): HTMLElement {
    const list = h("dl", "key-facts");
    const add = (label: string, ...value: (Node | string)[]): void => list.append(h("div", "", h("dt", "", label), h("dd", "", ...value)));
    add(t("key"), h("code", "", masked(found)));
    add(t("id"), h("code", "", found.id));
    add(t("owner"), found.owner || t("none"));
    add(t("role"), roleText(found.role));
    add(t("models"), namesOr(found.models, t("any")));
    add(t("endpoints"), namesOr(found.endpoints, t("byRole")));
    add(t("ips"), namesOr(found.ips, t("anywhere")));
    add(t("expires"), found.expires_at ? moment(found.expires_at) : t("never"));
    if (!isFixed(found)) add(t("created"), moment(found.created_at));
    add(t("guide"), t(found.guide_compatible ? "yes" : "no"));
    if (found.token_ttl_s) add(t("tokenTtl"), `${number(found.token_ttl_s)} (${span(found.token_ttl_s)})`);
    add(t("version"), number(found.version));
    for (const [name, value] of Object.entries(found.metadata ?? {})) add(name, value);
    return list;
  }

  reload();
  return { title: t("key"), node: h("div", "", h("p", "back", link(`← ${t("toKeys")}`, hrefOf(["keys"]))), loaded.node) };
}
