/** Wires the admin page: session, sections, language, theme. */
import { can } from "./access.js";
import { api, ApiError } from "./api.js";
import { type Context, isEnded, type View } from "./context.js";
import { roleText, setCurrency } from "./format.js";
import { currentLanguage, dict, moment, preferredLanguage, t, type TextKey, useLanguage } from "./i18n/index.js";
import { loadLooks, saveLooks, THEMES } from "./looks.js";
import { hrefOf, type Place, placeOf } from "./place.js";
import type { Session } from "./types.js";
import { button, emptyState, failure, h, icon, iconButton, link, loading, show, tell } from "./ui.js";
import { keyView } from "./view/key.js";
import { keysView } from "./view/keys.js";
import { limitsView } from "./view/limits.js";
import { rolesView } from "./view/roles.js";
import { signIn } from "./view/sign-in.js";
import { usageView } from "./view/usage.js";

function byId(id: string): HTMLElement {
  const node = document.getElementById(id);
  if (!node) throw new Error(`The page lacks #${id}.`);
  return node;
}

const SECTIONS = ["keys", "usage", "roles", "limits"] as const;
type Section = (typeof SECTIONS)[number];
const VIEWS: Record<Section, (place: Place, context: Context) => View> = { keys: keysView, usage: usageView, roles: rolesView, limits: limitsView };

const content = byId("content");
const tabs = byId("tabs");
const looks = loadLooks();
let session: Session | undefined;
let view: View | undefined;
let section: string | undefined;
let leaving = new AbortController();
/** Why one has to sign in. */
let reason: TextKey | undefined;
/** What the page shows instead of a section, when even the session cannot be asked for. */
let broken: unknown;

const allowed = (): Section[] => SECTIONS.filter((one) => session && can(session, one));

/** Leaves what is shown, with every request that it still waits for. */
function leave(): AbortSignal {
  leaving.abort();
  leaving = new AbortController();
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  view = undefined;
  section = undefined;
  return leaving.signal;
}

function contextFor(signed: Session, signal: AbortSignal): Context {
  return {
    session: signed,
    signal,
    can: (part) => can(signed, part),
    ended(error) {
      if (!isEnded(error)) return false;
      session = undefined;
      reason = "signInAgain";
      draw(true);
      return true;
    },
    title(text) {
      const heading = content.querySelector(".view-title");
      if (heading) heading.textContent = text;
      document.title = `${text} · Sluicegate`;
    },
    go(href, how = "push") {
      history[how === "push" ? "pushState" : "replaceState"](null, "", href);
      draw(false);
    },
  };
}

const nothing = (): View => ({ title: t("nothingHere"), node: emptyState(t("nothingHere"), t("nothingHereText"), link(t("toKeys"), hrefOf(["keys"]))) });

function viewAt(place: Place, context: Context): View {
  const [first = "", id] = place.path;
  if (first === "keys" && id !== undefined && place.path.length === 2 && context.can("keys")) return keyView(id, context);
  const named = SECTIONS.find((one) => one === first);
  return named && place.path.length === 1 && context.can(named) ? VIEWS[named](place, context) : nothing();
}

/** Draws what the address names. `moved` puts the focus on it, as a reader would expect of another page. */
function draw(moved: boolean): void {
  drawFrame();
  if (!session) {
    leave();
    return drawDoor();
  }
  const place = placeOf(location.hash);
  if (place.path.length === 0) {
    const [home] = allowed();
    if (home) {
      history.replaceState(null, "", hrefOf([home]));
      return draw(moved);
    }
  }
  const where = place.path.join("/");
  if (view && section === where && view.update?.(place)) return;
  const signal = leave();
  section = where;
  view = viewAt(place, contextFor(session, signal));
  const heading = h("h2", "view-title", view.title);
  heading.tabIndex = -1;
  const none = allowed().length === 0 ? failure(new ApiError(403, "forbidden", "")) : undefined;
  content.replaceChildren(h("div", "page", none ?? heading, none ? "" : view.node));
  document.title = `${view.title} · Sluicegate`;
  if (moved) heading.focus();
  scrollTo(0, 0);
}

