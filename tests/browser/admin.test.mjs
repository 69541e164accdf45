// The admin page in Chromium, as an administrator meets it. With PAGE_URL and ADMIN_KEY (a key of an administrator) it runs against that gate;
// else against the API in memory.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { serveAdmin } from "./admin-api.mjs";
import { visitors } from "./visitor.mjs";

const www = fileURLToPath(new URL("../../www/", import.meta.url));
const isReal = Boolean(process.env.PAGE_URL && process.env.ADMIN_KEY);
const folder = await mkdtemp(join(tmpdir(), "sluicegate-admin-"));
const gate = isReal ? { url: process.env.PAGE_URL, key: process.env.ADMIN_KEY } : await startFake();
const ADMIN = new URL("admin/", gate.url).href;
const API = new URL("admin", gate.url).href;
const visit = visitors({ ready: "#content > .page", home: ADMIN });

/** Names of this run's keys: a real gate may hold others. */
const run = randomBytes(3).toString("hex");
const named = (name) => `${name} ${run}`;

async function startFake() {
  const { buildAdmin } = await import("../../www/build.mjs");
  await buildAdmin({ outdir: folder });
  const fake = await serveAdmin(folder);
  return { ...fake, key: fake.state.make({ name: "Bootstrap", role: "administrator" }).key };
}

