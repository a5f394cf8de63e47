// The page at /: everything the plant carries, over one connection, which the strip of <tick-er> shares.
// ?topics=ticker.> narrows it; #token=... signs in.
import { keepDrawn, onNextFrame, setAttribute, setText } from "./frame.js";
import { Detail } from "./page_detail.js";
import { Table } from "./page_table.js";
import { Tape } from "./page_tape.js";
import { parts } from "./quote.js";
import { share } from "./share.js";
import { isPattern } from "./topic.js";

/** @import { Update } from "./subscription.js" */

const TOPICS_MAX = 10_000;
const RATE_MAX = 5; // updates a second of one topic; an eye needs no more, and the jumps in seq still count them all
const RATE_WINDOW_S = 5;
const STRIP_ITEMS = 12;
const CHANNELS_MAX = 8;
const REFUSED_SHOWN = 5;
const OPEN_EVERY_S = 10; // while a pattern is refused, open topics are looked up this often
const EMPTY_AFTER_MS = 800; // open for this long without a topic: say how to get one
const EVENT_CHANNELS = new Set(["trade", "trades", "event", "events", "chat"]);

/** An element that the page has. @param {string} selector @returns {HTMLElement} */
const find = (selector) => /** @type {HTMLElement} */ (document.querySelector(selector));
const number = new Intl.NumberFormat("en");
const { client } = share(undefined, { topicsMax: TOPICS_MAX });
const table = new Table(/** @type {HTMLTableElement} */ (find("#market table")), client);
const tape = new Tape(find("#tape ol"));
const detail = new Detail(/** @type {HTMLDialogElement} */ (find("dialog")), client);
const channels = /** @type {Map<string, number>} */ (new Map()); // channel -> number of topics
const counted = /** @type {Map<string, number>} */ (new Map()); // topic -> seq up to which its updates are counted
const rates = Array(RATE_WINDOW_S).fill(0); // updates in each of the last seconds
let channel = "";
let openedAt = 0;

/** @param {Update} update */
function onUpdate(update) {
  const { topic, seq, kind } = update;
  const before = counted.get(topic);
  if (before === undefined) {
    const name = parts(topic).channel;
    channels.set(name, (channels.get(name) ?? 0) + 1);
    onNextFrame(state);
  }
  rates[0] += before === undefined ? Number(kind === "update") : Math.max(0, seq - before);
  counted.set(topic, seq);
  table.update(update);
  detail.refresh(topic);
  if (EVENT_CHANNELS.has(parts(topic).channel) && (kind === "update" || kind === "snapshot") && seq > 0) tape.add(update);
}

const filter = /** @type {HTMLInputElement} */ (find("#filter"));

function applyFilter() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  table.filter((row) => (!channel || row.parts.channel === channel) && words.every((word) => row.search.includes(word)));
}

function drawChannels() {
  const box = find("#channels");
  const most = [...channels].sort(([, a], [, b]) => b - a).slice(0, CHANNELS_MAX);
  const wanted = /** @type {[string, number][]} */ (most.length > 1 ? [["", counted.size], ...most] : []);
  while (box.children.length > wanted.length) box.lastChild?.remove();
  wanted.forEach(([name, topics], i) => {
    const button = box.children[i] ?? box.appendChild(document.createElement("button"));
    if (!button.firstChild) button.append(name || "all", document.createElement("span"));
    const label = /** @type {Text} */ (button.firstChild);
    if (label.data !== (name || "all")) label.data = name || "all";
    /** @type {Element} */ (button.lastElementChild).textContent = String(topics);
    setAttribute(button, "value", name);
    setAttribute(button, "aria-pressed", name === channel);
  });
}

// The first topics with a price; looked for again when there are more topics.
function drawStrip() {
  const strip = /** @type {HTMLElement | null} */ (document.querySelector("tick-er")) ?? document.createElement("tick-er");
  if (strip.dataset.of === String(table.rows.size)) return;
  const priced = [...table.rows.values()].filter((row) => Number.isFinite(row.quote.value) && !EVENT_CHANNELS.has(row.parts.channel));
  const topics = priced.map(({ topic }) => topic).sort().slice(0, STRIP_ITEMS).join(" ");
  if (!topics) return;
  strip.dataset.of = String(table.rows.size);
  setAttribute(strip, "topics", topics);
  find("#strip").append(strip);
}

