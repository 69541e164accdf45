/**
 * The faults to choose from: grouped, searched by typing, each with what a client without recovery sees of it. Native radio buttons, so
 * that arrow keys, screen readers and phones need nothing from us.
 */
import { choose, type Fault, type FaultList, lacking, loadFaults, matches, takesSchedule, type ChosenFault } from "../faults.js";
import { currentLanguage, dict, name, say, t, type TextKey } from "../i18n/index.js";
import { h, icon, iconButton, show, textButton } from "./dom.js";
import type { FaultActions } from "./fault-switch.js";

/** The groups, in the order of how often one meets them. */
const GROUPS = {
  status: "groupStatus", network: "groupNetwork", silent: "groupSilent", slow: "groupSlow", cut: "groupCut", eof: "groupEof", stall: "groupStall",
  error: "groupError", gaveUp: "groupGaveUp", length: "groupLength", continuation: "groupContinuation", repair: "groupRepair", auth: "groupAuth",
  protocol: "groupProtocol", odd: "groupOdd", answer: "groupAnswer",
} as const satisfies Record<string, TextKey>;

const groupName = (group: string): string => (Object.hasOwn(GROUPS, group) ? t(GROUPS[group as keyof typeof GROUPS]) : group);

export class FaultPanel {
  private list: FaultList | undefined;
  private chosen: Fault | undefined;
  private schedule = "";
  private readonly search = h("input", "fault-search");
  private readonly rows = h("div", "fault-list");
  private readonly detail = h("div", "fault-detail");
  private readonly off = textButton("faultOff", () => this.leave(undefined), "switch-off");
  private readonly use = textButton("faultUse", () => this.leave(this.choice()), "use-fault");
  private readonly tryOut = textButton("faultTry", () => undefined, "primary try-fault");

