/**
 * What a screen reader hears of a stream: that it began, that it goes on, how it ended. The transcript itself is no live
 * region, for words that arrive thirty times a second cannot be listened to.
 */
import { t, type TextKey } from "../i18n/index.js";

const STILL_MS = 7_000;

export class Announcer {
  private nextAt = 0;

  constructor(private readonly region: HTMLElement) {}

  /** Something has begun that the reader knows of. */
  begin(now: number): void {
    this.nextAt = now + STILL_MS;
  }

  /** Says a text now. */
  say(key: TextKey, now: number): void {
    this.region.textContent = t(key);
    this.nextAt = now + STILL_MS;
  }

  /** Says that it goes on, if nothing was said for a while. */
  still(key: TextKey, now: number): void {
    if (now < this.nextAt) return;
    // The same text again is not spoken: an unseen difference makes it new.
    const text = t(key);
    this.region.textContent = this.region.textContent === text ? `${text}\u00a0` : text;
    this.nextAt = now + STILL_MS;
  }
}