function drawCounts() {
  const stale = [...table.rows.keys()].filter((topic) => client.status(topic).status === "stale").length;
  find("#topics").textContent = number.format(counted.size);
  find("#stale").textContent = number.format(stale);
  find("#stale-box").hidden = stale === 0;
  find("#rate").textContent = number.format(Math.round(rates.slice(1).reduce((sum, n) => sum + n, 0) / (RATE_WINDOW_S - 1)));
  rates.unshift(0);
  rates.length = RATE_WINDOW_S;
  find("#note").textContent = client.ignored
    ? `The first ${number.format(TOPICS_MAX)} topics are shown. For others, name them in the address: ?topics=ticker.>`
    : table.shown.length || !filter.value ? "" : "No topic matches the filter.";
}

const second = {
  render() {
    drawChannels();
    drawStrip();
    drawCounts();
    drawState();
    lookUpOpen().catch(() => {}); // again in a while
    table.refresh();
    detail.refresh();
  },
};
const state = { render: drawState };

function drawState() {
  const some = counted.size > 0;
  const wait = Math.ceil(client.retryMs / 1000);
  const words = { open: "live", connecting: "connecting", closed: "disconnected", paused: "paused", away: wait > 1 ? `reconnecting in ${wait} s` : "reconnecting" };
  find("#connection").textContent = words[client.state];
  setAttribute(find("#connection"), "data-state", client.state);
  find("#market").hidden = !some;
  find("#strip").hidden = !some;
  find("#tape").hidden = ![...channels.keys()].some((name) => EVENT_CHANNELS.has(name));
  drawRefused(some);
  find("#empty").hidden = some || client.refused.size > 0 || client.state !== "open" || performance.now() - openedAt < EMPTY_AFTER_MS;
  find("#server").textContent = client.server && `${client.server} · epoch ${client.epoch}`;
}

/** What was refused, and why. @param {boolean} some whether any topic is shown */
function drawRefused(some) {
  const refused = [...client.refused.values()];
  const more = refused.length - REFUSED_SHOWN;
  const why = refused.slice(0, REFUSED_SHOWN).map(({ topic = "", message }) => (message.startsWith(topic) ? message : `${topic}: ${message}`));
  find("#refused").hidden = refused.length === 0;
  setText(find("#refused b"), refused.some(({ retryable }) => !retryable) ? "Needs permission:" : "Cannot be authorized yet; asking again:");
  setText(find("#refused span"), why.join(" · ") + (more > 0 ? ` · and ${more} more` : ""));
  setText(find("#refused small"), some ? "Everything else is shown." : "Nothing else is published here yet.");
}

// A pattern is refused whole where a part of it is guarded: then the open topics are named one by one.
const open = /** @type {Set<string>} */ (new Set());
let openIn = 0;
async function lookUpOpen() {
  const patterns = [...client.refused.keys()].filter(isPattern);
  if (!patterns.length || client.state !== "open" || openIn-- > 0) return;
  openIn = OPEN_EVERY_S;
  for (const pattern of patterns) {
    for (let after = /** @type {string | null} */ (""); after !== null && open.size < TOPICS_MAX; ) {
      /** @type {{topics: {topic: string}[], next: string | null}} */
      const answer = await fetch(`v1/topics?${new URLSearchParams({ pattern, after })}`).then((response) => response.json());
      const news = answer.topics.map(({ topic }) => topic).filter((topic) => !open.has(topic)).slice(0, TOPICS_MAX - open.size);
      for (const topic of news) open.add(topic);
      if (news.length) client.subscribe(news, { onUpdate, maxRate: RATE_MAX });
      after = answer.next;
    }
  }
}

client.addEventListener("state", () => {
  if (client.state === "open") openedAt = performance.now();
  onNextFrame(state);
});
client.addEventListener("error", () => onNextFrame(state));
filter.addEventListener("input", applyFilter);
find("#channels").addEventListener("click", ({ target }) => {
  const button = target instanceof Element && target.closest("button");
  if (!button) return;
  channel = button.value;
  applyFilter();
  drawChannels();
});
find("#market tbody").addEventListener("click", ({ target }) => {
  const topic = target instanceof Element && table.topicAt(target);
  if (topic) detail.open(topic);
});
const asked = new URLSearchParams(location.search).getAll("topics").flatMap((text) => text.split(/[\s,]+/)).filter(Boolean);
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (token) client.auth(token).catch(() => {}); // the event says so
client.subscribe(asked.length ? asked : [">"], { onUpdate, maxRate: RATE_MAX });
keepDrawn(second);
