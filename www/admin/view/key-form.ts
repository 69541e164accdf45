/** Making a key, and changing one: the same fields, of which a change sends those that differ. */
import { api, ApiError } from "../api.js";
import type { Context } from "../context.js";
import { roleText } from "../format.js";
import { dict, moment, t } from "../i18n/index.js";
import { type Defaults, type KeyFields, type KeyRecord, type Role, type Roles, ROLES } from "../types.js";
import { area, button, type Control, fault, h, input, labelled, openDialog, select, show, tell } from "../ui.js";
import { LimitsForm, limitsChange } from "./limits-form.js";
import { showOnce } from "./once.js";

const DAY = 86_400;
const EXPIRIES = { day: DAY, week: 7 * DAY, month: 30 * DAY, quarter: 90 * DAY, year: 365 * DAY } as const;
type Expiry = keyof typeof EXPIRIES;

const lines = (text: string): string[] => [...new Set(text.split(/[\n,]/).map((line) => line.trim()).filter(Boolean))];
const orNull = (names: string[]): string[] | null => (names.length > 0 ? names : null);
const same = (left: unknown, right: unknown): boolean => JSON.stringify(left ?? null) === JSON.stringify(right ?? null);

/** `datetime-local` speaks the reader's time zone. */
const localText = (seconds: number): string => {
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};

const EMPTY = {
  name: "", owner: "", role: "developer" as Role, models: null, endpoints: null, ips: null, guide_compatible: false, token_ttl_s: null, limits: {}, metadata: {}, expires_at: null,
};

/** All fields as they are entered. */
type Filled = Required<Omit<KeyFields, "metadata">> & { metadata: Record<string, string> };

class KeyForm {
  readonly node: HTMLFormElement;
  private readonly controls: Control[];
  private readonly name: HTMLInputElement;
  private readonly owner: HTMLInputElement;
  private readonly role: HTMLSelectElement;
  private readonly models: HTMLTextAreaElement;
  private readonly ips: HTMLTextAreaElement;
  private readonly expiry: HTMLSelectElement;
  private readonly date: HTMLInputElement;
  private readonly guide: HTMLInputElement;
  private readonly ttl: HTMLInputElement;
  private readonly metadata: HTMLTextAreaElement;
  private readonly limits: LimitsForm;
  private readonly operations = h("div", "checks");
  private chosen: Set<string>;

  constructor(private readonly record: KeyRecord | undefined, private readonly roles: Roles | undefined, defaults: Defaults | undefined) {
    const from = record ?? EMPTY;
    this.chosen = new Set(from.endpoints ?? []);
    this.name = input(from.name);
    this.name.required = true;
    this.name.maxLength = 100;
    this.owner = input(from.owner ?? "");
    this.owner.maxLength = 200;
    this.role = select(ROLES.map((role) => [role, roleText(role)]), from.role);
    this.models = area((from.models ?? []).join("\n"));
    this.ips = area((from.ips ?? []).join("\n"));
    const presets = Object.entries(dict().expiresIn) as [Expiry, string][];
    const keep: [string, string][] = record?.expires_at ? [["keep", `${t("expiresKeep")}: ${moment(record.expires_at)}`]] : [];
    this.expiry = select([...keep, ["never", t("expiresNever")], ...presets, ["date", t("expiresDate")]], keep.length ? "keep" : "never");
    this.date = input(localText(record?.expires_at ?? Date.now() / 1000 + 30 * DAY), "datetime-local");
    this.guide = input("", "checkbox");
    this.guide.checked = from.guide_compatible;
    this.ttl = input(from.token_ttl_s ? String(from.token_ttl_s) : "");
    this.ttl.inputMode = "numeric";
    this.metadata = area(Object.entries(from.metadata ?? {}).map(([key, value]) => `${key} = ${value}`).join("\n"));
    this.limits = new LimitsForm(from.limits ?? {}, defaults?.limits, this.routes());
    const dateField = labelled(t("expiresAt"), this.date, { field: "expires_at" });
    const dated = (): void => show(dateField, this.expiry.value === "date");
    this.expiry.addEventListener("change", dated);
    dated();
    const about = h("p", "hint");
    const explain = (): void => {
      about.textContent = dict().roles[this.role.value as Role]?.[1] ?? "";
      this.drawOperations();
    };
    this.role.addEventListener("change", explain);
    explain();
    const role = labelled(t("role"), this.role, { field: "role" });
    role.append(about);
    const guide = labelled(t("guide"), this.guide, { hint: t("guideHint"), field: "guide_compatible" });
    guide.classList.add("check-field");
    this.node = h("form", "key-form",
      h("fieldset", "section", h("legend", "", t("basics")),
        labelled(`${t("name")} (${t("required")})`, this.name, { field: "name" }),
        labelled(t("owner"), this.owner, { hint: t("ownerHint"), field: "owner" }),
        labelled(t("expires"), this.expiry), dateField),
      h("fieldset", "section", h("legend", "", t("access")), role,
        labelled(t("models"), this.models, { hint: t("modelsHint"), field: "models" }),
        h("fieldset", "operations", h("legend", "", t("endpoints")), h("p", "hint", t(roles ? "endpointsHint" : "endpointsUnknown")), this.operations),
        labelled(t("ips"), this.ips, { hint: t("ipsHint"), field: "ips" }),
        guide, labelled(t("tokenTtl"), this.ttl, { hint: t("tokenTtlHint"), field: "token_ttl_s" })),
      this.limits.node,
      labelled(t("metadata"), this.metadata, { hint: t("metadataHint"), field: "metadata" }));
    this.node.noValidate = true;
    this.controls = [...this.node.querySelectorAll<Control>("[data-field]")];
  }

