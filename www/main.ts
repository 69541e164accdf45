/** Wires the page: conversation, gate, views, keys. */
import { type Answer, Chat, isLive } from "./chat.js";
import { failureOf } from "./errors.js";
import { deviceModel } from "./local.js";
import { type ChosenFault, withFault } from "./faults.js";
import { currentLanguage, dict, name, onLanguage, preferredLanguage, say, t, useLanguage } from "./i18n/index.js";
import { markdownEngine, onMarkdownReady } from "./markdown/load.js";
import { gateUrl, loadChat, loadPrefs, saveChat, savePrefs, type Theme } from "./prefs.js";
import { Privacy } from "./privacy.js";
import { StickToBottom } from "./scroll.js";
import { Session } from "./session.js";
import { Announcer } from "./view/announce.js";
import { Composer } from "./view/composer.js";
import { Conversation } from "./view/conversation.js";
import { h, icon, iconButton, show, textButton } from "./view/dom.js";
import { FaultSwitch } from "./view/fault-switch.js";
import { Hiding, reasonOf } from "./view/hiding.js";
import { LiveLine } from "./view/live.js";
import { LocalSection } from "./view/local.js";
import { type Model, ModelMenu, presetMenu } from "./view/menu.js";
import { PrivacyPanel, sumsOf } from "./view/privacy-panel.js";
import { buildSettings } from "./view/settings.js";
import { Veil } from "./view/veil.js";

/** Between two paints of a stream, in milliseconds; the first delta is painted at once. */
const FLUSH_MS = 40;
/** Between two updates of running figures. */
const TICK_MS = 200;

function byId<T extends HTMLElement>(id: string): T {
  const node = document.getElementById(id);
  if (!node) throw new Error(`The page lacks #${id}.`);
  return node as T;
}

const prefs = loadPrefs();
let chat = loadChat();
let flushTimer: ReturnType<typeof setTimeout> | undefined;
/** The answer whose first piece was painted. */
let begun: Answer | undefined;
/** The misbehaviour that questions are asked with. Of this visit only: nobody wants to find a broken model tomorrow. */
let fault: ChosenFault | undefined;
let shownPhase: Answer["phase"] | undefined;
let tickTimer: ReturnType<typeof setInterval> | undefined;

const turns = byId("turns");
const empty = byId("empty");
const jump = byId<HTMLButtonElement>("jump");
const settings = byId<HTMLDialogElement>("settings");
const announcer = new Announcer(byId("status"));
const live = new LiveLine(byId("live"), byId("hint"));
const scroll = new StickToBottom(byId("scroller"), byId("column"), (held) => show(jump, !held && chat.path().length > 0));

const privacy = new Privacy(prefs.redact, currentLanguage);
const session = new Session(prefs, privacy, {
  sent(answer) {
    conversation.sent(answer, chat);
    showSums();
  },
  more,
  end,
  models(models) {
    offer(models);
    return menu.value;
  },
});
const conversation = new Conversation(turns, {
  edit: (question, text) => void start(() => chat.edit(question, text, asked(), Date.now(), fault)),
  regenerate: (answer) => void start(() => chat.regenerate(answer, asked() || answer.model, Date.now(), fault)),
  goOn: (answer) => void start(() => {
    chat.goOn(answer);
    conversation.remake(answer, chat, Date.now());
    return answer;
  }),
  canGoOn: (answer) => chat.canGoOn(answer),
  leaf(turn, step) {
    if (session.answer) session.stop();
    chat.turnTo(turn, step);
    refresh();
    saveChat(chat, Date.now());
  },
  openSettings: () => settings.showModal(),
  reading: () => scroll.release(),
  panelMode: () => prefs.panel,
});
const composer = new Composer(byId("question"), byId("send"), {
  send: (text) => void start(() => chat.ask(text, asked(), Date.now(), fault)),
  stop: () => session.stop(),
  edited: () => veil.edited(),
});
const privacyPanel = new PrivacyPanel(byId<HTMLDialogElement>("privacy"), () => settings.showModal());
const hiding = new Hiding(byId("hiding"), {
  keep(finding, value) {
    if (privacy.keep(finding, value)) applyPolicy();
  },
  hide(value) {
    privacy.hide(value);
    applyPolicy();
  },
  select: (start, end) => composer.select(start, end),
  open: () => privacyPanel.open(chat),
  kept: () => privacy.kept,
  on: () => privacy.on,
});
const veil = new Veil(byId("question"), byId("mirror"), {
  redactor: () => (privacy.on ? session.connect().then((gate) => gate.redactor) : Promise.resolve(undefined)),
  found: (findings, text) => hiding.found(findings, text),
  failed: () => hiding.fail(),
  reason: reasonOf,
});
const menu = new ModelMenu(byId("model"), byId("model-name"), prefs.model, (model) => {
  prefs.model = model;
  savePrefs(prefs);
});