/** The API by itself, with a session of its own: what the tests need there, and what the page left behind. */
const server = { cookie: "" };
async function call(method, path, body, cookie = server.cookie) {
  const headers = { "content-type": "application/json", origin: new URL(gate.url).origin, "sec-fetch-site": "same-origin", cookie };
  const response = await fetch(`${API}/${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const text = await response.text();
  return { status: response.status, cookie: (response.headers.get("set-cookie") ?? "").split(";")[0], json: text === "" ? undefined : JSON.parse(text) };
}
async function make(fields) {
  const { status, json } = await call("POST", "keys", fields);
  assert.equal(status, 201, JSON.stringify(json));
  return json;
}
/** What has been withdrawn may count for half a minute more at a real gate. */
async function soon(holds) {
  for (const until = Date.now() + 45_000; ; ) {
    if (await holds()) return;
    assert.ok(Date.now() < until, "it never comes true");
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
const recordOf = async (id) => (await call("GET", `keys/${id}`)).json;

before(async () => {
  const { status, cookie } = await call("POST", "session", { key: gate.key });
  assert.ok(status < 300 && cookie !== "", `sign-in answers ${status}`);
  server.cookie = cookie;
});

after(async () => {
  await gate.close?.();
  await rm(folder, { recursive: true, force: true });
});

async function enter(key = gate.key, { options, prepare, hash = "" } = {}) {
  const page = await visit(options, prepare, { url: `${ADMIN}${hash}`, ready: ".sign-in" });
  await page.fill(".sign-in input", key);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#tabs:not([hidden]), .page > .failure");
  return page;
}
const field = (page, name) => page.locator(`dialog [data-field="${name}"]`);
const goTo = async (page, hash, selector) => {
  await page.evaluate((next) => (location.hash = next), hash);
  await page.waitForSelector(selector);
};
const focused = (page) => page.evaluate(() => document.activeElement?.dataset.focus ?? document.activeElement?.id);
const names = (page) => page.locator(".key-link").allTextContents();
const status = (page) => page.textContent("#status");

/** Everything that a page keeps or shows. */
const kept = (page) => page.evaluate(async () => {
  const caches = globalThis.caches ? await globalThis.caches.keys() : [];
  const values = [...document.querySelectorAll("input, textarea")].map((node) => node.value);
  return JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state, document.referrer, document.documentElement.outerHTML, values, caches, performance.getEntries().map(({ name }) => name), window.name]);
});

test("signing in leaves the key nowhere, and a cookie that scripts cannot read", async () => {
  const addresses = [];
  const page = await enter(gate.key, { prepare: (one) => one.on("request", (request) => addresses.push(request.url())) });
  await page.waitForSelector(".keys-table, .nothing");
  assert.ok(!(await kept(page)).includes(gate.key), "the key is in storage, in the address or in the page");
  assert.ok(!addresses.join().includes(gate.key), "the key is in an address");
  const cookies = await page.context().cookies();
  const [cookie] = cookies.filter(({ name }) => name.includes("sluicegate"));
  assert.ok(cookie.httpOnly && cookie.sameSite === "Strict" && cookie.path === "/", JSON.stringify({ ...cookie, value: "" }));
  assert.ok(!cookie.value.includes(gate.key));
  assert.equal(await page.evaluate(() => document.cookie), "");
  await page.reload();
  await page.waitForSelector("#sign-out");
  assert.match(await page.textContent(".who"), /Administrator/);
  await page.click("#sign-out");
  await page.waitForSelector(".sign-in");
  assert.match(await status(page), /Signed out/);
  await soon(async () => (await call("GET", "session", undefined, `${cookie.name}=${cookie.value}`)).status === 401);
  await page.reload();
  await page.waitForSelector(".sign-in");
});

test("a wrong key is refused with a reason, and is gone from the field", async () => {
  const page = await visit({}, undefined, { ready: ".sign-in" });
  await page.keyboard.press("Enter");
  await page.waitForSelector('.sign-in [aria-invalid="true"]');
  const wrong = "sgk_live_0000000000000000000000000000000000Ab";
  await page.keyboard.type(wrong);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".sign-in .failure");
  assert.match(await page.textContent(".sign-in .failure"), /not accepted/);
  assert.equal(await page.inputValue(".sign-in input"), "");
  assert.ok(!(await kept(page)).includes(wrong));
});

test("a session that ends leads back to the door, says why, and afterwards back to the same place", async () => {
  const made = await make({ name: named("will end"), role: "administrator" });
  const page = await enter(made.key, { hash: "#/roles" });
  await page.waitForSelector(".roles-table");
  await call("POST", `keys/${made.id}/disable`);
  let section = 0;
  await soon(async () => {
    if (await page.locator(".sign-in .reason").count()) return true;
    await page.evaluate((hash) => (location.hash = hash), ["#/keys", "#/limits"][(section += 1) % 2]);
    return false;
  });
  assert.match(await page.textContent(".sign-in .reason"), /session has ended/);
  await page.fill(".sign-in input", gate.key);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".scroll, .nothing");
  assert.match(page.url(), /#\/(keys|limits)$/);
});

test("a key is created with every field, shown once, copied, and then gone", async () => {
  const page = await enter();
  await page.click("#new-key");
  await page.waitForSelector("dialog .check");
  await field(page, "name").fill(named("all fields"));
  await field(page, "owner").fill("search team");
  await field(page, "role").selectOption("developer");
  await field(page, "models").fill("deepseek-r1\nr1*");
  await page.locator("dialog .check input").first().check();
  const operation = await page.locator("dialog .check code").first().textContent();
  await field(page, "ips").fill("203.0.113.0/24, 2001:db8::/32");
  await page.locator("dialog select").first().selectOption("month");
  assert.match(await page.textContent("dialog .check-field .hint"), /until it expires/);
  await field(page, "guide_compatible").check();
  await field(page, "token_ttl_s").fill("3600");
  await field(page, "limits.requests_per_minute").fill("60");
  await field(page, "limits.spend_per_day").fill("2.5");
  await page.getByRole("button", { name: "Add a model" }).click();
  await page.locator(".limit-row input").first().fill("r1");
  await page.locator('.limit-row [data-field="limits.models.requests_per_minute"]').fill("10");
  await page.getByRole("button", { name: "Add a route" }).click();
  await page.locator('.limit-row [data-field="limits.routes"]').fill("embeddings");
  await page.locator('.limit-row [data-field="limits.routes.tokens_per_day"]').fill("100000");
  await field(page, "metadata").fill("team = search\nticket = OPS=12");
  await page.keyboard.press("Tab");
  await page.click("dialog .primary");
  await page.waitForSelector("dialog.once");
  const [key, secret] = await page.locator("dialog.once .secret").allTextContents();
  assert.match(key, /^sgk_(live|test)_[0-9A-Za-z]{36}$/);
  assert.match(secret, /^sgs_[0-9A-Za-z]+$/);
  await page.locator("dialog.once .once-value .copy").first().click();
  await page.waitForFunction(() => /Copied/.test(document.querySelector("dialog.once .copy").textContent));
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);
  // Neither Esc nor the button closes it before it was said that the key is stored.
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await page.click("dialog.once .dialog-foot .primary");
  assert.match(await page.textContent("dialog.once .fault-text:not([hidden])"), /Tick the box/);
  await page.check("dialog.once .dialog-foot input");
  await page.click("dialog.once .dialog-foot .primary");
  await page.waitForSelector("dialog", { state: "detached" });
  assert.equal(await focused(page), "new-key");
  const text = await kept(page);
  assert.ok(!text.includes(key) && !text.includes(secret));
  const { json: { data: [record] } } = await call("GET", `keys?q=${encodeURIComponent(named("all fields"))}`);
  const { owner, role, models, endpoints, ips, guide_compatible, token_ttl_s, limits, metadata } = record;
  assert.deepEqual({ owner, role, models, endpoints, ips, guide_compatible, token_ttl_s, metadata }, {
    owner: "search team", role: "developer", models: ["deepseek-r1", "r1*"], endpoints: [operation], ips: ["203.0.113.0/24", "2001:db8::/32"], guide_compatible: true, token_ttl_s: 3600, metadata: { team: "search", ticket: "OPS=12" },
  });
  assert.equal(Number(limits.spend_per_day), 2.5);
  assert.deepEqual([limits.requests_per_minute, limits.models.r1.requests_per_minute, limits.routes.embeddings.tokens_per_day], [60, 10, 100_000]);
  assert.ok(Math.abs(record.expires_at - Date.now() / 1000 - 30 * 86_400) < 120);
  assert.ok(!JSON.stringify(record).includes(key) && key.endsWith(record.last4));
});

test("samples name this gate and no key; those of the guides are there for keys that take their tokens", async () => {
  const made = await make({ name: named("samples"), guide_compatible: true, models: ["r1"] });
  const page = await enter();
  await goTo(page, `#/keys/${made.id}`, ".sample-code");
  const host = new URL(gate.url).host;
  const tabs = page.locator(".tab");
  assert.equal(await tabs.count(), 4);
  await tabs.first().focus();
  for (let index = 0; index < 4; index += 1) {
    const code = await page.textContent(".sample-code");
    assert.ok(code.includes(host) && code.split("\n").length <= 12, code);
    assert.ok(!code.includes(made.key) && !code.includes(made.secret) && code.includes("r1"));
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-selected")), "true");
    await page.keyboard.press("ArrowRight");
  }
  const plain = await make({ name: named("plain samples") });
  await goTo(page, `#/keys/${plain.id}`, `.sample-code`);
  await page.waitForFunction(() => document.querySelectorAll(".tab").length === 2);
});

