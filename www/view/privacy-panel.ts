/** What was hidden in this conversation, by kind and by what happened to it. Numbers only. */
import type { RedactAction } from "sluicegate/redact";
import type { Chat } from "../chat.js";
import { dict, name, number, say } from "../i18n/index.js";
import { h, iconButton, textButton } from "./dom.js";

interface Sums {
  rows: { type: string; action: RedactAction; count: number }[];
  hidden: number;
  restored: number;
}

/** Each question counts once, however often it is sent again as a part of the conversation. */
export function sumsOf(chat: Chat): Sums {
  const sums: Sums = { rows: [], hidden: 0, restored: 0 };
  for (const turn of chat.path()) {
    if (turn.role === "assistant") sums.restored += turn.restored ?? 0;
    else for (const { type, action } of turn.hidden ?? []) {
      sums.hidden += 1;
      const row = sums.rows.find((row) => row.type === type && row.action === action);
      if (row) row.count += 1;
      else sums.rows.push({ type, action, count: 1 });
    }
  }
  sums.rows.sort((a, b) => b.count - a.count);
  return sums;
}

export class PrivacyPanel {
  private readonly body = h("div", "drawer-body");

  constructor(private readonly dialog: HTMLDialogElement, openSettings: () => void) {
    const title = say(h("h2"), "privacyHere");
    const close = (): void => dialog.close();
    dialog.append(h("div", "drawer-form",
      h("div", "drawer-head", title, iconButton("cross", "close", close)),
      this.body,
      h("div", "drawer-foot", textButton("settings", () => {
        close();
        openSettings();
      }, "quiet"), textButton("done", close, "primary"))));
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) close();
    });
    name(dialog, "privacyHere", false);
  }

  open(chat: Chat): void {
    const { rows, hidden, restored } = sumsOf(chat);
    const most = Math.max(1, ...rows.map(({ count }) => count));
    const list = h("ul", "privacy-bars", ...rows.map(({ type, action, count }) => {
      const bar = h("meter", "privacy-bar");
      bar.max = most;
      bar.value = count;
      bar.setAttribute("aria-hidden", "true");
      const item = h("li", "", h("span", "privacy-kind", dict().nameOf(type)), bar, h("span", "privacy-count", number(count)), h("span", "privacy-how", dict().actions[action]));
      item.dataset.type = type;
      return item;
    }));
    this.body.replaceChildren(
      h("p", "privacy-sum", dict().hiddenHere(hidden, number(hidden))),
      ...(rows.length > 0 ? [list] : []),
      h("p", "privacy-sum", dict().givenCount(restored, number(restored))),
      say(h("p", "hint"), "privacyWhere"),
    );
    this.dialog.showModal();
  }
}
