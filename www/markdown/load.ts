/** The Markdown engine, fetched beside the page instead of before it: nothing needs it until the first words of an answer. */
type Engine = typeof import("./stream.js");

let engine: Engine | undefined;
let loading: Promise<void> | undefined;
let ready: () => void = () => undefined;

/** The engine, if it is there; else its fetch is under way, begun anew after a failure. */
export function markdownEngine(): Engine | undefined {
  if (!engine) {
    loading ??= import("./stream.js").then((loaded) => {
      engine = loaded;
      ready();
    }, () => {
      loading = undefined;
    });
  }
  return engine;
}

/** Calls `listener` when the engine has come. */
export function onMarkdownReady(listener: () => void): void {
  ready = listener;
}