test("a change sends what differs and nothing else, and a limit can be cleared", async () => {
  const made = await make({ name: named("to change"), owner: "a", limits: { requests_per_minute: 60, tokens_per_day: 1000, models: { r1: { requests_per_minute: 5 } } }, metadata: { a: "1", b: "2" }, models: ["r1"] });
  const sent = [];
  const page = await enter(gate.key, { prepare: (one) => one.on("request", (request) => request.method() === "PATCH" && sent.push(request.postDataJSON())) });
  await goTo(page, `#/keys/${made.id}`, '[data-focus="edit"]');
  const edit = async (change) => {
    await page.click('[data-focus="edit"]');
    await page.waitForSelector("dialog .check");
    await change();
    await page.click("dialog .dialog-foot .primary");
    await page.waitForSelector("dialog", { state: "detached" });
  };
  await edit(async () => undefined);
  assert.deepEqual(sent, []);
  assert.match(await status(page), /Nothing was changed/);
  await edit(() => field(page, "owner").fill("b"));
  assert.deepEqual(sent, [{ owner: "b" }]);
  assert.equal(await focused(page), "edit");
  await edit(async () => {
    await field(page, "limits.requests_per_minute").fill("");
    await page.click('.limit-row [aria-label="Remove"]');
    await field(page, "metadata").fill("a = 1");
    await field(page, "models").fill("");
  });
  assert.deepEqual(Object.keys(sent[1]).sort(), ["limits", "metadata", "models"]);
  assert.equal(sent[1].limits.requests_per_minute, null);
  const { limits, metadata, models, owner } = await recordOf(made.id);
  assert.equal(limits.requests_per_minute ?? null, null);
  assert.equal(limits.tokens_per_day, 1000);
  assert.equal(limits.models?.r1 ?? null, null);
  assert.deepEqual([metadata, models ?? null, owner], [{ a: "1" }, null, "b"]);
  await page.waitForSelector('tr[data-limit="tokens_per_day"][data-source="sourceKey"]');
  assert.equal(await page.locator('tr[data-limit="requests_per_minute"][data-source="sourceKey"]').count(), 0);
});

test("what was entered wrongly is marked where it stands, before and after it was sent", async () => {
  const page = await enter();
  await page.click("#new-key");
  await page.waitForSelector("dialog .check");
  await page.click("dialog .primary");
  assert.equal(await field(page, "name").getAttribute("aria-invalid"), "true");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.field), "name");
  await field(page, "name").fill(named("wrong"));
  for (const [name, wrong] of [["limits.requests_per_minute", "-1"], ["limits.requests_per_minute", "1.5"], ["limits.spend_per_day", "1e309"], ["limits.tokens_per_day", "many"], ["metadata", "no value"], ["token_ttl_s", "soon"]]) {
    await field(page, name).fill(wrong);
    await page.click("dialog .primary");
    assert.equal(await page.evaluate(() => document.activeElement.dataset.field), name);
    const described = await field(page, name).getAttribute("aria-describedby");
    assert.ok((await page.textContent(`#${described.split(" ").at(-1)}`)).length > 5);
    await field(page, name).fill("");
  }
  await field(page, "ips").fill("not an address");
  await page.click("dialog .primary");
  await page.waitForSelector("dialog .failure");
  assert.equal(await field(page, "ips").getAttribute("aria-invalid"), "true");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  assert.equal((await call("GET", `keys?q=${encodeURIComponent(named("wrong"))}`)).json.data.length, 0);
});

