// Hiding what is private, as the page shows it: while it is typed, on the wire, and back in the answer. Through what `npm start` serves, and
// where a test has to know what arrived, through the same files before an upstream of its own, whose journal it reads.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startUpstream } from "../upstream/index.mjs";
import { serve } from "./serve.mjs";
import { chooseModel, DONE, PAGE_URL, visitors } from "./visitor.mjs";

const LAST = ".assistant:last-child";
const MODEL = "deepseek-flash";
const visit = visitors({ viewport: { width: 1100, height: 800 }, ready: `#model option[value="${MODEL}"]` });
let upstream;
let site;

before(async () => {
  upstream = await startUpstream({ dialect: "deepseek" });
  const policy = (await fetch(PAGE_URL)).headers.get("content-security-policy");
  site = await serve(fileURLToPath(new URL("../../build/www", import.meta.url)), upstream.url, { headers: { "content-security-policy": policy } });
});

after(async () => {
  await site?.close();
  await upstream?.close();
});

// Valid by their check digits, and nobody's.
const PHONE = "13912345678";
const CARD = "11010519491231002X";
const MAIL = "li.lei@mail-box.cn";
const KEY = "sk-Fa4eK3yN0tRea1Abc9Xy7Qw5Zt2";
const VALUES = [PHONE, CARD, MAIL, KEY];
const TEXT = `Call ${PHONE}, or write to ${MAIL}. ID card ${CARD}, api_key=${KEY} as always.`;

/** The page before the upstream with the journal; prefs are what a visitor chose before. */
async function open({ prefs, prepare = () => undefined, ...options } = {}) {
  const page = await visit(options, async (one) => {
    if (prefs) await one.addInitScript((saved) => localStorage.getItem("sluicegate.prefs") ?? localStorage.setItem("sluicegate.prefs", JSON.stringify(saved)), prefs);
    await prepare(one);
  }, { url: `${site.url}/`, ready: "#model option:nth-child(2)" });
  upstream.journal.length = 0;
  return page;
}

/** What is marked: `[start, end, text]` of each, in order. */
const marked = (page, name = "will-hide") => page.evaluate((key) => [...(CSS.highlights.get(key) ?? [])]
  .map((range) => [range.startOffset, range.endOffset, String(range)]).sort((a, b) => a[0] - b[0]), name);
const marksAre = (page, count, name = "will-hide") => page.waitForFunction(([key, wanted]) => (CSS.highlights.get(key)?.size ?? 0) === wanted, [name, count]);

async function send(page, text, model = `${MODEL}+echo`) {
  await chooseModel(page, model);
  if (text !== undefined) await page.fill("#question", text);
  await page.press("#question", "Enter");
}
const done = (page) => page.waitForSelector(DONE, { timeout: 60_000 });
const bodies = () => upstream.journal.map(({ body }) => body).filter((body) => body?.messages);
const lastUser = () => bodies().at(-1).messages.findLast(({ role }) => role === "user").content;

test("what finds private data is not loaded before somebody is about to type", async () => {
  const asked = [];
  const page = await open({ prepare: (one) => one.addInitScript(() => { globalThis.requestIdleCallback = () => 0; }), hasTouch: true });
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const loaded = () => page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name.split("/").pop()));
  assert.ok(!(await loaded()).includes("redact.wasm"));
  await page.click("#question");
  await page.waitForFunction(() => performance.getEntriesByName(new URL("redact.wasm", location.href).href).length > 0);
  assert.ok(!(await loaded()).includes("names.bin"), "names are for those who want them");
});