  /** What a key of this role can be limited to. */
  private operationsOf(role: string): readonly string[] {
    const may = this.roles?.data.find((row) => row.role === role)?.operations ?? [];
    return may.filter((operation) => this.roles?.inference?.includes(operation) ?? true);
  }

  /** What limits of single routes may be for: what a developer may do. */
  private routes(): readonly string[] {
    return this.operationsOf("developer");
  }

  /** The role's operations; what is chosen beyond them is shown too, so that it can be taken away. */
  private drawOperations(): void {
    const known = this.operationsOf(this.role.value);
    const all = [...known, ...[...this.chosen].filter((one) => !known.includes(one))];
    this.operations.replaceChildren(...all.map((operation) => {
      const box = input("", "checkbox");
      box.checked = this.chosen.has(operation);
      box.value = operation;
      box.addEventListener("change", () => (box.checked ? this.chosen.add(operation) : this.chosen.delete(operation)));
      return h("label", "check", box, h("code", "", operation));
    }));
  }

  focus(): void {
    this.name.focus();
  }

  private wrong(control: Control, text: string): undefined {
    fault(control, text);
    control.focus();
    return undefined;
  }

  private expiresAt(): number | null | undefined {
    const chosen = this.expiry.value;
    if (chosen === "never") return null;
    if (chosen === "keep") return this.record?.expires_at ?? null;
    if (chosen !== "date") return Math.floor(Date.now() / 1000) + (EXPIRIES[chosen as Expiry] ?? 0);
    const at = Math.floor(new Date(this.date.value).getTime() / 1000);
    return Number.isFinite(at) && at * 1000 > Date.now() ? at : undefined;
  }

  /** All fields, or undefined once the first wrong one is marked. */
  private filled(): Filled | undefined {
    for (const control of this.controls) fault(control, "");
    const name = this.name.value.trim();
    if (name === "") return this.wrong(this.name, t("badName"));
    const expires_at = this.expiresAt();
    if (expires_at === undefined) return this.wrong(this.date, t("badDate"));
    const ttl = this.ttl.value.trim();
    if (!/^\d{0,9}$/.test(ttl)) return this.wrong(this.ttl, t("badNumber"));
    const limits = this.limits.read();
    if ("wrong" in limits) {
      limits.wrong.focus();
      return undefined;
    }
    const metadata: [string, string][] = [];
    for (const line of this.metadata.value.split("\n").filter((one) => one.trim())) {
      const at = line.indexOf("=");
      if (at <= 0 || line.slice(0, at).trim() === "") return this.wrong(this.metadata, t("badMetadata"));
      metadata.push([line.slice(0, at).trim(), line.slice(at + 1).trim()]);
    }
    return {
      name, owner: this.owner.value.trim(), role: this.role.value as Role, models: orNull(lines(this.models.value)),
      // In the order of the list, so that ticking and unticking changes nothing.
      endpoints: orNull([...this.chosen].sort()), ips: orNull(lines(this.ips.value)), guide_compatible: this.guide.checked,
      token_ttl_s: ttl === "" ? null : Number(ttl), limits: limits.value, metadata: Object.fromEntries(metadata), expires_at,
    };
  }