test("to rotate, disable and revoke wants the key's name; to enable does not", async () => {
  const made = await make({ name: named("to rotate") });
  const page = await enter();
  await goTo(page, `#/keys/${made.id}`, '[data-focus="rotate"]');
  const confirm = async (focus, typed) => {
    await page.click(`[data-focus="${focus}"]`);
    await page.waitForSelector("dialog");
    if (typed) {
      await page.keyboard.type("something else");
      await page.keyboard.press("Enter");
      assert.equal(await page.getAttribute("dialog input", "aria-invalid"), "true");
      await page.fill("dialog input", typed);
    }
    await page.keyboard.press("Enter");
  };
  await confirm("rotate", named("to rotate"));
  await page.waitForSelector("dialog.once");
  const key = await page.locator(".secret").first().textContent();
  assert.ok(key.length > 40 && key !== made.key);
  await page.check("dialog.once .dialog-foot input");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  assert.equal((await recordOf(made.id)).last4, key.slice(-4));
  await confirm("switch", named("to rotate"));
  await page.waitForSelector(".badge.disabled");
  assert.equal((await recordOf(made.id)).disabled, true);
  assert.equal(await focused(page), "switch");
  await confirm("switch");
  await page.waitForSelector(".badge.active");
  assert.equal((await recordOf(made.id)).disabled, false);
  await confirm("revoke", named("to rotate"));
  await page.waitForSelector("dialog", { state: "detached" });
  assert.match(await status(page), /are revoked/);
});

test("search and pages are in the address, and Back leads through them", async () => {
  for (const index of [1, 2, 3, 4, 5]) await make({ name: named(`paged-${index}`), owner: `owner-${run}` });
  const page = await enter();
  await page.waitForSelector(".keys-table");
  await page.fill("#search", `owner-${run}`);
  await page.waitForFunction(() => document.querySelectorAll("[data-key]").length === 5);
  assert.ok(page.url().includes(`q=owner-${run}`));
  assert.equal(await page.evaluate(() => document.activeElement.id), "search");
  await goTo(page, `#/keys?q=owner-${run}&limit=2`, ".next");
  await page.waitForFunction(() => document.querySelectorAll("[data-key]").length === 2);
  const first = await names(page);
  await page.click(".next");
  await page.waitForFunction((before) => ![...document.querySelectorAll(".key-link")].some((node) => node.textContent === before), first[0]);
  const second = await names(page);
  assert.equal(new Set([...first, ...second]).size, 4);
  await page.reload();
  await page.waitForSelector(".keys-table");
  assert.deepEqual(await names(page), second);
  await page.goBack();
  await page.waitForFunction((before) => document.querySelector(".key-link")?.textContent === before, first[0]);
  await page.goBack();
  await page.waitForFunction(() => document.querySelectorAll("[data-key]").length === 5);
  await page.goBack();
  await page.waitForFunction(() => document.getElementById("search").value === "");
  await page.fill("#search", `nobody-${run}`);
  await page.waitForSelector(".nothing");
  assert.match(await page.textContent(".nothing"), new RegExp(`nobody-${run}`));
});

test("an auditor sees and is offered no change; the server refuses it all the same", async () => {
  const auditor = await make({ name: named("auditor"), role: "auditor" });
  const page = await enter(auditor.key);
  await page.waitForSelector(".keys-table");
  assert.match(await page.textContent(".who"), /Auditor/);
  assert.equal(await page.locator("#new-key, .cell-actions button").count(), 0);
  await goTo(page, `#/keys/${auditor.id}`, ".key-facts");
  assert.equal(await page.locator('.key-actions button').count(), 0);
  const answers = await page.evaluate(async (id) => {
    const post = (path, method = "POST") => fetch(`/admin/${path}`, { method, headers: { "content-type": "application/json" }, body: "{}" }).then(({ status }) => status);
    return [await post("keys"), await post(`keys/${id}`, "PATCH"), await post(`keys/${id}/rotate`), await post(`keys/${id}/disable`)];
  }, auditor.id);
  assert.deepEqual(answers, [403, 403, 403, 403]);
});

test("a developer gets in nowhere, and is told so", async () => {
  const developer = await make({ name: named("developer"), role: "developer" });
  const page = await enter(developer.key);
  await page.waitForSelector(".failure");
  assert.equal(await page.locator("#tabs a").count(), 0);
  assert.match(await page.textContent(".failure"), /role may not|not accepted|may not do/);
});