test("what is marked while typing is exactly what is hidden on the wire, and no value leaves", async () => {
  const page = await open();
  await page.click("#question");
  await page.keyboard.insertText(TEXT);
  await marksAre(page, 4);
  const marks = await marked(page);
  assert.deepEqual(marks.map(([, , text]) => text), [PHONE, MAIL, CARD, KEY]);
  for (const [start, end, text] of marks) assert.equal(TEXT.slice(start, end), text);
  assert.match(await page.textContent(".hiding-state"), /^4 items will be hidden:$/);
  assert.deepEqual(await page.locator(".hiding-item").evaluateAll((items) => items.map((item) => item.dataset.type)), ["PHONE_CN", "EMAIL", "ID_CN", "SECRET"]);
  await send(page);
  await done(page);
  const sent = lastUser();
  // What stood between the marks stands there still; what lies between that is a token, or a label for the key.
  let at = 0;
  for (const [index, [start, end]] of marks.entries()) {
    const literal = TEXT.slice(index === 0 ? 0 : marks[index - 1][1], start);
    assert.ok(sent.startsWith(literal, at), `${JSON.stringify(literal)} at ${at} of ${sent}`);
    at += literal.length;
    const hidden = /^(?:⟦[^⟦⟧]+⟧|\*{3}[^*]+\*{3})/.exec(sent.slice(at))?.[0];
    assert.ok(hidden, `a token at ${at} of ${sent}`);
    assert.equal(hidden.startsWith("***"), TEXT.slice(start, end) === KEY);
    at += hidden.length;
  }
  assert.equal(sent.slice(at), TEXT.slice(marks.at(-1)[1]));
  const journal = JSON.stringify(upstream.journal);
  for (const value of VALUES) assert.ok(!journal.includes(value), "a value in the upstream's journal");
  // The switch shows that very text.
  await page.click(".user .upstream-switch");
  assert.equal(await page.textContent(".user .bubble"), sent);
  assert.equal(await page.getAttribute(".user .upstream-switch", "aria-pressed"), "true");
  assert.equal(await page.locator(".user .bubble .token").count(), 4);
  await page.click(".user .upstream-switch");
  assert.equal(await page.textContent(".user .bubble"), TEXT);
});

test("the answer has the values again while it streams, marked, and the switch shows what the upstream wrote", async () => {
  const page = await open();
  await send(page, TEXT, `${MODEL}+echo+rate-40`);
  await page.waitForFunction((value) => document.querySelector(".assistant:last-child[aria-busy=true] .answer")?.textContent.includes(value), PHONE);
  await page.waitForFunction(() => (CSS.highlights.get("given-back")?.size ?? 0) > 0 && document.querySelector(".assistant[aria-busy=true]"));
  await page.click(`${LAST} .upstream-switch`, { force: true }).catch(() => undefined);
  await done(page);
  if ((await page.getAttribute(`${LAST} .upstream-switch`, "aria-pressed")) === "true") await page.click(`${LAST} .upstream-switch`);
  const answer = await page.textContent(`${LAST} .answer`);
  for (const value of [PHONE, MAIL, CARD]) assert.ok(answer.includes(value), answer);
  assert.ok(!answer.includes("⟦") && !answer.includes(KEY), answer);
  const marks = (await marked(page, "given-back")).map(([, , text]) => text);
  assert.deepEqual([...new Set(marks)].sort(), [CARD, PHONE, MAIL].sort());
  await page.click(`${LAST} .upstream-switch`);
  assert.equal(await page.textContent(`${LAST} .upstream-text`), lastUser());
  assert.ok(await page.isHidden(`${LAST} .answer`));
  assert.match(await page.getAttribute(`${LAST} .upstream-switch`, "aria-description"), /Given back on this device: PHONE/);
});

test("what the Worker receives it hands on as it is: both sides show the same tokens", async () => {
  const page = await visit();
  await send(page, TEXT);
  await done(page);
  await page.click(".user .upstream-switch");
  await page.click(`${LAST} .upstream-switch`);
  const sent = await page.textContent(".user .bubble");
  assert.match(sent, /⟦[^⟦⟧]+⟧.*⟦[^⟦⟧]+⟧.*⟦[^⟦⟧]+⟧/);
  assert.equal(await page.textContent(`${LAST} .upstream-text`), sent);
});

test("a token is the same in every turn, and the panel counts by kind", async () => {
  const page = await open();
  await send(page, `Is ${PHONE} a mobile number?`);
  await done(page);
  await send(page, `Then write to ${MAIL}, or call ${PHONE}.`);
  await page.waitForSelector(`.turn:nth-child(4)${DONE.slice(DONE.indexOf("["))}`, { timeout: 60_000 });
  const tokens = bodies().at(-1).messages.map(({ content }) => content.match(/⟦[^⟦⟧]+⟧/g) ?? []);
  assert.equal(new Set([tokens[0][0], tokens[1][0], tokens.at(-1).at(-1)]).size, 1, JSON.stringify(tokens));
  assert.equal(await page.textContent(".hiding-chip"), "3");
  await page.click(".hiding-chip");
  const rows = await page.locator("#privacy .privacy-bars li").evaluateAll((items) => items.map((item) => [item.dataset.type, item.querySelector(".privacy-count").textContent]));
  assert.deepEqual(rows, [["PHONE_CN", "2"], ["EMAIL", "1"]]);
  assert.ok(!(await page.textContent("#privacy")).includes(PHONE));
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate(() => document.activeElement.className), "hiding-chip");
});

