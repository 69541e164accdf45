/** GitHub-style Markdown tables and the number formats in them. */

/** How many terminal columns a text takes: the tables hold no wide characters. */
const width = (text) => [...text].length;

/** A table; the first column is text, the others are numbers and right-aligned. */
export function table(headers, rows) {
  const cells = [headers, ...rows].map((row) => row.map(String));
  const widths = headers.map((_, column) => Math.max(3, ...cells.map((row) => width(row[column]))));
  const line = (row) =>
    `| ${row.map((cell, column) => (column === 0 ? cell + pad(cell, widths[0]) : pad(cell, widths[column]) + cell)).join(" | ")} |`;
  const rule = `|${widths.map((w, column) => (column === 0 ? "-".repeat(w + 2) : `${"-".repeat(w + 1)}:`)).join("|")}|`;
  return [line(cells[0]), rule, ...cells.slice(1).map(line)].join("\n");
}

const pad = (cell, to) => " ".repeat(to - width(cell));

/** Three significant digits, no exponent; an en dash for what was not measured. */
export function number(value) {
  if (value === undefined || value === null || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  const digits = size >= 100 || size === 0 ? 0 : Math.min(3, 2 - Math.floor(Math.log10(size)));
  return value.toFixed(digits);
}

export const range = ({ min, max }) => `${number(min)}–${number(max)}`;

/** How often `base` fits into `value`: `2.31 ×`. */
export const ratio = (value, base) =>
  Number.isFinite(value) && Number.isFinite(base) && base !== 0 ? `${number(value / base)} ×` : "–";

export const kilobytes = (bytes) => (bytes === undefined ? "–" : `${(bytes / 1000).toFixed(1)} KB`);