test("roles are shown as the gate has them", async () => {
  const page = await enter();
  await goTo(page, "#/roles", ".roles-table");
  const shown = await page.evaluate(() => Object.fromEntries(["administrator", "developer", "auditor", "anonymous"].map((role) => [role, [...document.querySelectorAll(`td.may[data-role="${role}"]`)].map((cell) => cell.parentElement.querySelector("code").textContent).sort()])));
  const { json } = await call("GET", "roles");
  assert.deepEqual(shown, Object.fromEntries(json.data.map(({ role, operations }) => [role, [...operations].sort()])));
});

/** Answers of the API that a test makes up. */
const answerWith = (page, path, json, code = 200) => page.route(`**/admin/${path}`, (route) => route.fulfill({ status: code, json, headers: { "x-request-id": "req_made_up" } }));
const refusal = (code, message, param = null) => ({ error: { message, type: "invalid_request_error", param, code } });

test("meters move in place every five seconds, stop on Pause, and shift nothing", async () => {
  const made = await make({ name: named("live") });
  const meters = (used) => ({ object: "list", data: [{ key_id: made.id, streams: 1, meters: [
    { scope: "", unit: "requests", window: "minute", limit: 20, used, remaining: 20 - used, resets_at: Math.floor(Date.now() / 1000) + 30 },
    { scope: "", unit: "tokens", window: "day", limit: 100_000, used: used * 1000, remaining: 100_000 - used * 1000, resets_at: Math.floor(Date.now() / 1000) + 7_000 },
  ] }] });
  let used = 10;
  let asked = 0;
  const page = await enter();
  await page.route(`**/admin/keys/${made.id}/usage`, (route) => {
    asked += 1;
    return route.fulfill({ json: meters(used) });
  });
  await page.clock.install();
  await goTo(page, `#/keys/${made.id}`, ".bar-row");
  const figure = () => page.textContent('.bar-row[data-limit="requests_per_minute"] .bar-figure');
  assert.equal(await figure(), "10 of 20");
  assert.match(await page.textContent('.bar-row[data-limit="requests_per_minute"] .bar-reset'), /resets in (30|29|28)s/);
  assert.match(await page.textContent('.bar-row[data-limit="tokens_per_day"] .bar-reset'), /resets in 1h 56m/);
  const gauge = page.locator('.bar-row[data-limit="requests_per_minute"] meter');
  assert.deepEqual([await gauge.getAttribute("aria-label"), await gauge.getAttribute("aria-valuetext")], ["Requests a minute", "10 of 20"]);
  const places = () => page.evaluate(() => JSON.stringify([...document.querySelectorAll(".bar-row, .card")].map((node) => node.getBoundingClientRect())));
  await page.evaluate(() => document.fonts.ready);
  const before = await places();
  used = 19;
  await page.clock.runFor(5_000);
  await page.waitForFunction(() => document.querySelector(".bar-figure").textContent === "19 of 20");
  assert.equal(await places(), before);
  assert.equal(await page.textContent('.bar-row[data-limit="requests_per_minute"] .bar-percent'), "95 %");
  assert.ok(await page.locator(".bar-percent.near").count());
  assert.deepEqual(await page.locator(".chart-sum").allTextContents(), ["9", "9,000"]);
  assert.equal(await page.locator(".columns rect").count(), 2);
  await page.click("#pause");
  assert.equal(await page.getAttribute("#pause", "aria-pressed"), "true");
  const then = asked;
  await page.clock.runFor(20_000);
  assert.equal(asked, then);
  await page.click("#pause");
  await page.waitForFunction(() => document.querySelectorAll(".chart-rows tbody tr").length === 2);
  assert.equal(asked, then + 1);
  // Who leaves asks no more.
  await goTo(page, "#/roles", ".roles-table");
  const left = asked;
  await page.clock.runFor(20_000);
  assert.equal(asked, left);
});

