/** What the figures were measured on. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";

const CHROMIUMS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Chromium's path (`CHROMIUM` goes first), or `null`. */
export const chromiumPath = () => [process.env.CHROMIUM, ...CHROMIUMS].find((path) => path && existsSync(path)) ?? null;

export function machine() {
  const chromium = chromiumPath();
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    chromium: chromium && version(chromium),
    loadAtStart: Number(loadavg()[0].toFixed(2)),
  };
}

function version(chromium) {
  const stdio = ["ignore", "pipe", "ignore"];
  return execFileSync(chromium, ["--version"], { encoding: "utf8", stdio }).trim().split(" ").slice(0, 2).join(" ");
}

export function machineLine({ cpu, cores, memoryGiB, platform, node, chromium, loadAtStart }) {
  const line = `${cores} cores of ${cpu}, ${memoryGiB} GiB, ${platform}; Node ${node}; ${chromium ?? "no Chromium"}`;
  // A measurement next to somebody else's work is worth a warning in the output that people keep.
  return loadAtStart > 0.5 ? `${line}; **the machine was busy when this started (load ${loadAtStart})**` : line;
}
