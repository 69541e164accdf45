// What the page shows of recovery, in Chromium, through what `npm start` serves: two scripted upstreams, of which the second stands in.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DONE, PAGE_URL, visitors } from "./visitor.mjs";

const LAST = ".assistant:last-child";
const MENU = '#model option[value="deepseek-flash"]';
const opening = visitors({ viewport: { width: 1100, height: 800 }, ready: "#fault:not([hidden])" });

async function visit(options, prepare) {
  const page = await opening(options, prepare);
  await page.waitForSelector(MENU, { state: "attached" });
  return page;
}

/** Chooses a fault in the panel; `words` say when. */
async function choose(page, id, words) {
  await page.click(".fault-open");
  await page.waitForSelector(".fault-row");
  await page.fill(".fault-search", "");
  await page.check(`.fault-row input[value="${id}"]`);
  if (words !== undefined) await page.selectOption(".fault-schedule", words);
}

async function tryOut(page, id, words) {
  await choose(page, id, words);
  await page.click(".try-fault");
  await page.waitForSelector(LAST);
}

const done = (page) => page.waitForSelector(DONE, { timeout: 60_000 });
const texts = (page, selector) => page.locator(`${LAST} ${selector}`).allTextContents();

test("a fault is searched, chosen and tried with the keyboard alone, and switched off again", async () => {
  const page = await visit();
  await page.focus(".fault-open");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#faults[open] .fault-row");
  await page.waitForFunction(() => document.activeElement?.classList.contains("fault-search"));
  const all = await page.locator(".fault-row:visible").count();
  assert.ok(all > 50, `${all} faults`);
  await page.keyboard.type("cut text");
  await page.waitForFunction((count) => document.querySelectorAll(".fault-row:not([hidden])").length < count, all);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Space");
  await page.waitForSelector(".fault-detail:not([hidden])");
  const chosen = await page.evaluate(() => document.querySelector(".fault-row input:checked").value);
  assert.match(chosen, /^cut-/);
  assert.match(await page.textContent(".fault-detail .without"), /Without recovery .*beginning of an answer/);
  await page.selectOption(".fault-schedule", "-first-of-2");
  assert.match(await page.textContent(".fault-detail code"), /-first-of-2$/);
  await page.focus(".fault-row input:checked");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#faults:not([open])", { state: "attached" });
  await done(page);
  assert.match(await page.textContent(`${LAST} .model-name`), /\+cut-.*-first-of-2/);
  assert.equal(await page.evaluate(() => document.activeElement.id), "question");
  await page.focus(".fault-off");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator(".fault-off:visible").count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement.className.includes("fault-open")), true);
  await page.fill("#question", "And now?");
  await page.press("#question", "Enter");
  await done(page);
  assert.doesNotMatch(await page.textContent(`${LAST} .model-name`), /cut/);
});

test("a search without a match says so, Esc closes the panel, and nothing is chosen by that", async () => {
  const page = await visit();
  await page.click(".fault-open");
  await page.waitForSelector(".fault-row");
  assert.ok(await page.isDisabled(".try-fault"));
  await page.keyboard.type("no such thing");
  await page.waitForSelector(".fault-none:not([hidden])");
  await page.keyboard.press("Escape");
  // The first Esc empties a search field in some browsers.
  if (await page.locator("#faults[open]").count()) await page.keyboard.press("Escape");
  assert.equal(await page.locator("#faults[open]").count(), 0);
  assert.equal(await page.locator(".fault-off:visible").count(), 0);
});

test("one attempt without an event is one quiet line", async () => {
  const page = await visit();
  await page.fill("#question", "Hello");
  await page.press("#question", "Enter");
  await done(page);
  assert.match(await page.textContent(`${LAST} .trace-quiet`), /^One attempt: first token after .+, .+ in all\.$/);
  assert.equal(await page.locator(".trace-rows").count(), 0);
});

test("a retry has its row, its failure and its pause, in the chart and in the table", async () => {
  const page = await visit();
  await tryOut(page, "reset", "-first-of-2");
  await done(page);
  assert.match(await page.textContent(`${LAST} .trace-summary`), /^2 attempts · .+ of waiting · answered by DeepSeek-R1 \(scripted\)$/);
  assert.deepEqual(await texts(page, ".trace-row.inner .trace-end.failed"), ["network"]);
  assert.equal(await page.locator(`${LAST} .trace-track .segment.pause`).count(), 1);
  assert.equal(await page.locator(`${LAST} .trace-row.inner .mark.failed`).count(), 1);
  await page.click(`${LAST} .trace-table summary`);
  const rows = await page.locator(`${LAST} .trace-table tbody tr`).allTextContents();
  assert.equal(rows.length, 3);
  assert.match(rows[1], /network: /);
  assert.match(rows[1], /pause/);
  assert.match(rows[2], /complete/);
  const [without, here] = await texts(page, ".compared dd");
  assert.match(without, /network error/i);
  assert.match(here, /whole answer after 2 attempts/);
});

