/**
 * Finds stop strings in text that comes in pieces, in time linear in the text for each stop string (Knuth, Morris and Pratt's prefix
 * function). What may be the beginning of one is held back: never more than the longest stop string.
 */
export class StopFinder {
  #patterns: { stop: string; fallback: number[]; matched: number }[];
  #held = "";

  constructor(stops: readonly string[]) {
    this.#patterns = stops.map((stop) => ({ stop, fallback: prefixes(stop), matched: 0 }));
  }

  /** Takes a piece; gives the text that is safe to show, and whether a stop string followed it. */
  push(piece: string): { text: string; stopped: boolean } {
    const text = this.#held + piece;
    let longest = 0;
    for (let at = this.#held.length; at < text.length; at++) {
      longest = 0;
      let found = 0;
      for (const pattern of this.#patterns) {
        const { stop, fallback } = pattern;
        while (pattern.matched > 0 && stop[pattern.matched] !== text[at]) pattern.matched = fallback[pattern.matched - 1] ?? 0;
        if (stop[pattern.matched] === text[at]) pattern.matched += 1;
        if (pattern.matched === stop.length) found = Math.max(found, stop.length);
        longest = Math.max(longest, pattern.matched);
      }
      if (found > 0) {
        this.#held = "";
        return { text: text.slice(0, at + 1 - found), stopped: true };
      }
    }
    if (piece === "") longest = this.#held.length;
    this.#held = text.slice(text.length - longest);
    return { text: text.slice(0, text.length - longest), stopped: false };
  }

  /** What was held back and turned out to be text. */
  flush(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }
}

/** For each prefix of `stop`, how long its longest proper prefix is that also ends it. */
function prefixes(stop: string): number[] {
  const lengths = [0];
  for (let at = 1, matched = 0; at < stop.length; at++) {
    while (matched > 0 && stop[matched] !== stop[at]) matched = lengths[matched - 1] ?? 0;
    if (stop[matched] === stop[at]) matched += 1;
    lengths.push(matched);
  }
  return lengths;
}
