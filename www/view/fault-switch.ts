/** The fault in force, beside the menus: a button that opens the panel of faults, and one that switches the fault off. */
import type { ChosenFault } from "../faults.js";
import { currentLanguage, name, t } from "../i18n/index.js";
import { h, icon, iconButton, show, write } from "./dom.js";
import type { FaultPanel } from "./fault-panel.js";

export interface FaultActions {
  choose(fault: ChosenFault | undefined): void;
  /** Asks a question of the page's with it. */
  tryOut(fault: ChosenFault): void;
}

export class FaultSwitch {
  private fault: ChosenFault | undefined;
  private panel: Promise<FaultPanel> | undefined;
  private readonly label = h("span", "fault-label");
  private readonly button = h("button", "pick fault-open", icon("bolt"), this.label);
  private readonly off = iconButton("cross", "faultOff", () => {
    this.choose(undefined);
    this.button.focus();
  }, "quiet small fault-off");

  constructor(private readonly root: HTMLElement, private readonly dialog: HTMLDialogElement, private readonly actions: FaultActions) {
    this.button.type = "button";
    this.button.addEventListener("click", () => this.open());
    root.append(this.button, this.off);
    this.draw();
  }

  /** Shows the switch where an upstream can be asked to misbehave. */
  offer(scripted: boolean): void {
    show(this.root, scripted);
    if (!scripted && this.fault) this.choose(undefined);
  }

  /** Opens the panel, which comes when it is first asked for. */
  open(): void {
    this.panel ??= import("./fault-panel.js").then(({ FaultPanel }) => new FaultPanel(this.dialog, {
      choose: (fault) => this.choose(fault),
      tryOut: (fault) => {
        this.choose(fault);
        this.actions.tryOut(fault);
      },
    }));
    this.panel.then((panel) => panel.open(this.fault), () => {
      this.panel = undefined;
    });
  }

  /** Brings the texts up to date. */
  draw(): void {
    const { fault } = this;
    this.root.classList.toggle("on", fault !== undefined);
    show(this.off, fault !== undefined);
    write(this.label, fault?.words ?? "");
    show(this.label, fault !== undefined);
    name(this.button, "faults", false);
    if (fault) this.button.setAttribute("aria-label", `${t("faultOn")}: ${fault.title[currentLanguage()]}`);
    this.button.title = fault ? fault.title[currentLanguage()] : t("faults");
    void this.panel?.then((panel) => panel.draw());
  }

  private choose(fault: ChosenFault | undefined): void {
    this.fault = fault;
    this.actions.choose(fault);
    this.draw();
  }
}

