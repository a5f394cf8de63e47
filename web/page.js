// The page at /: everything the plant carries, over one connection. ?topics=ticker.> narrows it; #token=... signs in.
import { keepDrawn, onNextFrame, setAttribute, setText } from "./frame.js";
import { code, find, frame, lineIcon } from "./page_frame.js";
import { Table } from "./page_table.js";
import { Tape } from "./page_tape.js";
import { parts } from "./quote.js";
import { share } from "./share.js";
import { isPattern } from "./topic.js";

/** @import { Update } from "./subscription.js" */

const TOPICS_MAX = 10_000;
const RATE_MAX = 5; // updates a second of one topic; an eye needs no more, and the jumps in seq still count them all
const RATE_WINDOW_S = 5;
const CHANNELS_MAX = 8;
const REFUSED_SHOWN = 5;
const OPEN_EVERY_S = 10; // while a pattern is refused, open topics are looked up this often
const EMPTY_AFTER_MS = 800; // open for this long without a topic: say how to get one
const WATCHED = "\\watched"; // chips that are no channels: a channel has no backslash
const EVENTS = "\\events";

const number = new Intl.NumberFormat("en");
const { client } = share(undefined, { topicsMax: TOPICS_MAX });
frame(client, "Topics");
const table = new Table(/** @type {HTMLTableElement} */ (find("#market table")), client);
const tape = new Tape(find("#tape ol"), find("#held"));
const channels = /** @type {Map<string, number>} */ (new Map()); // channel -> number of topics
const counted = /** @type {Map<string, number>} */ (new Map()); // topic -> seq up to which its updates are counted
const rates = Array(RATE_WINDOW_S).fill(0); // updates in each of the last seconds
let channel = new URLSearchParams(location.search).get("channel") ?? "";
let openedAt = 0;
let events = 0; // topics of events

/** @param {Update} update */
function onUpdate(update) {
  const { topic, seq, kind } = update;
  const before = counted.get(topic), { event } = client.status(topic);
  if (before === undefined) {
    const name = parts(topic).channel;
    channels.set(name, (channels.get(name) ?? 0) + 1);
    events += Number(event);
    onNextFrame(state);
  }
  rates[0] += before === undefined ? Number(kind === "update") : Math.max(0, seq - before);
  counted.set(topic, seq);
  table.update(topic);
  if (event && (kind === "update" || kind === "snapshot") && seq > (before ?? 0)) tape.add(update);
}

const filter = /** @type {HTMLInputElement} */ (find("#filter"));

function applyFilter() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  const named = channel && channel !== EVENTS && channel !== WATCHED;
  table.filter(({ topic, parts: { channel: own } }) => (!named || own === channel) && (channel !== WATCHED || table.watched.has(topic)) && words.every((word) => topic.toLowerCase().includes(word)));
  find(".layout").classList.toggle("events", channel === EVENTS);
}

function drawChannels() {
  const box = find("#channels");
  const most = [...channels].sort(([, a], [, b]) => b - a).slice(0, CHANNELS_MAX);
  /** @type {[string, string, number | string][]} */
  const wanted = [["", "All", counted.size], [WATCHED, "★ Watchlist", ""], ...most.map(([name, topics]) => /** @type {[string, string, number]} */ ([name, name, topics])), ...(events ? [/** @type {[string, string, string]} */ ([EVENTS, "Events", ""])] : [])];
  while (box.children.length > wanted.length) box.lastChild?.remove();
  wanted.forEach(([value, name, topics], i) => {
    const button = box.children[i] ?? box.appendChild(document.createElement("button"));
    if (!button.firstChild) button.append(document.createElement("span"), document.createElement("small"));
    button.className = "chip";
    setText(button.children[0], name);
    setText(button.children[1], String(topics));
    setAttribute(button, "value", value);
    setAttribute(button, "aria-pressed", value === channel);
  });
}

function drawCounts() {
  find("#topics").textContent = number.format(counted.size);
  find("#rate").textContent = number.format(Math.round(rates.slice(1).reduce((sum, n) => sum + n, 0) / (RATE_WINDOW_S - 1)));
  rates.unshift(0);
  rates.length = RATE_WINDOW_S;
  const none = channel === WATCHED && !filter.value ? "Nothing is watched yet: a star before a topic adds it." : "No topic matches.";
  find("#note").textContent = client.ignored
    ? `The first ${number.format(TOPICS_MAX)} topics are shown. For others, name them in the address: ?topics=ticker.>`
    : table.shown ? "" : none;
  find("#note").hidden = find("#note").textContent === "";
}

const second = {
  render() {
    drawChannels();
    drawCounts();
    drawState();
    lookUpOpen().catch(() => {}); // again in a while
    table.refresh();
  },
};
const state = {
  render() {
    drawState();
    drawChannels();
    find("#topics").textContent = number.format(counted.size);
  },
};

function drawState() {
  const some = counted.size > 0;
  find("#market").hidden = !some;
  find("#tape").hidden = !events;
  drawRefused(some);
  const empty = !some && client.refused.size === 0 && client.state === "open" && performance.now() - openedAt >= EMPTY_AFTER_MS;
  find("#empty").hidden = !empty;
  find(".tools").hidden = empty;
}

/** Patterns of which this viewer gets only a part. */
const partial = /** @type {Set<string>} */ (new Set());

/** What was refused, and why. @param {boolean} some whether any topic is shown */
function drawRefused(some) {
  const refused = [...client.refused.values()];
  const more = refused.length - REFUSED_SHOWN;
  const why = refused.slice(0, REFUSED_SHOWN).map(({ topic = "", message }) => (message.startsWith(topic) ? message : `${topic}: ${message}`));
  why.push(...[...partial].map((pattern) => `some topics of ${pattern}`));
  find("#refused").hidden = why.length === 0;
  setText(find("#refused b"), partial.size || refused.some(({ retryable }) => !retryable) ? "Needs permission:" : "Cannot be authorized yet; asking again:");
  setText(find("#refused span"), why.join(" · ") + (more > 0 ? ` · and ${more} more` : ""));
  setText(find("#refused small"), some ? "Everything else is shown." : "Nothing else is published here yet.");
}

// A pattern is refused whole while the authorizer of a part of it cannot answer: meanwhile the open topics are named one by one.
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
client.addEventListener("partial", (event) => {
  partial.add(/** @type {Event & {topic: string}} */ (event).topic);
  onNextFrame(state);
});
filter.addEventListener("input", applyFilter);
find("#lens").innerHTML = lineIcon("search");
addEventListener("keydown", (event) => {
  if (event.key !== "/" || /** @type {Element} */ (event.target).matches("input, select, textarea")) return;
  event.preventDefault();
  filter.focus();
});
find("#channels").addEventListener("click", ({ target }) => {
  const button = target instanceof Element && target.closest("button");
  if (!button) return;
  channel = button.value;
  applyFilter();
  drawChannels();
});
for (const box of document.querySelectorAll("[data-code]")) code(/** @type {HTMLElement} */ (box), box.textContent ?? "");
const asked = new URLSearchParams(location.search).getAll("topics").flatMap((text) => text.split(/[\s,]+/)).filter(Boolean);
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (token) client.auth(token).catch(() => {}); // the event says so
client.subscribe(asked.length ? asked : [">"], { onUpdate, maxRate: RATE_MAX });
applyFilter();
keepDrawn(second);
