/** The other side of a message: its text as the upstream has it, and the button that turns to it. */
import { name, type TextKey } from "../i18n/index.js";
import { h, icon, write } from "./dom.js";

/** Shows `text` with what stands for hidden values set apart. */
export function showRaw(room: HTMLElement, text: string, spans: readonly { from: number; to: number }[]): void {
  room.replaceChildren();
  let at = 0;
  for (const { from, to } of spans) {
    if (from < at) continue;
    room.append(text.slice(at, from), h("mark", "token", text.slice(from, to)));
    at = to;
  }
  room.append(text.slice(at));
}

/** Turns a message over, and back. */
export class Switch {
  readonly node: HTMLButtonElement;
  private readonly text = h("span", "switch-text");
  on = false;

  constructor(key: TextKey, turn: (on: boolean) => void) {
    this.node = h("button", "quiet small upstream-switch", icon("eye"), this.text);
    this.node.type = "button";
    this.node.setAttribute("aria-pressed", "false");
    name(this.node, key);
    this.node.addEventListener("click", () => {
      this.on = !this.on;
      this.node.setAttribute("aria-pressed", String(this.on));
      turn(this.on);
    });
  }

  /** What there is to see, in few words, and in more for whoever asks. */
  say(text: string, more = ""): void {
    write(this.text, text);
    if (more !== "") this.node.setAttribute("aria-description", more);
    else this.node.removeAttribute("aria-description");
  }
}
