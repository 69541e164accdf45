/** Order statistics over small samples. No means: one stall of the machine would own them. */

/** The value below which the share `q` (0 to 1) of the sample lies, interpolated; `NaN` for an empty sample. */
export function quantile(sample, q) {
  if (sample.length === 0) return NaN;
  const sorted = Float64Array.from(sample).sort();
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}

export const median = (sample) => quantile(sample, 0.5);

/** Median with the range it came from, and the sample itself for whoever reads the JSON. */
export function summary(sample) {
  return { median: median(sample), min: Math.min(...sample), max: Math.max(...sample), sample };
}