/** The model to ask, by the name that brings the chosen fault about; empty where there is no list to choose from. */
const asked = (): string => menu.value && withFault(menu.value, fault);

/** What is hidden is decided anew, for the text in the field as well. */
function applyPolicy(): void {
  session.reconnect();
  veil.reset();
  hiding.draw();
}

const showSums = (): void => hiding.total(sumsOf(chat).hidden);

const faultSwitch = new FaultSwitch(byId("fault"), byId<HTMLDialogElement>("faults"), {
  choose(next) {
    fault = next;
  },
  tryOut: (next) => {
    fault = next;
    void start(() => chat.ask(t("faultQuestion"), asked(), Date.now(), fault));
  },
});

/** Asks; an answer that is under way gives way to it, and what it had said stays. */
async function start(ask: () => Answer): Promise<void> {
  menu.settle();
  while (session.answer) {
    session.stop();
    await session.idle();
  }
  conversation.letGo();
  const answer = ask();
  session.run(chat, answer);
  // Only while an answer comes: pages with this listener are not kept for the way back.
  addEventListener("beforeunload", leave);
  refresh();
  scroll.latch();
  composer.focus();
  announcer.begin(Date.now());
  tickTimer ??= setInterval(tick, TICK_MS);
  tick();
}

function more(answer: Answer): void {
  if (answer.pieces > 0 && begun !== answer) {
    begun = answer;
    announcer.say("answerStarted", Date.now());
    flush(answer);
  }
  flushTimer ??= setTimeout(() => {
    flushTimer = undefined;
    flush(answer);
  }, FLUSH_MS);
}

/** Paints what arrived. Its cost is measured for whoever observes `measure` entries; none pile up. */
function flush(answer: Answer): void {
  const from = performance.now();
  const now = Date.now();
  conversation.answer(answer)?.flush(now);
  if (session.answer === answer && answer.phase !== shownPhase) live.update(answer, now);
  shownPhase = answer.phase;
  performance.measure("flush", { start: from, end: performance.now() });
  performance.clearMeasures("flush");
}

const leave = (): void => session.leave();

function end(answer: Answer, shown: Answer): void {
  clearTimeout(flushTimer);
  flushTimer = undefined;
  flush(answer);
  if (!session.answer) {
    removeEventListener("beforeunload", leave);
    clearInterval(tickTimer);
    tickTimer = undefined;
  }
  if (shown !== answer || answer.phase === "failed" || chat.siblings(answer).length > 1) refresh();
  else showStreaming();
  if (answer.phase !== "failed") announcer.say(answer.phase === "stopped" ? "answerStopped" : "answerDone", Date.now());
  saveChat(chat, Date.now());
}

function tick(): void {
  const { answer } = session;
  if (!answer) return;
  const now = Date.now();
  live.update(answer, now);
  conversation.answer(answer)?.tick(now);
  announcer.still(answer.phase === "answering" ? "answerGoesOn" : "stillThinking", now);
}

function showStreaming(): void {
  composer.setStreaming(session.answer !== undefined);
  live.update(session.answer, Date.now());
}

function refresh(): void {
  conversation.update(chat, Date.now());
  show(empty, chat.path().length === 0);
  showStreaming();
  showSums();
}

function newChat(): void {
  session.stop();
  chat = new Chat();
  // What stays as it is, and what tokens stand for, is of one conversation.
  privacy.kept.length = 0;
  session.forget();
  applyPolicy();
  saveChat(chat, Date.now());
  refresh();
  scroll.reset();
  composer.focus();
}

const THEMES: readonly Theme[] = ["auto", "light", "dark"];
const THEME_KEYS = { auto: "themeAuto", light: "themeLight", dark: "themeDark" } as const;
const THEME_ICONS = { auto: "auto", light: "sun", dark: "moon" } as const;

const themeButton = iconButton("auto", "themeAuto", () => {
  prefs.theme = THEMES[(THEMES.indexOf(prefs.theme) + 1) % THEMES.length] ?? "auto";
  savePrefs(prefs);
  applyTheme();
});
themeButton.id = "theme";

function applyTheme(): void {
  document.documentElement.dataset.theme = prefs.theme;
  themeButton.replaceChildren(icon(THEME_ICONS[prefs.theme]));
  name(themeButton, THEME_KEYS[prefs.theme]);
}