test("the reason comes on hover and on focus, names the rule and never the value", async () => {
  const page = await open();
  await page.fill("#question", TEXT);
  await marksAre(page, 4);
  const place = await page.evaluate(() => {
    const { left, top, width, height } = [...CSS.highlights.get("will-hide")][0].getBoundingClientRect();
    return [left + width / 2, top + height / 2];
  });
  await page.mouse.move(...place);
  await page.waitForSelector(".tip:not([hidden])");
  assert.match(await page.textContent(".tip"), /^Phone: surely one, by the rule \w+\. The upstream gets a token/);
  await page.mouse.move(5, 5);
  await page.waitForSelector(".tip", { state: "hidden" });
  // By the keyboard alone: out of the field, past the menus and the button, to the list.
  await page.focus("#send");
  await page.keyboard.press("Tab");
  for (let left = 6; left > 0 && !(await page.evaluate(() => document.activeElement.classList.contains("hiding-what"))); left -= 1) await page.keyboard.press("Tab");
  await page.waitForSelector(".tip:not([hidden])");
  const [described, tip] = await page.evaluate(() => [document.getElementById(document.activeElement.getAttribute("aria-describedby")).textContent, document.querySelector(".tip").textContent]);
  assert.equal(described, tip);
  for (const value of VALUES) assert.ok(!(await page.textContent("#hiding")).includes(value));
  await page.keyboard.press("Enter");
  assert.deepEqual(await page.evaluate(() => [document.activeElement.id, document.getElementById("question").selectionStart, document.getElementById("question").selectionEnd]),
    ["question", TEXT.indexOf(PHONE), TEXT.indexOf(PHONE) + PHONE.length]);
});

test("a value may be kept as it is, and hidden again; a secret may not", async () => {
  const page = await open();
  await page.fill("#question", TEXT);
  await marksAre(page, 4);
  assert.equal(await page.locator('[data-type="SECRET"] .hiding-keep').count(), 0);
  await page.click('[data-type="EMAIL"] .hiding-keep');
  await marksAre(page, 3);
  assert.ok(!(await marked(page)).some(([, , text]) => text === MAIL));
  await page.click(".kept .hiding-keep");
  await marksAre(page, 4);
  await page.click('[data-type="EMAIL"] .hiding-keep');
  await marksAre(page, 3);
  await send(page);
  await done(page);
  assert.ok(lastUser().includes(MAIL) && !lastUser().includes(PHONE), lastUser());
  assert.ok(!(await page.evaluate(() => JSON.stringify({ ...localStorage }))).includes(MAIL));
  // Another conversation, another decision.
  await page.click("#new-chat");
  await page.fill("#question", TEXT);
  await marksAre(page, 4);
});

test("the copy behind the field wraps and scrolls as the field does, and nothing shifts while it is typed", async () => {
  const page = await open();
  await page.click("#question");
  await page.waitForFunction(() => performance.getEntriesByName(new URL("redact.wasm", location.href).href).length > 0);
  await page.evaluate(() => { globalThis.shifts.length = 0; });
  for (const character of `Please call ${PHONE} today. `) await page.keyboard.type(character);
  await marksAre(page, 1);
  await page.waitForTimeout(700);
  const sum = (await page.evaluate(() => globalThis.shifts)).reduce((total, value) => total + value, 0);
  assert.ok(sum < 0.001, `layout shift ${sum}`);
  const long = `${"中文和 English mixed, 一些很长的内容 and_a_very_long_word_that_has_to_break_somewhere_in_the_middle_of_it ".repeat(150)}\n\ncall ${PHONE}\n`;
  assert.ok(long.length > 14_000);
  await page.fill("#question", long);
  await page.waitForFunction((value) => [...CSS.highlights.get("will-hide")].some((range) => range.startOffset > 10_000 && String(range) === value), PHONE);
  const sizes = await page.evaluate(() => {
    const [field, mirror] = [document.getElementById("question"), document.getElementById("mirror")];
    field.scrollTop = field.scrollHeight;
    return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(
      [field, mirror].map((node) => [node.clientWidth, node.scrollHeight, Math.round(node.scrollTop), getComputedStyle(node).font])))));
  });
  assert.deepEqual(sizes[1], sizes[0]);
  const inside = await page.evaluate(() => {
    const mark = [...CSS.highlights.get("will-hide")][0].getBoundingClientRect();
    const field = document.getElementById("question").getBoundingClientRect();
    return mark.top >= field.top && mark.bottom <= field.bottom;
  });
  assert.ok(inside, "the mark at the end is in view when the end is");
});

