// A visitor of the page, for suites of tests: a fresh context each, and after each test no error and no violation of the page's policy.
import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import { launchChromium } from "./chromium.mjs";

export const PAGE_URL = process.env.PAGE_URL;
export const DONE = '.assistant:last-child[aria-busy="false"]';

/**
 * Registers the hooks, for visits to `home`. Gives `visit(options, prepare, { ready, url })`: a page in a context with `options`, prepared by `prepare(page)` before it
 * goes to `url`, once what `ready` selects is there. The page's `violations` and `shifts` (of layout, none that the visitor caused) are global there.
 */
export function visitors({ viewport = { width: 1100, height: 700 }, ready: usual, home = PAGE_URL }) {
  let browser;
  let opened = [];

  before(async () => {
    if (!home) throw new Error("PAGE_URL has to name the running page.");
    browser = await launchChromium();
  });

  after(() => browser?.close());

  afterEach(async () => {
    const pages = opened;
    opened = [];
    for (const { page, problems } of pages) {
      const violations = page.isClosed() ? [] : await page.evaluate(() => globalThis.violations);
      await page.context().close();
      assert.deepEqual(violations, [], "violations of the content security policy");
      assert.deepEqual(problems, [], "errors in the page");
    }
  });

  async function visit(options = {}, prepare = () => undefined, { ready = usual, url = home } = {}) {
    const context = await browser.newContext({ viewport, locale: "en-US", colorScheme: "light", permissions: ["clipboard-read", "clipboard-write"], ...options });
    const page = await context.newPage();
    const problems = [];
    page.on("pageerror", (error) => problems.push(error.message));
    await page.addInitScript(() => {
      globalThis.violations = [];
      globalThis.shifts = [];
      document.addEventListener("securitypolicyviolation", (event) => globalThis.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.shifts.push(entry.value);
      }).observe({ type: "layout-shift", buffered: true });
    });
    await prepare(page);
    opened.push({ page, problems });
    await page.goto(url);
    await page.waitForSelector(`html[data-ready] ${ready}`, { state: "attached" });
    return page;
  }
  /** A context of its own, which whoever asks for it closes. */
  visit.newContext = (options) => browser.newContext(options);
  return visit;
}

/** Chooses a model, by the menu or, if the menu does not list it, by its name. */
export async function chooseModel(page, model) {
  const listed = await page.evaluate((id) => [...document.querySelectorAll("#model option")].some((option) => option.value === id), model);
  if (listed) return page.selectOption("#model", model);
  await page.selectOption("#model", await page.evaluate(() => [...document.querySelectorAll("#model option")].at(-1).value));
  await page.fill("#model-name", model);
  await page.dispatchEvent("#model-name", "change");
}