test("a key shows the limits that hold for it, and where each is from", async () => {
  const made = await make({ name: named("effective"), limits: { requests_per_minute: 30, models: { r1: { requests_per_day: 7 } } } });
  const page = await enter();
  await answerWith(page, "limits", { limits: { requests_per_minute: 600, tokens_per_day: 5000, spend_per_month: 12.5 }, currency: "CNY" });
  await goTo(page, `#/keys/${made.id}`, "tr[data-limit]");
  await page.waitForSelector(".bar-row, .bars .none");
  const rows = await page.evaluate(() => [...document.querySelectorAll("tr[data-limit]")].map((row) => [row.dataset.limit, row.cells[1].textContent, row.cells[2].textContent, row.dataset.source.replace("source", "")]));
  const row = (name, scope = "whole key") => rows.find((one) => one[0] === name && one[1] === scope)?.slice(2);
  assert.deepEqual(row("requests_per_minute"), ["30", "Key"]);
  assert.deepEqual(row("tokens_per_day"), ["5,000", "Default"]);
  assert.match(row("spend_per_month")[0], /12\.50$/);
  assert.deepEqual(row("requests_per_day", "model r1"), ["7", "Key"]);
  assert.deepEqual(row("spend_per_day"), ["–", "None"]);
  // A gate that does not say its defaults: the meter knows, and nothing is called unlimited.
  await answerWith(page, "limits", refusal("not_found", "There is nothing at this path."), 404);
  await answerWith(page, `keys/${made.id}/usage`, { object: "list", data: [{ key_id: made.id, streams: 0, meters: [{ scope: "", unit: "tokens", window: "minute", limit: 900, used: 1, remaining: 899, resets_at: null }] }] });
  await page.reload();
  await page.waitForSelector('tr[data-limit="tokens_per_minute"][data-source="sourceDefault"]');
  assert.equal(await page.locator('tr[data-source="sourceNone"]').count(), 0);
});

test("usage lists all keys, those nearest to a limit first, and keeps their order until it is asked to sort", async () => {
  const ids = [await make({ name: named("little") }), await make({ name: named("much") })].map(({ id }) => id);
  let shares = [1, 9];
  const page = await enter();
  await page.route("**/admin/usage?*", (route) => route.fulfill({ json: { object: "list", data: ids.map((id, index) => ({ key_id: id, streams: 0, meters: [{ scope: "", unit: "requests", window: "minute", limit: 10, used: shares[index], remaining: 10 - shares[index], resets_at: Math.floor(Date.now() / 1000) + 30 }] })) } }));
  await page.clock.install();
  await goTo(page, "#/usage", ".card[data-key]");
  const order = () => page.evaluate(() => [...document.querySelectorAll(".card[data-key]")].map((node) => node.dataset.key));
  assert.deepEqual(await order(), [ids[1], ids[0]]);
  shares = [10, 0];
  await page.clock.runFor(5_000);
  await page.waitForFunction(() => document.querySelector(".bar-figure").textContent === "0 of 10");
  assert.deepEqual(await order(), [ids[1], ids[0]]);
  await page.click("#refresh");
  await page.waitForFunction((first) => document.querySelector(".card[data-key]").dataset.key === first, ids[0]);
});

test("failures say what they are, what to do next, and their code", async () => {
  const page = await enter();
  await page.waitForSelector(".keys-table");
  const cases = [
    [501, refusal("not_supported", "State is off."), /binding named DB/, "not_supported"],
    [501, refusal("not_supported", "State is off.", "KEY_LIMITS"), /binding named KEY_LIMITS/, "not_supported"],
    [501, refusal("not_supported", "No callers of its own.", "access"), /Set access in GATE_CONFIG/, "not_supported"],
    [403, refusal("forbidden", "The role does not allow this."), /Your role may not do this/, "forbidden"],
    [429, refusal("rate_limited", "Slow down."), /Too many requests/, "rate_limited"],
    [500, refusal("internal", "It broke."), /report the request id.*req_made_up/s, "internal"],
  ];
  for (const [code, body, said, stable] of cases) {
    await answerWith(page, "keys?*", body, code);
    await page.click("#refresh");
    await page.waitForSelector(`.failure[data-code="${stable}"]`);
    await page.waitForFunction(([source, flags]) => new RegExp(source, flags).test(document.querySelector(".failure").textContent), [said.source, said.flags]);
    assert.ok((await page.textContent(".failure .facts")).includes(stable));
    await page.unroute("**/admin/keys?*");
    await page.click(".failure .again");
    await page.waitForSelector(".keys-table");
  }
  await page.route("**/admin/keys?*", (route) => route.abort());
  await page.click("#refresh");
  await page.waitForSelector('.failure[data-code="network"]');
  await page.unroute("**/admin/keys?*");
  await answerWith(page, "keys?*", { object: "list", data: [], next: null });
  await page.click(".failure .again");
  await page.waitForSelector(".nothing button");
  await goTo(page, "#/nowhere", ".nothing");
  await goTo(page, "#/keys/key_0000000000000000", ".failure");
  assert.match(await page.textContent(".failure"), /does not exist|not found/);
});

test("while something is loading, the page says so", async () => {
  const page = await enter();
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await page.route("**/admin/roles", async (route) => {
    await held;
    await route.continue();
  });
  await goTo(page, "#/roles", ".loading");
  assert.equal(await page.getAttribute(".loaded", "aria-busy"), "true");
  release();
  await page.waitForSelector(".roles-table");
  assert.equal(await page.getAttribute(".loaded", "aria-busy"), "false");
});

