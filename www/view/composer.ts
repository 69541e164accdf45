/** The question field, and one button that sends or, while an answer comes, stops. */
import { name } from "../i18n/index.js";
import { icon } from "./dom.js";

/**
 * Whether Enter sends. Never while an input method composes: Chromium says so by `isComposing`, Safari's confirming Enter
 * comes after the composition has ended and is told by key code 229 alone.
 */
export const sendsOnEnter = (event: KeyboardEvent): boolean =>
  !(event.isComposing || event.keyCode === 229) && event.key === "Enter" && !event.shiftKey && !event.altKey;

export interface ComposerActions {
  send(text: string): void;
  stop(): void;
  /** The text was put there or taken away by the page. */
  edited?(): void;
}

export class Composer {
  private streaming = false;

  constructor(private readonly field: HTMLTextAreaElement, private readonly button: HTMLButtonElement, private readonly actions: ComposerActions) {
    field.addEventListener("keydown", (event) => {
      if (!sendsOnEnter(event)) return;
      event.preventDefault();
      this.submit();
    });
    field.addEventListener("input", () => this.refresh());
    button.addEventListener("click", (event) => {
      if (!this.streaming) this.submit();
      // The second half of a double click on Send is not a wish to stop.
      else if (event.detail < 2) this.stop();
    });
    this.refresh();
  }

  /** While an answer comes, the button stops it, and Enter waits. */
  setStreaming(streaming: boolean): void {
    this.streaming = streaming;
    this.refresh();
  }

  focus(): void {
    this.field.focus({ preventScroll: true });
  }

  /** Puts a text in place of what is there, for the reader to look at and send. */
  fill(text: string): void {
    this.focus();
    this.field.select();
    // As if typed, so that it can be undone; the command fails only where the field cannot be edited.
    if (!document.execCommand("insertText", false, text)) this.field.value = text;
    this.refresh();
    this.actions.edited?.();
  }

  /** Shows the reader a place in the text. */
  select(start: number, end: number): void {
    this.focus();
    this.field.setSelectionRange(start, end);
  }

  /** Ends the answer; the focus is in the field then, ready for the next question. */
  stop(): void {
    this.actions.stop();
    this.focus();
  }

  private submit(): void {
    const text = this.field.value.trim();
    if (this.streaming || text === "") return;
    this.field.value = "";
    this.refresh();
    this.actions.edited?.();
    this.actions.send(text);
    this.focus();
  }

  private refresh(): void {
    const stop = this.streaming;
    if (this.button.dataset.does !== (stop ? "stop" : "send")) {
      this.button.dataset.does = stop ? "stop" : "send";
      this.button.replaceChildren(icon(stop ? "stop" : "send"));
      name(this.button, stop ? "stop" : "send");
    }
    this.button.disabled = !stop && this.field.value.trim() === "";
  }
}
