// The frame of the plant's pages: the top bar with its pill and theme, the foot, code with a copy button, tabs.
import { keepDrawn, setAttribute, setText } from "./frame.js";
import { ICON, setIcon } from "./looks.js";
import { statusOf } from "./tick_status.js";

/** @import { Client } from "./client.js" */

const THEME_KEY = "tickwire-theme";
const COPIED_MS = 1_600;

/** On 12 x 12, in lines. @type {Record<string, string>} */
const LINES = {
  sun: '<circle cx="6" cy="6" r="2.3"/><path d="M6 .6v1.2M6 10.2v1.2M.6 6h1.2M10.2 6h1.2M2.2 2.2l.8.8M9 9l.8.8M2.2 9.8L3 9M9 3l.8-.8"/>',
  moon: '<path d="M10.4 7.4A4.8 4.8 0 0 1 4.6 1.6a4.8 4.8 0 1 0 5.8 5.8z"/>',
  system: '<rect x="1" y="1.8" width="10" height="7" rx="1"/><path d="M4 11h4"/>',
  copy: '<rect x="4" y="4" width="7" height="7" rx="1.4"/><path d="M8 4V2.4A1.4 1.4 0 0 0 6.6 1H2.4A1.4 1.4 0 0 0 1 2.4v4.2A1.4 1.4 0 0 0 2.4 8H4"/>',
  done: '<path d="M1.5 6.5l3 3 6-7"/>',
  search: '<circle cx="5" cy="5" r="3.8"/><path d="M8 8l3 3"/>',
  star: '<path d="M6 .9l1.6 3.3 3.6.5-2.6 2.5.6 3.6L6 9.1l-3.2 1.7.6-3.6L.8 4.7l3.6-.5z"/>',
};
const LOGO = '<svg class="logo" viewBox="0 0 24 24" width="26" height="26" aria-hidden="true"><rect width="24" height="24" rx="6" fill="#3557e0"/><path d="M4 13h3l2-6 4 11 3-8 1 3h3" fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/></svg>';

/** An icon's HTML. @param {string} name */
export const lineIcon = (name) => `<svg class="i" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round">${LINES[name]}</svg>`;

/** An element that the page has. @param {string} selector @param {ParentNode} [root] @returns {HTMLElement} */
export const find = (selector, root = document) => /** @type {HTMLElement} */ (root.querySelector(selector));

/** What this browser keeps; a private window keeps nothing. */
export const kept = {
  /** @param {string} key */
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  /** @param {string} key @param {string} value */
  set(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      // it is only not kept
    }
  },
};

/** @param {string} theme */
function wear(theme) {
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

const PAGES = [["./", "Topics"], ["embed", "Embed"]];

/** Draws the top bar, with an empty pill, and the foot. @param {string} here the page's name @param {string[][]} [pages] addresses and names */
export function bar(here, pages = PAGES) {
  const theme = kept.get(THEME_KEY) ?? "system";
  wear(theme);
  const links = pages.map(([to, name]) => `<a href="${to}"${name === here ? ' aria-current="page"' : ""}>${name}</a>`);
  const themes = [["light", "sun"], ["system", "system"], ["dark", "moon"]].map(([value, name]) => `<label title="${value}"><input type="radio" name="theme" value="${value}"${value === theme ? " checked" : ""}><span class="sr">${value}</span>${lineIcon(name)}</label>`);
  document.body.insertAdjacentHTML("afterbegin", `<a class="skip" href="#main">Skip to content</a><header class="top"><a class="brand" href="./">${LOGO}<span>tickwire</span></a>
    <p id="connection" role="status">${ICON}<b></b></p><nav aria-label="Pages">${links.join("")}</nav><fieldset class="theme"><legend class="sr">Colours</legend>${themes.join("")}</fieldset></header>`);
  document.body.insertAdjacentHTML("beforeend", '<footer class="foot"><span id="server"></span>' + (pages.length ? '<a href="health">Health</a><a href="v1/topics">Topics as JSON</a>' : "") + "</footer>");
  find(".theme").addEventListener("change", ({ target }) => {
    const { value } = /** @type {HTMLInputElement} */ (target);
    wear(value);
    kept.set(THEME_KEY, value);
  });
}

/** Draws the top bar and the foot, and how a client stands. @param {Client} client @param {string} here the page's name in the top bar */
export function frame(client, here) {
  bar(here);
  const pill = { render: () => drawPill(client) };
  keepDrawn(pill);
  client.addEventListener("state", pill.render);
  drawPill(client);
}

/** @param {Client} client */
function drawPill(client) {
  const { icon, words } = statusOf(client, []);
  const counted = client.state === "open" && words !== "Live";
  setAttribute(find("#connection"), "data-state", client.state === "open" && icon === "live" ? "live" : icon);
  setAttribute(find("#connection"), "data-connection", client.state);
  setIcon(find("#connection svg"), icon === "unavailable" ? "refused" : icon);
  setText(find("#connection b"), words);
  find("#connection").classList.toggle("counted", counted);
  setText(find("#server"), client.server && `${client.server} · epoch ${client.epoch}`);
}

/** Copies a text; without a clipboard it is selected. @param {HTMLElement} button @param {string} text */
export async function copy(button, text) {
  const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  const label = button.innerHTML;
  button.innerHTML = `${lineIcon(done ? "done" : "copy")}<span>${done ? "Copied" : "Selected"}</span>`;
  const pre = button.parentElement?.querySelector("pre");
  if (!done && pre) getSelection()?.selectAllChildren(pre);
  setTimeout(() => (button.innerHTML = label), COPIED_MS);
}

/** Shows code with a copy button. @param {HTMLElement} box @param {string} text */
export function code(box, text) {
  box.classList.add("code");
  box.innerHTML = `<pre tabindex="0"><code></code></pre><button type="button" class="copy">${lineIcon("copy")}<span>Copy</span></button>`;
  find("code", box).textContent = text;
  find("button", box).onclick = ({ currentTarget }) => copy(/** @type {HTMLElement} */ (currentTarget), text);
}

/** Tabs of code; arrow keys change them. @param {HTMLElement} box @param {Record<string, string>} texts */
export function tabs(box, texts) {
  const names = Object.keys(texts);
  const before = names.indexOf(box.querySelector("[aria-selected=true]")?.textContent ?? "");
  box.classList.add("tabs");
  box.innerHTML = `<div role="tablist" aria-label="Language">${names.map((name) => `<button type="button" role="tab">${name}</button>`).join("")}</div><div role="tabpanel"></div>`;
  const buttons = /** @type {HTMLElement[]} */ ([...box.querySelectorAll("[role=tab]")]);
  const pick = (/** @type {number} */ i, focus = false) => {
    buttons.forEach((button, j) => {
      button.ariaSelected = String(i === j);
      button.tabIndex = i === j ? 0 : -1;
    });
    if (focus) buttons[i].focus();
    code(find("[role=tabpanel]", box), texts[names[i]]);
  };
  buttons.forEach((button, i) => {
    button.onclick = () => pick(i);
    button.onkeydown = ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (step) pick((i + step + names.length) % names.length, true);
    };
  });
  pick(Math.max(0, before));
}