test("a silent upstream is left for the lighter model, and the head says who answers", async () => {
  const page = await visit();
  await tryOut(page, "silence", "");
  await done(page);
  assert.match(await page.textContent(`${LAST} .model-name`), /→ scripted-mini$/);
  assert.match(await page.textContent(`${LAST} .trace-summary`), /answered by scripted-mini \(scripted-b\)/);
  assert.deepEqual(await texts(page, ".trace-row.inner .trace-model"), ["DeepSeek-R1", "scripted-mini"]);
  assert.match(await page.textContent(`${LAST} .trace-row.inner .trace-end.failed`), /^timeout_/);
});

test("a cut answer goes on: whole text, one seam with its reason, which is neither copied nor selected", async () => {
  const page = await visit();
  await page.selectOption("#model", "deepseek-v4-pro");
  await choose(page, "cut-text-N", "-first-of-2");
  await page.click(".use-fault");
  await page.fill("#question", "Explain");
  await page.press("#question", "Enter");
  await done(page);
  assert.equal(await page.locator(".failure").count(), 0);
  const seam = page.locator(`${LAST} .seam`);
  assert.equal(await seam.count(), 1);
  await seam.focus();
  assert.match(await page.textContent(`${LAST} .seam-tip`), /broke off here, and was gone on with/);
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector(".seam-tip")).visibility), "visible");
  const inside = await page.evaluate(() => {
    const [mark, prose] = [".seam", ".answer"].map((one) => document.querySelector(`.assistant:last-child ${one}`).getBoundingClientRect());
    return mark.top >= prose.top - 2 && mark.bottom <= prose.bottom + 2 && mark.left + 12 >= prose.left && mark.right - 12 <= prose.right + 1;
  });
  assert.ok(inside, "the mark lies on the text");
  await page.click(`${LAST} .copy-answer`);
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.doesNotMatch(copied, /broke off/);
  const selected = await page.evaluate(() => {
    getSelection().selectAllChildren(document.querySelector(".assistant:last-child .answer"));
    return getSelection().toString();
  });
  assert.doesNotMatch(selected, /broke off/);
  assert.equal(await page.locator(`${LAST} .trace-row.inner .mark.continued`).count(), 1);
  // The same question without the fault has the same answer: nothing is lost or doubled at the seam.
  await page.click(".fault-off");
  await page.fill("#question", "Explain");
  await page.press("#question", "Enter");
  await page.waitForFunction(() => document.querySelectorAll('.assistant[aria-busy="false"]').length === 2, undefined, { timeout: 60_000 });
  const [first, second] = await page.locator(".answer").allTextContents();
  assert.equal(first, second);
  // It survives a reload and the other language.
  await page.reload();
  await page.waitForSelector(".seam");
  await page.click("#language");
  await page.waitForFunction(() => /回答在这里中断/.test(document.querySelector(".seam-tip")?.textContent ?? ""));
});

test("the seam stays at its letter when the window narrows", async () => {
  const page = await visit();
  await page.selectOption("#model", "deepseek-v4-pro");
  await tryOut(page, "cut-text-N", "-first-of-2");
  await done(page);
  const place = () => page.evaluate(() => {
    document.querySelector(".seam").scrollIntoView({ block: "center" });
    const box = document.querySelector(".seam").getBoundingClientRect();
    const range = document.caretRangeFromPoint(box.left + 12, box.top + box.height / 2);
    const before = document.createRange();
    before.setStart(document.querySelector(".answer"), 0);
    before.setEnd(range.startContainer, range.startOffset);
    return before.toString().match(/[\p{L}\p{N}]/gu)?.length ?? 0;
  });
  await page.evaluate(() => document.querySelectorAll(".seam").forEach((node) => node.style.setProperty("pointer-events", "none")));
  const wide = await place();
  await page.setViewportSize({ width: 390, height: 800 });
  await page.waitForTimeout(300);
  assert.ok(wide > 5 && Math.abs((await place()) - wide) <= 1, `${wide} letters before the seam, then ${await place()}`);
});