test("ten thousand characters pasted cost the page less than fifty milliseconds at a time", async () => {
  const page = await open({ prepare: (one) => one.addInitScript(() => {
    globalThis.tasks = [];
    new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) globalThis.tasks.push(duration); }).observe({ type: "longtask" });
  }) });
  await page.fill("#question", PHONE);
  await marksAre(page, 1);
  const text = `${`Nothing of note in this line, which has its ${"words"} and ends. `.repeat(170).slice(0, 10_000)} ${PHONE} ${MAIL}`;
  const millis = await page.evaluate((value) => {
    const field = document.getElementById("question");
    field.value = value;
    const from = performance.now();
    field.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertFromPaste" }));
    return performance.now() - from;
  }, text);
  await marksAre(page, 2);
  console.log(`handler for ${text.length} characters: ${millis.toFixed(1)} ms`);
  assert.ok(millis < 50, `${millis} ms`);
});

test("nothing is looked for while an input method composes, and Enter in it sends nothing", async () => {
  const page = await open();
  await page.fill("#question", "电话 ");
  await page.waitForFunction(() => performance.getEntriesByName(new URL("redact.wasm", location.href).href).length > 0);
  await page.focus("#question");
  await page.keyboard.press("End");
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Input.imeSetComposition", { text: PHONE, selectionStart: PHONE.length, selectionEnd: PHONE.length });
  await page.waitForTimeout(300);
  assert.deepEqual(await marked(page), []);
  await devtools.send("Input.insertText", { text: PHONE });
  await marksAre(page, 1);
  assert.equal(bodies().length, 0);
});

test("the count is spoken a while after it changed, without the values", async () => {
  const page = await open();
  const said = () => page.textContent("#hiding [role=status]");
  await page.fill("#question", TEXT);
  await marksAre(page, 4);
  assert.equal(await said(), "");
  await page.waitForFunction(() => document.querySelector("#hiding [role=status]").textContent !== "");
  assert.equal(await said(), "4 items will be hidden: phone, e-mail, ID card, secret key");
});

test("labels are for good where the reader wants it so, and the choice is kept without any value", async () => {
  const page = await open();
  await page.click("#open-settings");
  await page.selectOption(".privacy-mode", "irreversible");
  await page.click(".privacy-kinds summary");
  await page.selectOption('[data-type="EMAIL"]', "drop");
  await page.keyboard.press("Escape");
  await send(page, `Mail ${MAIL} or call ${PHONE}.`);
  await done(page);
  assert.equal(lastUser(), "Mail  or call ***PHONE***.");
  assert.ok(!(await page.textContent(`${LAST} .answer`)).includes(PHONE));
  const { redact } = JSON.parse(await page.evaluate(() => localStorage.getItem("sluicegate.prefs")));
  assert.deepEqual(redact, { on: true, mode: "irreversible", entities: { EMAIL: "drop" }, names: false, code: false, urls: false });
  await page.reload();
  await page.waitForSelector("html[data-ready]");
  await page.fill("#question", MAIL);
  await page.waitForSelector('[data-type="EMAIL"][data-action="drop"]');
});

test("what is to be blocked is marked as such and not sent, and the error says what to do", async () => {
  const page = await open({ prefs: { redact: { entities: { PHONE_CN: "block" } } } });
  await page.fill("#question", `Call ${PHONE}`);
  await marksAre(page, 1, "will-stop");
  await send(page);
  await page.waitForSelector(".failure");
  assert.match(await page.textContent(".failure"), /private_data/);
  assert.ok(!(await page.textContent(".failure")).includes(PHONE));
  assert.equal(bodies().length, 0);
});

test("what only a model on the device may read fails where there is none, with a next step", async () => {
  const page = await open({ prefs: { redact: { entities: { ID_CN: "local_only" } } } });
  await send(page, `My card: ${CARD}`);
  await page.waitForSelector(".failure");
  const failure = await page.textContent(".failure");
  assert.match(failure, /local_only/);
  assert.match(failure, /Prepare a local model/);
  assert.equal(bodies().length, 0);
});