  /** What to send: every field of a new key that is not empty, or the differences from the old one. */
  fields(): KeyFields | undefined {
    const filled = this.filled();
    if (!filled) return undefined;
    const { record } = this;
    if (!record) {
      const isGiven = ([, value]: [string, unknown]): boolean =>
        value !== null && value !== "" && !(typeof value === "object" && value !== null && Object.keys(value).length === 0);
      return Object.fromEntries(Object.entries(filled).filter(isGiven)) as KeyFields;
    }
    const change: KeyFields = {};
    const put = <K extends keyof KeyFields>(key: K, value: KeyFields[K], old: unknown): void => {
      if (!same(value, old)) change[key] = value;
    };
    put("name", filled.name, record.name);
    put("owner", filled.owner === "" ? null : filled.owner, record.owner || null);
    put("role", filled.role, record.role);
    put("models", filled.models, orNull(record.models ?? []));
    put("endpoints", filled.endpoints, orNull([...(record.endpoints ?? [])].sort()));
    put("ips", filled.ips, orNull(record.ips ?? []));
    put("guide_compatible", filled.guide_compatible, record.guide_compatible);
    put("token_ttl_s", filled.token_ttl_s, record.token_ttl_s);
    put("expires_at", filled.expires_at, record.expires_at);
    const before = record.limits ?? {};
    const limits = limitsChange(before, filled.limits ?? {});
    if (!same(limits, limitsChange(before, before))) change.limits = limits;
    const old = record.metadata ?? {};
    const gone = Object.keys(old).filter((key) => !Object.hasOwn(filled.metadata, key));
    const sorted = (map: Record<string, string>): [string, string][] => Object.entries(map).sort(([left], [right]) => (left < right ? -1 : 1));
    if (!same(sorted(filled.metadata), sorted(old))) change.metadata = { ...filled.metadata, ...Object.fromEntries(gone.map((key) => [key, null])) };
    return change;
  }

  /** Marks the field that the gate complains about; whether there is one. */
  blame(error: unknown): boolean {
    if (!(error instanceof ApiError) || !error.param || error.message === "") return false;
    const { param } = error;
    const control = this.controls.find((one) => one.dataset.field === param) ?? this.controls.find((one) => param.startsWith(one.dataset.field ?? " "));
    if (!control) return false;
    this.wrong(control, error.message);
    return true;
  }
}

/** What the form offers: the roles' operations and the defaults, where they can be had. */
async function offered(context: Context): Promise<[Roles | undefined, Defaults | undefined]> {
  const [roles, defaults] = await Promise.allSettled([
    context.can("roles") ? api.roles(context.signal) : Promise.reject(new Error("not allowed")),
    context.can("limits") ? api.defaults(context.signal) : Promise.reject(new Error("not allowed")),
  ]);
  return [roles.status === "fulfilled" ? roles.value : undefined, defaults.status === "fulfilled" ? defaults.value : undefined];
}

async function openForm(record: KeyRecord | undefined, context: Context, send: (fields: KeyFields) => Promise<() => void>): Promise<void> {
  const [roles, defaults] = await offered(context);
  if (context.signal.aborted || document.querySelector("dialog[open]")) return;
  const dialog = openDialog(record ? dict().edit(record.name) : t("newKey"), { wide: true });
  const form = new KeyForm(record, roles, defaults);
  dialog.body.append(form.node);
  const submit = button(t(record ? "save" : "create"), () => form.node.requestSubmit(), "primary");
  dialog.foot.append(button(t("cancel"), dialog.close), submit);
  form.focus();
  form.node.addEventListener("submit", (event) => {
    event.preventDefault();
    const fields = form.fields();
    if (!fields || submit.disabled) return;
    submit.disabled = true;
    send(fields)
      .then((after) => {
        dialog.close();
        after();
      }, (error: unknown) => {
        if (context.ended(error)) return;
        dialog.fail(error);
        form.blame(error);
      })
      .finally(() => (submit.disabled = false));
  });
}

/** Asks for a new key's fields, makes it, and shows it once. */
export function createKey(context: Context, changed: () => void): Promise<void> {
  return openForm(undefined, context, async (fields) => {
    const made = await api.create(fields);
    return () => {
      tell(dict().done.created(made.name));
      changed();
      showOnce(made);
    };
  });
}

/** Changes what differs. */
export function editKey(record: KeyRecord, context: Context, changed: () => void): Promise<void> {
  return openForm(record, context, async (fields) => {
    if (Object.keys(fields).length === 0) return () => tell(t("changedNothing"));
    const { name } = await api.change(record.id, fields);
    return () => {
      tell(dict().done.changed(name));
      changed();
    };
  });
}