/** An answer of ours in the gate's place. */
const stream = (...lines) => ({ status: 200, headers: { "content-type": "text/event-stream" }, body: lines.map((line) => `${line}\n\n`).join("") });
const said = (content, more = {}) => `data: ${JSON.stringify({ id: "1", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta: { content }, finish_reason: null, ...more }] })}`;

test("a wait is counted down at the head of the answer while it lasts, and is spoken once", async () => {
  const page = await visit();
  let calls = 0;
  await page.route("**/chat/completions", (route) => {
    calls += 1;
    if (calls === 1) return route.fulfill({ status: 429, headers: { "retry-after": "3" }, json: { error: { message: "Slow down.", type: "rate_limit_error", code: "rate_limited" } } });
    return route.fulfill(stream(said("Here."), said("", { finish_reason: "stop" }), "data: [DONE]"));
  });
  await page.fill("#question", "Hello");
  await page.press("#question", "Enter");
  await page.waitForFunction(() => /^Again in [34] s · Too many requests/.test(document.querySelector(".recovery-text")?.textContent ?? ""));
  const spoken = await page.textContent(".recovery [aria-live=polite]");
  assert.match(spoken, /^Again in [34] s/);
  await page.waitForFunction(() => /^Again in 1 s/.test(document.querySelector(".recovery-text").textContent));
  assert.equal(await page.textContent(".recovery [aria-live=polite]"), spoken);
  await done(page);
  assert.equal(await page.textContent(".recovery-text"), "");
  assert.equal(await page.textContent(`${LAST} .answer`), "Here.");
  assert.match(await page.textContent(`${LAST} .trace-summary`), /^2 attempts · 3\.\d s of waiting/);
});

test("nothing shifts while an answer is waited for, fails over and goes on", async () => {
  const page = await visit();
  for (const [id, words] of [["status-NNN", "-first-of-2"], ["cut-N", "-first-of-2"]]) {
    await tryOut(page, id, words);
    await page.waitForTimeout(600);
    await page.evaluate(() => { globalThis.shifts.length = 0; });
    await done(page);
    await page.waitForTimeout(300);
    const sum = (await page.evaluate(() => globalThis.shifts)).reduce((total, value) => total + value, 0);
    assert.ok(sum < 0.02, `${id}: layout shift ${sum}`);
  }
});

test("Continue joins the rest to an answer that reached its length, in one bubble with one seam", async () => {
  const page = await visit();
  await page.selectOption("#model", "deepseek-v4-pro");
  await tryOut(page, "length-N", "-first-of-2");
  await done(page);
  assert.match(await page.textContent(`${LAST} .note`), /length limit/);
  const half = await page.textContent(`${LAST} .answer`);
  await page.click(`${LAST} .go-on`);
  await page.waitForFunction((length) => document.querySelector(".assistant:last-child .answer").textContent.length > length, half.length, { timeout: 30_000 });
  await done(page);
  assert.equal(await page.locator(".assistant").count(), 1);
  assert.equal(await page.locator(`${LAST} .seam`).count(), 1);
  assert.equal(await page.textContent(`${LAST} .seam-tip`), "You asked for the rest here.");
  assert.equal(await page.locator(`${LAST} .go-on`).count(), 0);
  const whole = await page.textContent(`${LAST} .answer`);
  await page.click(".fault-off");
  await page.click(`${LAST} .regenerate`);
  await done(page);
  assert.equal(await page.textContent(`${LAST} .answer`), whole);
});

test("an answer that failed in the middle can be continued or retried", async () => {
  const page = await visit();
  await page.route("**/chat/completions", (route) => route.fulfill(stream(said("Half of "), 'data: {"error":{"message":"Blocked here.","type":"invalid_request_error","code":"content_policy"}}')));
  await page.fill("#question", "Hello");
  await page.press("#question", "Enter");
  await page.waitForSelector(`${LAST} .failure .go-on`, { timeout: 30_000 });
  assert.equal(await page.locator(`${LAST} .failure .retry`).count(), 1);
  await page.unroute("**/chat/completions");
  let body;
  await page.route("**/chat/completions", (route) => {
    body = route.request().postDataJSON();
    return route.fulfill(stream(said("the answer."), said("", { finish_reason: "stop" }), "data: [DONE]"));
  });
  await page.click(`${LAST} .go-on`);
  await page.waitForFunction(() => document.querySelector(".assistant:last-child .answer").textContent.includes("answer."));
  await done(page);
  assert.match(await page.textContent(`${LAST} .answer`), /^Half of (?:Half of )*the answer\.$/);
  assert.deepEqual(body.messages.slice(-2).map(({ role }) => role), ["assistant", "user"]);
  assert.match(body.messages.at(-1).content, /^Continue/);
  assert.equal(await page.locator(".failure").count(), 0);
});