test("a policy that changes again and again while the engine loads leaves one that works, and tokens stay", async () => {
  const page = await open({ prepare: (one) => one.route("**/redact.wasm", async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    await route.continue();
  }) });
  await page.fill("#question", TEXT);
  for (let left = 3; left > 0; left -= 1) {
    await page.click("#language");
    await page.waitForTimeout(60);
  }
  await marksAre(page, 4);
  await send(page);
  await done(page);
  const before = lastUser().match(/⟦[^⟦⟧]+⟧/)[0];
  await page.fill("#question", `Mail ${MAIL}, or ${PHONE}.`);
  await page.click('[data-type="EMAIL"] .hiding-keep');
  await marksAre(page, 1);
  await page.press("#question", "Enter");
  await page.waitForSelector(`.turn:nth-child(4)${DONE.slice(DONE.indexOf("["))}`, { timeout: 60_000 });
  assert.ok(lastUser().includes(MAIL) && lastUser().includes(before), `${before} in ${lastUser()}`);
});

test("switched off, the page says so and sends what is written", async () => {
  const page = await open();
  await page.click("#open-settings");
  await page.click("#redact-on");
  await page.keyboard.press("Escape");
  assert.match(await page.textContent(".hiding-state"), /sent as it is/);
  await send(page, `Call ${PHONE}`);
  await done(page);
  assert.equal(lastUser(), `Call ${PHONE}`);
  assert.ok(await page.isHidden(".user .upstream-switch"));
});

test("without what finds private data nothing is sent, and the page says why", async () => {
  const page = await open({ prepare: (one) => one.route("**/redact.wasm", (route) => route.abort()) });
  await page.fill("#question", `Call ${PHONE}`);
  await page.waitForFunction(() => /did not load/.test(document.querySelector(".hiding-state").textContent));
  await send(page);
  await page.waitForSelector(".failure");
  assert.equal(bodies().length, 0);
});

test("names are looked for once their file is there, and it is fetched on the switch alone", async () => {
  const page = await open();
  await page.click("#open-settings");
  await page.locator(".switch", { has: page.locator(".names-state") }).locator("input").click();
  await page.waitForFunction(() => /Ready, \d/.test(document.querySelector(".names-state").textContent));
  await page.keyboard.press("Escape");
  await page.fill("#question", "联系人是张伟，他住在北京。");
  await page.waitForSelector('[data-type="PERSON"]');
  assert.ok((await marked(page)).some(([, , text]) => text === "张伟"));
});

test("where the names' file does not come the switch goes back, and questions go on", async () => {
  const page = await open({ prepare: (one) => one.route("**/names.bin", (route) => route.fulfill({ status: 404 })) });
  await page.click("#open-settings");
  const box = page.locator(".switch", { has: page.locator(".names-state") }).locator("input");
  await box.click();
  await page.waitForFunction(() => /did not load/.test(document.querySelector(".names-state").textContent));
  assert.equal(await box.isChecked(), false);
  await page.keyboard.press("Escape");
  await send(page, "Hello");
  await done(page);
});

test("a conversation that is loaded again shows what went out, and keeps nothing where others could read it", async () => {
  const page = await open();
  await send(page, TEXT);
  await done(page);
  const sent = lastUser();
  await page.reload();
  await page.waitForSelector(".user .upstream-switch:not([hidden])");
  await page.click(".user .upstream-switch");
  assert.equal(await page.textContent(".user .bubble"), sent);
  // In the reasoning, which repeats the question, and in the answer.
  await marksAre(page, 6, "given-back");
  const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }));
  for (const value of VALUES) assert.ok(!kept.includes(value));
});

test("in Chinese, in the dark and on a phone: the sample, its labels, and no sideways scrolling", async () => {
  const page = await open({ locale: "zh-CN", colorScheme: "dark", viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true });
  assert.match(await page.textContent("#try-private"), /试试隐私保护/);
  await page.click("#try-private");
  await marksAre(page, 4);
  assert.equal(await page.textContent(".hiding-state"), "将隐藏 4 处：");
  assert.equal(await page.textContent('[data-type="PHONE_CN"] .hiding-what'), "手机号⟦手机号⟧");
  assert.deepEqual(await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]), [390, 390]);
  await page.focus('[data-type="SECRET"] .hiding-what');
  await page.waitForSelector(".tip:not([hidden])");
  await page.waitForTimeout(300);
  const tip = await page.evaluate(() => document.querySelector(".tip").getBoundingClientRect().toJSON());
  assert.ok(tip.width > 0 && tip.left >= 0 && tip.right <= 390 && tip.bottom <= 780, JSON.stringify(tip));
  await send(page);
  await done(page);
  assert.match(lastUser(), /⟦手机号1/);
  assert.match(await page.textContent(".user .upstream-switch"), /已隐藏 4 处/);
});