  constructor(private readonly dialog: HTMLDialogElement, private readonly actions: FaultActions) {
    const title = say(h("h2"), "faults");
    title.id = "faults-title";
    dialog.setAttribute("aria-labelledby", title.id);
    const { search } = this;
    search.type = "search";
    search.autocomplete = "off";
    search.spellcheck = false;
    search.addEventListener("input", () => this.filter());
    search.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowDown") return;
      event.preventDefault();
      const radios = [...this.rows.querySelectorAll<HTMLInputElement>(".fault-row:not([hidden]) input")];
      (radios.find(({ checked }) => checked) ?? radios[0])?.focus();
    });
    const form = h("form", "drawer-form",
      h("div", "drawer-head", title, iconButton("cross", "close", () => dialog.close())),
      h("div", "fault-head", say(h("p", "hint"), "faultsIntro"), search),
      this.rows,
      this.detail,
      h("div", "drawer-foot", this.off, this.use, this.tryOut));
    // Enter in any field of the panel, too.
    this.tryOut.type = "submit";
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    dialog.append(form);
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    this.rows.addEventListener("change", (event) => {
      const { value } = event.target as HTMLInputElement;
      this.pick(this.list?.faults.find(({ id }) => id === value));
    });
    this.draw();
  }

  /** Opens it, with the fault in force chosen. */
  open(current: ChosenFault | undefined): void {
    show(this.off, current !== undefined);
    this.dialog.showModal();
    this.search.select();
    if (this.list) return this.reveal(current);
    loadFaults().then((list) => {
      this.list = list;
      this.draw();
      this.reveal(current);
    }, () => this.rows.replaceChildren(say(h("p", "hint"), "faultsFailed")));
  }

  /** Makes the list and the rest anew, for another language. */
  draw(): void {
    name(this.search, "faultSearch", false);
    this.search.placeholder = t("faultSearch");
    const language = currentLanguage();
    const groups = new Map<string, HTMLElement>(Object.keys(GROUPS).map((group) => [group, this.group(group)]));
    for (const fault of this.list?.faults ?? []) {
      const radio = h("input");
      radio.type = "radio";
      radio.name = "fault";
      radio.value = fault.id;
      radio.checked = fault === this.chosen;
      const row = h("label", "fault-row", radio, h("span", "fault-title", fault.title[language]), h("code", "", fault.id));
      let group = groups.get(fault.group);
      if (!group) groups.set(fault.group, (group = this.group(fault.group)));
      group.append(row);
    }
    const none = say(h("p", "hint fault-none"), "faultNone");
    none.hidden = true;
    this.rows.replaceChildren(...[...groups.values()].filter((group) => group.querySelector("input")), none);
    this.filter();
    this.describe();
  }

  private group(group: string): HTMLElement {
    const node = h("fieldset", "fault-group", h("legend", "", groupName(group)));
    node.dataset.group = group;
    return node;
  }

  private filter(): void {
    const typed = this.search.value.trim();
    let found = 0;
    for (const group of this.rows.querySelectorAll<HTMLElement>(".fault-group")) {
      let any = false;
      for (const row of group.querySelectorAll<HTMLElement>(".fault-row")) {
        const fault = this.list?.faults.find(({ id }) => id === row.querySelector("input")?.value);
        const fits = fault !== undefined && (typed === "" || matches(fault, typed, groupName(fault.group)));
        show(row, fits);
        any ||= fits;
        if (fits) found += 1;
      }
      show(group, any);
    }
    const none = this.rows.querySelector<HTMLElement>(".fault-none");
    if (none) show(none, found === 0 && this.list !== undefined);
  }

  private reveal(current: ChosenFault | undefined): void {
    const fault = current && this.list?.faults.find(({ id }) => id === current.id);
    if (fault) this.schedule = current.words.startsWith(fault.words) ? current.words.slice(fault.words.length) : "";
    this.pick(fault ?? this.chosen);
    const radio = this.rows.querySelector<HTMLInputElement>("input:checked");
    radio?.closest("label")?.scrollIntoView({ block: "nearest" });
  }

  private pick(fault: Fault | undefined): void {
    this.chosen = fault;
    for (const radio of this.rows.querySelectorAll("input")) radio.checked = radio.value === fault?.id;
    this.describe();
  }

  /** What the chosen fault does, when it does it, and how it is asked for. */
  private describe(): void {
    const { chosen, list } = this;
    this.use.disabled = this.tryOut.disabled = chosen === undefined;
    show(this.detail, chosen !== undefined);
    if (!chosen || !list) return;
    const words = h("code", "", `+${this.choice()?.words ?? ""}`);
    const parts: (Node | null)[] = [h("p", "without", icon("warn"), h("span", "", say(h("strong"), "without"), " ", chosen.sees[currentLanguage()]))];
    if (takesSchedule(chosen)) {
      const menu = h("select", "fault-schedule");
      for (const schedule of list.schedules) {
        const option = h("option", "", schedule.title[currentLanguage()]);
        option.value = schedule.words;
        menu.append(option);
      }
      menu.value = this.schedule;
      if (menu.selectedIndex < 0) menu.value = this.schedule = "";
      menu.addEventListener("change", () => {
        this.schedule = menu.value;
        words.textContent = `+${this.choice()?.words ?? ""}`;
      });
      const label = h("label", "field inline", say(h("span"), "faultWhen"), menu);
      parts.push(label);
    }
    const lacks = lacking(chosen);
    if (lacks.length > 0) parts.push(h("p", "hint", dict().lacks(lacks.map((need) => dict().needs[need] ?? need).join(", "))));
    parts.push(h("p", "hint", say(h("span"), "faultWords"), " ", words));
    this.detail.replaceChildren(...parts.filter((part) => part !== null));
  }

  private choice(): ChosenFault | undefined {
    return this.chosen && choose(this.chosen, this.schedule);
  }

  private submit(): void {
    const fault = this.choice();
    if (!fault) return;
    this.dialog.close();
    this.actions.tryOut(fault);
  }

  private leave(fault: ChosenFault | undefined): void {
    this.actions.choose(fault);
    this.dialog.close();
  }
}