test("in Chinese, dark and on a phone, everything is there and nothing overflows", async () => {
  const page = await visit({ locale: "zh-CN", colorScheme: "dark", viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
  await page.click(".fault-open");
  await page.waitForSelector(".fault-row");
  assert.match(await page.textContent("#faults h2"), /让它出错/);
  assert.match(await page.textContent(".fault-group legend"), /[一-龥]/);
  await page.fill(".fault-search", "断开连接");
  await page.check('.fault-row input[value="cut-N"]');
  assert.match(await page.textContent(".fault-detail .without"), /没有恢复机制时.*回答的开头/);
  await page.selectOption(".fault-schedule", "-first-of-2");
  await page.click(".try-fault");
  await done(page);
  assert.match(await page.textContent(`${LAST} .trace-summary`), /^2 次请求 · /);
  assert.deepEqual(await texts(page, ".compared dt"), ["没有恢复机制时", "在这里"]);
  await page.click(`${LAST} .trace-table summary`);
  assert.match(await page.textContent(`${LAST} .trace-table thead`), /首个词元/);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  assert.equal(await page.evaluate(() => document.getElementById("scroller").scrollWidth - document.getElementById("scroller").clientWidth), 0);
});

test("without a scripted upstream there is no fault panel, and its list is never fetched", async () => {
  const context = await opening.newContext();
  const page = await context.newPage();
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.route("**/healthz", (route) => route.fulfill({ json: { status: "ok", version: "1", upstreams: [{ name: "real", scripted: false }] } }));
  await page.goto(PAGE_URL);
  await page.waitForSelector('#model option[value="deepseek-flash"]', { state: "attached" });
  assert.equal(await page.locator("#fault:visible").count(), 0);
  assert.equal(await page.locator("#banner:visible").count(), 0);
  assert.ok(!asked.some((path) => /fault/.test(path)), asked.join(" "));
  await context.close();
});

/** A stand-in for Chrome's built-in model: it has to be downloaded, which takes three steps, and then answers. */
const builtIn = () => {
  let state = "downloadable";
  globalThis.LanguageModel = {
    availability: async () => state,
    async create({ monitor, signal } = {}) {
      const target = new EventTarget();
      monitor?.(target);
      if (state !== "available") {
        if (!navigator.userActivation.isActive) throw new DOMException("A click is needed.", "NotAllowedError");
        for (const loaded of [0.25, 0.5, 1]) {
          await new Promise((resolve) => setTimeout(resolve, 150));
          signal?.throwIfAborted();
          target.dispatchEvent(Object.assign(new Event("downloadprogress"), { loaded }));
        }
        state = "available";
      }
      return {
        promptStreaming: () => new ReadableStream({
          start(controller) {
            for (const piece of ["From ", "this ", "device."]) controller.enqueue(piece);
            controller.close();
          },
        }),
        measureContextUsage: async () => 10,
        contextWindow: 4096,
        destroy() {},
      };
    },
  };
};

test("the browser's own model is offered where there is one, prepared on a click, and answers when the gate cannot be reached", async () => {
  const page = await visit({}, (one) => one.addInitScript(builtIn));
  await page.click("#open-settings");
  await page.waitForSelector(".local");
  assert.match(await page.textContent(".local-state"), /Can be downloaded/);
  await page.click(".local-prepare");
  await page.waitForFunction(() => document.querySelector(".local-bar:not([hidden])")?.value >= 0.25);
  await page.waitForFunction(() => document.querySelector(".local-state").textContent === "Ready");
  assert.equal(await page.locator(".local-prepare:visible, .local-bar:visible").count(), 0);
  await page.keyboard.press("Escape");
  await page.route("**/chat/completions", (route) => route.abort());
  await page.fill("#question", "Hello");
  await page.press("#question", "Enter");
  await done(page);
  assert.equal(await page.textContent(`${LAST} .answer`), "From this device.");
  assert.match(await page.textContent(`${LAST} .model-name`), /→ prompt-api$/);
});

test("a browser without a model of its own is offered none, and fetches nothing for it", async () => {
  const asked = [];
  const page = await visit({}, (one) => {
    one.on("request", (request) => asked.push(request.url()));
    return one.addInitScript(() => { delete globalThis.LanguageModel; });
  });
  await page.click("#open-settings");
  assert.equal(await page.locator(".local").count(), 0);
  assert.ok(!asked.some((url) => /local-prompt-api/.test(url)), asked.join(" "));
});
