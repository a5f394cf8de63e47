// <tick-er topics="ticker.BTC-USD ticker.*">: symbol, last, change, direction of each topic; fresh, or visibly stale.
//
// Updates only mark an item as dirty; frame.js draws. What patterns bring follows the named topics, in order of name.
import { connect } from "./client.js";
import { keepDrawn, onNextFrame, setAttribute, setText } from "./frame.js";
import { Quote, parseFields, parts, show, showAge } from "./quote.js";
import { isPattern } from "./topic.js";

const ITEMS_MAX = 500; // of patterns; the attribute max overrides
const FLASH_MS = 600;
const FLASH_MS_MIN = 350; // a faster flicker says nothing

const STYLE = `
:host { display: block; line-height: 1.4; font-variant-numeric: tabular-nums;
  --_up: var(--tick-up, light-dark(#067647, #47cd89)); --_down: var(--tick-down, light-dark(#c01048, #fd7089));
  --_muted: var(--tick-muted, color-mix(in srgb, currentColor 65%, transparent)); }
:host([hidden]), :empty { display: none; }
ul { display: flex; flex-wrap: var(--tick-wrap, wrap); gap: var(--tick-gap, .5em); margin: 0; padding: 0; }
li { display: flex; align-items: baseline; gap: .5em; white-space: nowrap; contain: layout style;
  padding: var(--tick-padding, .35em .7em); background: var(--tick-background, none);
  border: 1px solid var(--tick-border, color-mix(in srgb, currentColor 16%, transparent)); border-radius: var(--tick-radius, .5em); }
[part=symbol], [part=state] { font-weight: 600; }
[part=venue], [part=state], [part~=change], p { color: var(--_muted); font-size: .875em; margin: 0; }
[part=last] { text-align: right; border-radius: .2em; }
[data-trend="1"] [part~=change] { color: var(--_up); }
[data-trend="-1"] [part~=change] { color: var(--_down); }
[data-fresh=false] { border-style: dashed; }
[data-fresh=false] :is([part=last], [part~=change]) { opacity: .45; filter: grayscale(1); }`;

const FLASHES = ["down", "up"].map((name) => [{ background: `color-mix(in srgb, var(--_${name}) 35%, transparent)` }, {}]);
const ARROWS = { 1: ["▲", "up"], "-1": ["▼", "down"], 0: ["", ""] };
const WORDS = { live: "", unknown: "no data" };

// A new element in `parent`, and the text node in it.
function create(tag, part, parent, text = "") {
  const element = document.createElement(tag);
  element.setAttribute("part", part);
  element.append(text);
  parent?.append(element);
  return element;
}

class Item {
  element = create("li", "item");
  #client;
  #topic;
  #quote;
  #image;
  #flashedAt = 0;
  #width = 0;

  constructor(client, topic, fields) {
    this.#client = client;
    this.#topic = topic;
    this.#quote = new Quote(fields);
    const { symbol, venue } = parts(topic);
    this.element.title = topic;
    create("span", "symbol", this.element, symbol);
    if (venue) create("span", "venue", this.element, venue);
    this.last = create("span", "last", this.element);
    this.arrow = create("span", "arrow change", this.element);
    this.arrow.role = "img";
    this.change = create("span", "change", this.element);
    this.state = create("span", "state", this.element);
  }

  render() {
    const image = this.#client.images.get(this.#topic);
    if (image && image !== this.#image) this.#take(image);
    const { status, fresh, ageMs } = this.#client.status(this.#topic);
    setAttribute(this.element, "data-state", status);
    setAttribute(this.element, "data-fresh", fresh);
    setText(this.state, (WORDS[status] ?? status) + (status === "stale" ? ` ${showAge(ageMs)}` : ""));
  }

  #take(image) {
    const quote = this.#quote;
    this.#image = image;
    quote.take(image);
    const [arrow, spoken] = ARROWS[quote.trend];
    setText(this.last, quote.last);
    setText(this.arrow, arrow);
    setText(this.change, quote.percent || quote.change);
    setAttribute(this.arrow, "aria-label", spoken);
    setAttribute(this.element, "data-trend", quote.trend);
    if (quote.last.length > this.#width) {
      this.#width = quote.last.length;
      this.last.style.minWidth = `${this.#width}ch`; // so that a shorter price does not move its neighbours
    }
    if (quote.tick) this.#flash(FLASHES[quote.tick > 0 ? 1 : 0]);
  }

