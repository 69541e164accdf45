/** The model on this device, in the settings: whether it is there, and a button that fetches it. A download begins with a click and never else. */
import { say, t, type TextKey } from "../i18n/index.js";
import type { DeviceModel } from "../local.js";
import { h, show, textButton, write } from "./dom.js";

const STATES = {
  ready: "localReady", downloadable: "localDownloadable", downloading: "localDownloading", unavailable: "localUnavailable",
} as const satisfies Record<string, TextKey>;

export class LocalSection {
  readonly node = h("div", "field local");
  private readonly state = h("span", "local-state");
  private readonly bar = h("progress", "local-bar");
  private readonly prepare = textButton("localPrepare", () => void this.fetch(), "local-prepare");
  private readonly cancel = textButton("localCancel", () => this.loading?.abort(), "local-cancel");
  private loading: AbortController | undefined;
  private failed = false;

  constructor(private readonly model: DeviceModel) {
    const title = say(h("h3"), "local");
    title.id = "local-title";
    this.node.setAttribute("role", "group");
    this.node.setAttribute("aria-labelledby", title.id);
    this.state.setAttribute("role", "status");
    this.bar.setAttribute("aria-labelledby", title.id);
    this.bar.max = 1;
    this.node.append(title, say(h("p", "hint"), "localHint"), h("div", "local-row", this.state, this.bar, this.prepare, this.cancel));
    void this.refresh();
  }

  /** Shows what the browser says now. */
  async refresh(): Promise<void> {
    const availability = await this.model.availability();
    const loading = this.loading !== undefined;
    write(this.state, this.failed ? t("localFailed") : t(loading ? "localDownloading" : STATES[availability]));
    show(this.bar, loading);
    show(this.cancel, loading);
    show(this.prepare, !loading && availability !== "ready" && availability !== "unavailable");
  }

  private async fetch(): Promise<void> {
    const loading = new AbortController();
    this.loading = loading;
    this.failed = false;
    this.bar.removeAttribute("value");
    // On the click itself: the browser asks for one before it downloads.
    const prepared = this.model.prepare({
      signal: loading.signal,
      onProgress: ({ loaded, total = 1 }) => {
        this.bar.value = total > 0 ? loaded / total : 0;
      },
    });
    void this.refresh();
    await prepared.catch(() => {
      this.failed = !loading.signal.aborted;
    });
    this.loading = undefined;
    await this.refresh();
  }
}