function drawDoor(): void {
  document.title = `${t("signIn")} · Sluicegate`;
  if (broken !== undefined) {
    content.replaceChildren(h("div", "page", failure(broken, { binding: "DB", retry: () => void start() })));
    return;
  }
  content.replaceChildren(h("div", "page", signIn(reason, enter)));
  content.querySelector("input")?.focus();
}

function drawFrame(): void {
  byId("skip").textContent = t("skip");
  byId("tagline").textContent = t("admin");
  tabs.setAttribute("aria-label", t("sections"));
  show(tabs, session !== undefined && allowed().length > 0);
  const [current] = placeOf(location.hash).path;
  tabs.replaceChildren(...allowed().map((one) => {
    const node = link(t(one), hrefOf([one]));
    if (one === current) node.setAttribute("aria-current", "page");
    return node;
  }));
  const tools: HTMLElement[] = [];
  if (session) {
    const who = h("span", "who", dict().signedInAs(session.name, roleText(session.role)));
    who.title = dict().until(moment(session.expires_at));
    const out = button(t("signOut"), () => void signOut());
    out.id = "sign-out";
    tools.push(who, out);
  }
  byId("tools").replaceChildren(...tools, languageButton(), themeButton());
}

function languageButton(): HTMLElement {
  const node = h("button", "quiet language-toggle", t("language"));
  node.type = "button";
  node.id = "language";
  node.title = t("languageLabel");
  node.setAttribute("aria-label", t("languageLabel"));
  node.addEventListener("click", () => {
    looks.language = currentLanguage() === "zh" ? "en" : "zh";
    saveLooks(looks);
    void useLanguage(looks.language).then(() => {
      redraw();
      byId("language").focus();
    });
  });
  return node;
}

/** Draws everything anew: another language. */
function redraw(): void {
  leave();
  draw(false);
}

const THEME_TEXTS = { auto: "themeAuto", light: "themeLight", dark: "themeDark" } as const;
const THEME_ICONS = { auto: "auto", light: "sun", dark: "moon" } as const;

function themeButton(): HTMLElement {
  document.documentElement.dataset.theme = looks.theme;
  const node = iconButton(THEME_ICONS[looks.theme], t(THEME_TEXTS[looks.theme]), () => {
    looks.theme = THEMES[(THEMES.indexOf(looks.theme) + 1) % THEMES.length] ?? "auto";
    saveLooks(looks);
    document.documentElement.dataset.theme = looks.theme;
    node.replaceChildren(icon(THEME_ICONS[looks.theme]));
    node.title = t(THEME_TEXTS[looks.theme]);
    node.setAttribute("aria-label", node.title);
  });
  node.id = "theme";
  return node;
}

async function enter(): Promise<void> {
  session = await api.session();
  reason = undefined;
  if (can(session, "limits")) await api.defaults().then(({ currency }) => setCurrency(currency), () => undefined);
  draw(true);
}

async function signOut(): Promise<void> {
  try {
    await api.signOut();
  } catch (error) {
    // A session that is gone is what was asked for; one that may still be there is not.
    if (!isEnded(error)) {
      const shown = failure(error);
      content.firstElementChild?.prepend(shown);
      return shown.focus();
    }
  }
  session = undefined;
  reason = undefined;
  draw(true);
  tell(t("signedOut"));
}

/** Goes on with the session that the cookie may stand for. */
async function start(): Promise<void> {
  broken = undefined;
  content.replaceChildren(h("div", "page", loading()));
  try {
    await enter();
  } catch (error) {
    session = undefined;
    if (!isEnded(error)) broken = error;
    draw(false);
  }
}

addEventListener("hashchange", () => draw(true));
byId("skip").addEventListener("click", (event) => {
  // The fragment is where the reader is; the link only moves the focus.
  event.preventDefault();
  content.focus();
});
document.documentElement.dataset.theme = looks.theme;
await useLanguage(looks.language || preferredLanguage(navigator.languages));
drawFrame();
document.documentElement.dataset.ready = "";
await start();