test("everything works from the keyboard, and the focus comes back to where it was", async () => {
  const made = await make({ name: named("by keyboard") });
  const page = await enter(gate.key, { hash: `#/keys?q=${encodeURIComponent(named("by keyboard"))}` });
  await page.waitForSelector(".keys-table");
  const tabTo = async (selector) => {
    for (let step = 0; step < 60; step += 1) {
      if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`Tab never reaches ${selector}`);
  };
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "H2");
  await tabTo(".scroll");
  await tabTo(`[data-focus="edit ${made.id}"]`);
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog .check");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.field), "name");
  // Tab stays in the dialog.
  for (let step = 0; step < 60; step += 1) {
    await page.keyboard.press("Tab");
    assert.ok(await page.evaluate(() => document.activeElement === document.body || document.querySelector("dialog").contains(document.activeElement)));
  }
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  assert.equal(await focused(page), `edit ${made.id}`);
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(outline, "none");
  await page.evaluate(() => document.activeElement.blur());
  await tabTo(`[data-focus="open ${made.id}"]`);
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-focus="revoke"]');
  await tabTo('[data-focus="revoke"]');
  await page.keyboard.press("Enter");
  await page.keyboard.type(named("by keyboard"));
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog", { state: "detached" });
  assert.equal(await focused(page), "revoke");
  await page.evaluate(() => document.activeElement.blur());
  await tabTo(".skip");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "content");
  assert.ok(page.url().includes(made.id));
});

test("controls are named, regions too, and one region speaks", async () => {
  const made = await make({ name: named("names") });
  const page = await enter();
  const check = async () => {
    const unnamed = await page.evaluate(() => [...document.querySelectorAll("button, a, select, textarea, input, meter, [role=region], dialog, nav")]
      .filter((node) => !node.hidden && !node.getAttribute("aria-label") && !node.getAttribute("aria-labelledby") && !node.textContent.trim() && !node.labels?.length)
      .map((node) => node.outerHTML));
    assert.deepEqual(unnamed, []);
    const broken = await page.evaluate(() => [...document.querySelectorAll("[aria-describedby], [aria-labelledby], [aria-controls]")]
      .flatMap((node) => ["aria-describedby", "aria-labelledby", "aria-controls"].flatMap((name) => (node.getAttribute(name) ?? "").split(" ").filter(Boolean)))
      .filter((id) => !document.getElementById(id)));
    assert.deepEqual(broken, []);
    assert.equal(await page.locator("[role=status], [aria-live]").count(), 1);
  };
  for (const [hash, selector] of [["#/keys", ".keys-table"], [`#/keys/${made.id}`, ".bar-row, .bars .none"], ["#/usage", ".card, .nothing"], ["#/roles", ".roles-table"], ["#/limits", ".lead"]]) {
    await goTo(page, hash, selector);
    await check();
  }
  await goTo(page, "#/keys", "#new-key");
  await page.click("#new-key");
  await page.waitForSelector("dialog .check");
  await page.getByRole("button", { name: "Add a model" }).click();
  await check();
});

test("both languages, both themes; the choice is the demo page's too, and nothing else is stored", async () => {
  const page = await enter(gate.key, { options: { locale: "zh-CN" }, prepare: (one) => one.addInitScript(() => localStorage.getItem("sluicegate.prefs") ?? localStorage.setItem("sluicegate.prefs", JSON.stringify({ panel: "open" }))) });
  await page.waitForSelector(".keys-table");
  assert.equal(await page.getAttribute("html", "lang"), "zh-CN");
  assert.equal(await page.textContent(".view-title"), "密钥");
  await page.click("#language");
  await page.waitForSelector("html[lang=en]");
  assert.equal(await page.textContent(".view-title"), "Keys");
  assert.equal(await focused(page), "language");
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await page.click("#theme");
  await page.click("#theme");
  assert.notEqual(await background(), light);
  await page.reload();
  await page.waitForSelector(".keys-table");
  assert.equal(await page.getAttribute("html", "lang"), "en");
  assert.notEqual(await background(), light);
  const stored = await page.evaluate(() => [{ ...localStorage }, { ...sessionStorage }]);
  assert.deepEqual(stored.map(Object.keys), [["sluicegate.prefs"], []]);
  assert.deepEqual(JSON.parse(stored[0]["sluicegate.prefs"]), { panel: "open", theme: "dark", language: "en" });
});