const languageButton = textButton("language", () => {
  prefs.language = currentLanguage() === "zh" ? "en" : "zh";
  savePrefs(prefs);
  void useLanguage(prefs.language);
}, "quiet language-toggle");
languageButton.id = "language";
name(languageButton, "languageLabel");

function drawExamples(): void {
  byId("examples").replaceChildren(...dict().examples.map((text) => {
    const button = h("button", "example", text);
    button.type = "button";
    button.addEventListener("click", () => void start(() => chat.ask(text, asked(), Date.now(), fault)));
    return h("li", "", button);
  }));
  const sample = h("button", "example private", icon("shield"), h("span", "", h("strong", "", t("tryPrivate")), h("span", "", t("tryPrivateHint"))));
  sample.type = "button";
  sample.id = "try-private";
  sample.addEventListener("click", () => composer.fill(dict().privateSample));
  byId("examples").prepend(h("li", "wide-example", sample));
}

/** Offers the browser's own model, where there is one: the gate asks it when nothing else can answer, once it is prepared. */
async function offerDevice(): Promise<void> {
  const device = await deviceModel();
  if (!device) return;
  session.device = device;
  applyPolicy();
  const section = new LocalSection(device);
  settings.querySelector(".drawer-body")?.append(section.node);
  onLanguage(() => void section.refresh());
}

/** Asks the gate what it is and which models it has; the page works without either answer. */
async function discover(): Promise<void> {
  const [health, models] = await Promise.allSettled([
    fetch(new URL("/healthz", gateUrl())).then((answer) => answer.json() as Promise<unknown>),
    session.models(),
  ]);
  const upstreams = health.status === "fulfilled" ? (health.value as { upstreams?: unknown } | null)?.upstreams : undefined;
  const scripted = Array.isArray(upstreams) && upstreams.some((upstream) => (upstream as { scripted?: unknown }).scripted === true);
  show(byId("banner"), scripted);
  faultSwitch.offer(scripted);
  if (models.status === "fulfilled") offer(models.value);
  else menu.offer([], failureOf(models.reason, Date.now()).code);
}

const offer = (models: Model[]): void => menu.offer(models);

function build(): void {
  const create = h("button", "quiet", icon("plus"), say(h("span", "wide"), "newChat"));
  create.type = "button";
  create.id = "new-chat";
  create.addEventListener("click", newChat);
  name(create, "newChat", false);
  const open = iconButton("gear", "settings", () => settings.showModal());
  open.id = "open-settings";
  byId("tools").append(create, languageButton, themeButton, open);
  const banner = byId("banner");
  banner.append(h("p", "", say(h("span"), "scripted")), textButton("scriptedFaults", () => faultSwitch.open(), "link"), iconButton("cross", "dismiss", () => show(banner, false), "quiet small"));
  jump.append(icon("down"), say(h("span"), "jump"));
  jump.addEventListener("click", () => {
    scroll.latch();
    composer.focus();
  });
  // The button lies over the transcript; the wheel goes through it.
  jump.addEventListener("wheel", (event) => byId("scroller").scrollBy(0, event.deltaY), { passive: true });
  presetMenu(byId("preset"), prefs.preset, (preset) => {
    prefs.preset = preset;
    savePrefs(prefs);
  });
  buildSettings(settings, prefs, {
    changed() {
      savePrefs(prefs);
      conversation.applyMode();
    },
    redact() {
      savePrefs(prefs);
      applyPolicy();
    },
    loadNames: async () => (await privacy.names.load()).byteLength,
    reconnect() {
      applyPolicy();
      void discover();
void offerDevice();
    },
  });
  byId("composer").addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || event.keyCode === 229 || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (session.answer) {
      event.preventDefault();
      composer.stop();
    }
  });
  // To leave is to stop: what arrived is kept, and what the browser breaks now is nobody's failure.
  addEventListener("pagehide", () => {
    session.stop();
    saveChat(chat, Date.now());
  });
  onLanguage(() => {
    menu.draw();
    faultSwitch.draw();
    drawExamples();
    conversation.rebuild(chat, Date.now());
    showStreaming();
    // Tokens have the reader's language.
    applyPolicy();
  });
}

build();
applyTheme();
drawExamples();
onMarkdownReady(refresh);
markdownEngine();
refresh();
void useLanguage(prefs.language || preferredLanguage(navigator.languages)).finally(() => {
  document.documentElement.dataset.ready = "";
  // On a touch screen, focus would open the keyboard over the page.
  if (matchMedia("(pointer: fine)").matches) composer.focus();
});
if (chat.path().some(isLive)) saveChat(chat, Date.now());
if (chat.path().length > 0) scroll.latch();
void discover();
void offerDevice();
