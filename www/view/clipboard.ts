/** Copying, with an answer to the click: the button's icon says whether it worked. */
import { name, type TextKey } from "../i18n/index.js";
import { copyText } from "./copy.js";
import { icon } from "./dom.js";

const SHOWN_MS = 1_500;

/** Copies `text()` and says so on `button`. */
export async function copyFrom(button: HTMLButtonElement, text: string, label: TextKey): Promise<void> {
  const worked = await copyText(text);
  button.replaceChildren(icon(worked ? "check" : "cross"));
  name(button, worked ? "copied" : "copyFailed");
  setTimeout(() => {
    button.replaceChildren(icon("copy"));
    name(button, label);
  }, SHOWN_MS);
}