test("a phone of 320 pixels shows every part without sideways scrolling, and fields that do not zoom", async () => {
  const made = await make({ name: named("a-rather-long-name-of-a-key-without-any-blank"), owner: "somebody@a-long-domain.example.com", limits: { requests_per_minute: 60, models: { "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B": { tokens_per_day: 1_000_000 } } }, guide_compatible: true });
  const page = await enter(gate.key, { options: { viewport: { width: 320, height: 600 }, hasTouch: true, isMobile: true } });
  const width = () => page.evaluate(() => document.documentElement.scrollWidth);
  for (const [hash, selector] of [["#/keys", ".keys-table"], [`#/keys/${made.id}`, ".bar-row, .bars .none"], ["#/usage", ".card, .nothing"], ["#/roles", ".roles-table"], ["#/limits", ".lead"]]) {
    await goTo(page, hash, selector);
    assert.equal(await width(), 320, hash);
  }
  await goTo(page, `#/keys/${made.id}`, '[data-focus="edit"]');
  await page.click('[data-focus="edit"]');
  await page.waitForSelector("dialog .check");
  assert.equal(await page.evaluate(() => document.querySelector(".dialog-body").scrollWidth - document.querySelector(".dialog-body").clientWidth), 0);
  assert.ok(await page.evaluate(() => Math.min(...[...document.querySelectorAll("dialog input:not([type=checkbox]), dialog select")].map((node) => parseFloat(getComputedStyle(node).fontSize)))) >= 16);
  const foot = await page.evaluate(() => document.querySelector(".dialog-foot").getBoundingClientRect().bottom);
  assert.ok(foot <= 600.5, `the dialog's buttons end at ${foot}`);
});

test("text is readable in both themes, and forced colors keep what matters", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const page = await enter(gate.key, { options: { colorScheme } });
    await page.waitForSelector(".keys-table");
    const poor = await page.evaluate(() => {
      const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
      const rgb = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
      };
      const luminance = (color) => color.slice(0, 3).map((value) => value / 255).map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)).reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
      const behind = (node) => {
        for (let one = node; one; one = one.parentElement) {
          const color = rgb(getComputedStyle(one).backgroundColor);
          if (color[3] === 255) return color;
        }
        return [255, 255, 255, 255];
      };
      return [...document.querySelectorAll("body *")].filter((node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()) && node.getClientRects().length > 0 && !node.closest(".skip, .unseen, script")).flatMap((node) => {
        const [high, low] = [luminance(rgb(getComputedStyle(node).color)), luminance(behind(node))].sort((left, right) => right - left);
        const ratio = (high + 0.05) / (low + 0.05);
        return ratio < 4.5 ? [`${node.className || node.tagName} ${node.textContent.slice(0, 20)} ${ratio.toFixed(2)}`] : [];
      });
    });
    assert.deepEqual(poor, [], colorScheme);
  }
  const page = await enter(gate.key, { options: { forcedColors: "active", reducedMotion: "reduce" } });
  await page.waitForSelector(".keys-table");
  assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.querySelector(".badge")).borderStyle), "none");
});

test("the page asks nobody but its own origin, and its policy lets it", async () => {
  const hosts = new Set();
  const page = await enter(gate.key, { prepare: (one) => one.on("request", (request) => hosts.add(new URL(request.url()).origin)) });
  await page.waitForSelector(".keys-table");
  assert.deepEqual([...hosts], [new URL(gate.url).origin]);
  const response = await page.request.get(ADMIN);
  const policy = response.headers()["content-security-policy"];
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /require-trusted-types-for 'script'/);
});

test("both languages say the same things", async () => {
  const { outputFiles } = await build({
    stdin: { contents: 'export { en } from "./admin/i18n/en.ts"; export { zh } from "./admin/i18n/zh.ts";', resolveDir: www, loader: "ts" },
    bundle: true, write: false, format: "esm", platform: "node", logLevel: "warning",
  });
  const { en, zh } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
  const shape = (value) => (typeof value === "object" && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, shape(value[key])])) : typeof value);
  assert.deepEqual(shape(zh), shape(en));
  for (const [key, text] of Object.entries(zh.text)) {
    assert.ok(text.trim() !== "", key);
    if (!["language", "languageLabel"].includes(key)) assert.match(text, /\p{Script=Han}|Token/u, key);
  }
});

test("the page's scripts and styles stay small", async () => {
  const sizeOf = async (path) => gzipSync(Buffer.from(await (await fetch(new URL(path, ADMIN))).arrayBuffer()), { level: 9 }).length;
  const page = await (await fetch(ADMIN)).text();
  const [, script] = /<script[^>]* src="([^"]+)"/.exec(page);
  const [, style] = /<link rel="stylesheet" href="([^"]+)"/.exec(page);
  const total = (await sizeOf(script)) + (await sizeOf(style));
  assert.ok(total > 1_000 && total < 28 * 1024, `${total} bytes`);
});
