/** The list of keys: searched, paged, each with what it is using. */
import { api } from "../api.js";
import type { Context, View } from "../context.js";
import { isFixed, limitOf, masked, namesOr, roleText, stateOf, stateText } from "../format.js";
import { dict, moment, number, t } from "../i18n/index.js";
import { hrefOf, type Place } from "../place.js";
import type { KeyRecord, LimitName, List, Meter, Usage } from "../types.js";
import { button, emptyState, h, input, link, Loaded, rowHead, table } from "../ui.js";
import { smallBar } from "./bar.js";
import { createKey, editKey } from "./key-form.js";

const PAGE = 50;
const MOST = 100;
/** Typing that goes on within this time is one search. */
const TYPING_MS = 300;

/** The bars of a row: the first meter that is there, of the whole key. */
const BARS: readonly (readonly ["thisMinute" | "today" | "spend", readonly LimitName[]])[] = [
  ["thisMinute", ["requests_per_minute", "tokens_per_minute"]],
  ["today", ["requests_per_day", "tokens_per_day"]],
  ["spend", ["spend_per_day", "spend_per_month"]],
];

type Answer = [List<KeyRecord>, Map<string, Usage>];

export function keysView(first: Place, context: Context): View {
  let place = first;
  let typing: ReturnType<typeof setTimeout> | undefined;
  let isTyping = false;
  const search = input("", "search");
  search.id = "search";
  search.setAttribute("aria-label", t("search"));
  search.placeholder = t("searchHint");
  search.enterKeyHint = "search";
  search.maxLength = 100;

  const asked = (): URLSearchParams => {
    const limit = Number(place.query.get("limit"));
    const query = new URLSearchParams({ limit: String(limit >= 1 && limit <= MOST ? Math.floor(limit) : PAGE) });
    for (const name of ["q", "after"]) {
      const value = place.query.get(name);
      if (value) query.set(name, value);
    }
    return query;
  };
  const loaded = new Loaded<Answer>(
    async (signal) => {
      // Without usage the list is still of use.
      const usage = context.can("usage") ? api.allUsage(new URLSearchParams(), signal).catch(() => undefined) : undefined;
      const [keys, used] = await Promise.all([api.keys(asked(), signal), usage]);
      return [keys, new Map((used?.data ?? []).map((one) => [one.key_id, one]))];
    },
    ([keys, usage]) => draw(keys, usage),
    { signal: context.signal, onError: context.ended, binding: "DB" },
  );
  const reload = (): void => void loaded.load();

  function find(): void {
    clearTimeout(typing);
    const q = search.value.trim();
    if (q === (place.query.get("q") ?? "")) return;
    // What is typed in one go is one step back.
    context.go(hrefOf(["keys"], { q, limit: place.query.get("limit") ?? undefined }), isTyping ? "replace" : "push");
    isTyping = true;
  }
  search.addEventListener("input", (event) => {
    clearTimeout(typing);
    if (!(event as InputEvent).isComposing) typing = setTimeout(find, TYPING_MS);
  });
  search.addEventListener("compositionend", () => (typing = setTimeout(find, TYPING_MS)));
  search.addEventListener("change", () => {
    find();
    isTyping = false;
  });
  const form = h("form", "search", search);
  form.setAttribute("role", "search");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    find();
  });

  function draw({ data, next }: List<KeyRecord>, usage: Map<string, Usage>): Node {
    const q = place.query.get("q");
    if (data.length === 0) {
      if (q) return emptyState(t("noMatch"), dict().noMatchFor(q), link(t("clearSearch"), hrefOf(["keys"])));
      return context.can("edit") ? emptyState(t("noKeys"), t("noKeysText"), newKeyButton()) : emptyState(t("noKeys"), t("noKeysRead"));
    }
    const heads = [t("name"), t("role"), t("models"), t("expires"), t("state"), ...BARS.map(([label]) => t(label)), ""];
    const rows = data.map((record) => row(record, usage.get(record.id)?.meters ?? []));
    const shown = table(t("keys"), heads, rows);
    shown.classList.add("keys-table");
    const pages = h("p", "pages", h("span", "count", dict().found(data.length, number(data.length))));
    const limit = place.query.get("limit") ?? undefined;
    if (place.query.get("after")) pages.append(link(t("firstPage"), hrefOf(["keys"], { q: q ?? undefined, limit })));
    if (next) pages.append(link(t("nextPage"), hrefOf(["keys"], { q: q ?? undefined, limit, after: next }), "next"));
    return h("div", "", shown, pages);
  }

  function row(record: KeyRecord, meters: readonly Meter[]): HTMLElement {
    const state = stateOf(record, Date.now());
    const open = link(record.name, hrefOf(["keys", record.id]), "key-link");
    open.dataset.focus = `open ${record.id}`;
    const whole = meters.filter((meter) => !meter.model && !meter.route);
    const bars = BARS.map(([label, names]) => {
      const meter = names.map((name) => whole.find((one) => limitOf(one) === name)).find(Boolean);
      return h("td", `bar-cell wide-${label}`, smallBar(meter ? dict().limits[limitOf(meter) ?? "requests_per_minute"] : t(label), meter));
    });
    const edit = context.can("edit") && !isFixed(record) ? button(t("editKey"), () => void editKey(record, context, reload), "small") : undefined;
    edit?.setAttribute("aria-label", dict().edit(record.name));
    if (edit) edit.dataset.focus = `edit ${record.id}`;
    const expires = record.expires_at ? moment(record.expires_at) : t("never");
    const node = h("tr", state,
      rowHead(open, h("code", "masked", masked(record)), h("span", "key-owner", record.owner ?? "")),
      h("td", "cell-role", roleText(record.role)),
      h("td", "cell-models", namesOr(record.models, t("any"))),
      h("td", "cell-expires", expires),
      h("td", "cell-state", h("span", `badge ${state}`, stateText(state))),
      ...bars,
      h("td", "cell-actions", edit));
    node.dataset.key = record.id;
    return node;
  }

  function newKeyButton(): HTMLButtonElement {
    const node = button(t("newKey"), () => void createKey(context, reload), "primary", "plus");
    node.dataset.focus = "new-key";
    return node;
  }

  const refresh = button(t("refresh"), reload, "", "again");
  refresh.id = "refresh";
  const tools = h("div", "tools-row", form, refresh);
  if (context.can("edit")) {
    const create = newKeyButton();
    create.id = "new-key";
    tools.append(create);
  }
  search.value = place.query.get("q") ?? "";
  reload();
  return {
    title: t("keys"),
    node: h("div", "", tools, loaded.node),
    update(next) {
      if (next.path.length !== 1) return false;
      place = next;
      if (document.activeElement !== search || search.value.trim() !== (next.query.get("q") ?? "")) search.value = next.query.get("q") ?? "";
      void loaded.load().then(() => {
        // The link that was followed may be gone.
        if (document.activeElement === document.body) loaded.node.querySelector<HTMLElement>(".scroll")?.focus();
      });
      return true;
    },
  };
}
