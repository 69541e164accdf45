/** The role table as the gate applies it. */
import { api } from "../api.js";
import type { Context, View } from "../context.js";
import { roleText } from "../format.js";
import { dict, t } from "../i18n/index.js";
import type { Place } from "../place.js";
import { type List, type Role, type RoleRow } from "../types.js";
import { h, icon, Loaded, rowHead, table } from "../ui.js";

function draw({ data }: List<RoleRow>): Node {
  const operations = [...new Set(data.flatMap((row) => row.operations))];
  const rows = operations.map((operation) => h("tr", "", rowHead(h("code", "", operation)), ...data.map((row) => {
    const may = row.operations.includes(operation);
    const cell = h("td", may ? "may" : "may-not", may ? icon("check") : h("span", "", "–"), h("span", "unseen", may ? dict().may(roleText(row.role), operation) : t("no")));
    cell.dataset.role = row.role;
    return cell;
  })));
  const about = data.map((row) => h("div", "", h("dt", "", roleText(row.role)), h("dd", "", dict().roles[row.role as Role | "anonymous"]?.[1] ?? "")));
  const shown = table(t("roles"), [t("operation"), ...data.map((row) => roleText(row.role))], rows);
  shown.classList.add("roles-table");
  return h("div", "", h("dl", "role-list", ...about), shown);
}

export function rolesView(_: Place, context: Context): View {
  const loaded = new Loaded<List<RoleRow>>((signal) => api.roles(signal), draw, { signal: context.signal, onError: context.ended });
  void loaded.load();
  return { title: t("roles"), node: h("div", "", h("p", "lead", t("rolesText")), loaded.node) };
}