  #flash(colors) {
    const now = performance.now();
    if (now - this.#flashedAt < FLASH_MS_MIN || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    this.#flashedAt = now;
    this.last.animate(colors, FLASH_MS);
  }
}

const LINGER_MS = 1_000; // an element that is moved in the page leaves and comes back
const holders = new Map(); // url -> {client, count}

// http(s)://host, ws(s)://host or a path -> the server's WebSocket address; of the server of this module without one.
export function socketUrl(src = "/ws", base = import.meta.url) {
  const url = new URL(src, base);
  url.protocol = url.protocol.replace("http", "ws");
  if (url.pathname === "/") url.pathname = "/ws";
  return url.href;
}

// {client, release()}: one connection per server for all of a page; the last to let go closes it.
export function share(url = socketUrl(), options) {
  let held = holders.get(url);
  if (!held) holders.set(url, (held = { client: connect(url, options), count: 0 }));
  held.count++;
  const closeUnused = () => held.count || (holders.delete(url), held.client.close());
  return { client: held.client, release: () => --held.count || setTimeout(closeUnused, LINGER_MS) };
}

let sheet;

export class TickEr extends (globalThis.HTMLElement ?? Object) {
  static observedAttributes = ["topics", "src", "fields", "max", "max-rate"];
  #client = null;
  #items = new Map();
  #arrived = new Set(); // topics of patterns that have no item yet
  #sorted = []; // those that have one
  #endings = [];

  // Feeds the element, and every other of its server on the page; null while outside of one.
  get client() {
    return this.#client;
  }

  connectedCallback() {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    root.replaceChildren();
    this.list = create("ul", "list", root);
    this.list.role = "list"; // WebKit drops it with list-style: none
    this.list.ariaLive = "off"; // prices are looked up, not listened to
    this.more = create("p", "more", root);
    this.connection = create("p", "connection", root);
    this.connection.role = "status";
    this.#start();
  }

  disconnectedCallback() {
    for (const end of this.#endings.splice(0)) end();
    this.#client = null;
    this.#items.clear();
    this.#arrived.clear();
    this.#sorted = [];
  }

  attributeChangedCallback() {
    if (!this.#client) return;
    this.disconnectedCallback();
    this.connectedCallback();
  }

  #start() {
    const src = this.getAttribute("src");
    const { client, release } = share(src === null ? undefined : socketUrl(src, document.baseURI));
    this.#client = client;
    const fields = parseFields(this.getAttribute("fields"));
    const topics = [...new Set((this.getAttribute("topics") ?? "").split(/\s+/).filter(Boolean))];
    this.newItem = (topic) => this.#items.set(topic, new Item(client, topic, fields)).get(topic).element;
    this.list.append(...topics.filter((topic) => !isPattern(topic)).map(this.newItem));
    const onUpdate = ({ topic }) => onNextFrame(this.#items.get(topic) ?? (this.#arrived.add(topic), this));
    const subscription = client.subscribe(topics, { onUpdate, maxRate: Number(this.getAttribute("max-rate")) || 0 });
    const left = new AbortController();
    for (const type of ["state", "error"]) client.addEventListener(type, () => onNextFrame(this), left);
    this.#endings = [keepDrawn(this), () => subscription.close(), () => left.abort(), release];
    onNextFrame(this);
  }

  #admit() {
    const max = Number(this.getAttribute("max")) || ITEMS_MAX;
    for (const topic of this.#arrived) {
      if (this.#sorted.length >= max) break;
      this.#arrived.delete(topic);
      const after = this.#sorted.findIndex((other) => other > topic);
      this.list.insertBefore(this.newItem(topic), this.#items.get(this.#sorted[after])?.element ?? null);
      this.#sorted.splice(after < 0 ? this.#sorted.length : after, 0, topic);
    }
    setText(this.more, this.#arrived.size ? `and ${this.#arrived.size} more` : "");
  }

  render() {
    this.#admit();
    for (const item of this.#items.values()) item.render();
    const { state } = this.#client;
    setAttribute(this.list, "data-connection", state);
    setText(this.connection, { open: "", closed: "disconnected" }[state] ?? "connecting…");
  }
}

if (globalThis.customElements && !customElements.get("tick-er")) customElements.define("tick-er", TickEr);
