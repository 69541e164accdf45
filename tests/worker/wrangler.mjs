// The Worker as `wrangler dev` runs it from the checked-in wrangler.jsonc, its database migrated as the README says, over a page of two files.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ROOT } from "./gate.mjs";

const WRANGLER = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
/** No reports, no questions, no look-up of where this machine is. */
const QUIET = { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", CI: "1" };

/**
 * `config` is `GATE_CONFIG`, `secrets` are further variables.
 *
 * @returns `{ url, output(), stop() }`
 */
export async function startWrangler({ config, secrets = {} }) {
  const folder = await mkdtemp(join(tmpdir(), "sluicegate-wrangler-"));
  // The real page is tested in a browser.
  await mkdir(join(folder, "build/www"), { recursive: true });
  await mkdir(join(folder, "worker"));
  await cp(join(ROOT, "worker/wrangler.jsonc"), join(folder, "worker/wrangler.jsonc"));
  await cp(join(ROOT, "worker/migrations"), join(folder, "worker/migrations"), { recursive: true });
  await cp(join(ROOT, "worker/build"), join(folder, "worker/build"), { recursive: true });
  await writeFile(join(folder, "build/www/index.html"), "<!doctype html><title>Page</title>");
  await writeFile(join(folder, "build/www/page.js"), "export {};");
  const variables = Object.entries({ GATE_CONFIG: JSON.stringify(config), ...secrets }).map(([name, value]) => `${name}='${value}'\n`);
  await writeFile(join(folder, "vars.env"), variables.join(""));
  let output = "";
  const wrangler = (...args) => {
    const child = spawn(process.execPath, [WRANGLER, ...args, "--config", join(folder, "worker/wrangler.jsonc"), "--persist-to", join(folder, "state")], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...QUIET },
    });
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
    return child;
  };
  let child;
  let waking;
  const stop = async () => {
    clearInterval(waking);
    if (child?.exitCode === null) {
      child.kill("SIGTERM");
      const killer = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await once(child, "exit");
      clearTimeout(killer);
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    child = wrangler("d1", "migrations", "apply", "DB", "--local");
    const [code] = await once(child, "close");
    if (code !== 0) throw new Error(`the migrations were not applied: ${output}`);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    child = wrangler("dev", "--env-file", join(folder, "vars.env"), "--port", String(port), "--ip", "127.0.0.1", "--show-interactive-dev-session=false");
    const until = Date.now() + 60_000;
    while (!(await fetch(`${url}/healthz`).catch(() => null))?.ok) {
      if (Date.now() > until || child.exitCode !== null) throw new Error(`wrangler dev did not start: ${output}`);
      await delay(200);
    }
    // What stands before the Worker here sends a GET whose connection broke again, but not before the next request comes.
    waking = setInterval(() => void fetch(`${url}/healthz`).catch(() => {}), 1_000);
    return { url, output: () => output, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
