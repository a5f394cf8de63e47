// <tick-er topics="ticker.BTC-USD ticker.*">: symbol, last, change, direction of each topic; fresh, or visibly stale.
//
// Updates only mark what is to be drawn. What patterns bring follows the named topics, in order of name.
import { connect } from "./client.js";
import { socketUrl } from "./connection.js";
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
li { display: flex; align-items: baseline; gap: .5em; white-space: nowrap; contain: layout style; list-style: none;
  padding: var(--tick-padding, .35em .7em); background: var(--tick-background, none);
  border: 1px solid var(--tick-border, color-mix(in srgb, currentColor 16%, transparent)); border-radius: var(--tick-radius, .5em); }
[part=symbol], [part=state] { font-weight: 600; }
[part=venue], [part=state], [part=change], p { color: var(--_muted); font-size: .875em; margin: 0; }
[part=last] { text-align: right; border-radius: .2em; }
[part~=up] :is([part=arrow], [part=change]) { color: var(--_up); }
[part~=down] :is([part=arrow], [part=change]) { color: var(--_down); }
[part~=old] { border-style: dashed; }
[part~=old] :is([part=last], [part=arrow], [part=change]) { opacity: .45; filter: grayscale(1); }`;

const TRENDS = { 1: ["▲", "up"], "-1": ["▼", "down"], 0: ["", "flat"] };

// A new element with one text node.
function create(tag, part, text = "") {
  const element = document.createElement(tag);
  element.setAttribute("part", part);
  element.append(text);
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
    const texts = { symbol, venue, last: "", arrow: "", change: "", state: "" };
    for (const part in texts) this.element.append((this[part] = create("span", part, texts[part])));
    this.element.title = topic;
    this.arrow.role = "img";
    this.arrow.ariaLabel = "flat";
  }

  render() {
    const image = this.#client.images.get(this.#topic);
    if (image && image !== this.#image) this.#take(image);
    const { status, fresh, ageMs } = this.#client.status(this.#topic);
    setAttribute(this.element, "part", `item ${status} ${fresh ? "fresh" : "old"} ${this.arrow.ariaLabel}`);
    const words = { live: "", unknown: fresh ? "no data" : "", stale: ageMs >= 1000 ? `stale ${showAge(ageMs)}` : status };
    setText(this.state, words[status] ?? status);
  }

  #take(image) {
    const quote = this.#quote;
    this.#image = image;
    quote.take(image);
    const [arrow, trend] = TRENDS[quote.trend];
    setText(this.last, quote.last);
    setText(this.arrow, arrow);
    setText(this.change, quote.percent || quote.change);
    setAttribute(this.arrow, "aria-label", trend);
    if (quote.last.length > this.#width) {
      this.#width = quote.last.length;
      this.last.style.minWidth = `${this.#width}ch`; // a shorter price does not move its neighbours
    }
    if (quote.tick) this.#flash(quote.tick > 0 ? "up" : "down");
  }

  #flash(color) {
    const now = performance.now();
    if (now - this.#flashedAt < FLASH_MS_MIN || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    this.#flashedAt = now;
    this.last.animate([{ background: `color-mix(in srgb, var(--_${color}) 35%, transparent)` }, {}], FLASH_MS);
  }
}

const LINGER_MS = 1_000; // an element that moves comes back
const holders = new Map(); // url -> {client, count}

// One connection per server for all of a page; the last to let go closes it. One that is closed for good is replaced.
export function share(src = socketUrl(), options) {
  const url = socketUrl(src, globalThis.document?.baseURI);
  let held = holders.get(url);
  if (!held || held.client.state === "closed") holders.set(url, (held = { client: connect(url, options), count: 0 }));
  held.count++;
  const closeUnused = () => {
    if (held.count) return;
    if (holders.get(url) === held) holders.delete(url);
    held.client.close();
  };
  let release = () => {
    release = () => {};
    if (!--held.count) setTimeout(closeUnused, LINGER_MS);
  };
  return { client: held.client, release: () => release() };
}

let sheet;

export class TickEr extends (globalThis.HTMLElement ?? Object) {
  static observedAttributes = ["topics", "src", "fields", "max", "max-rate"];
  #client = null;
  #items = new Map();
  #patterns = [];
  #named = 0; // of the items; the others are of patterns
  #arrived = new Set(); // topics of patterns without an item
  #endings = [];

  // Shared with all elements of its server on the page; null while outside of one.
  get client() {
    return this.#client;
  }

  connectedCallback() {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    this.list = create("ul", "list");
    this.more = create("p", "more");
    this.connection = create("p", "connection");
    this.list.role = "list"; // WebKit drops it without bullets
    this.connection.role = "status";
    root.replaceChildren(this.list, this.more, this.connection);
    try {
      this.#start();
    } catch (error) {
      setText(this.connection, `src: ${error.message}`); // the address can never work
    }
  }

  disconnectedCallback() {
    for (const end of this.#endings.splice(0)) end();
    this.#items.clear();
    this.#arrived.clear();
    this.#client = null;
  }

  attributeChangedCallback() {
    if (!this.isConnected || !this.list) return;
    this.disconnectedCallback();
    this.connectedCallback();
  }

  #start() {
    const { client, release } = share(this.getAttribute("src") ?? undefined);
    this.#client = client;
    const topics = [...new Set((this.getAttribute("topics") ?? "").match(/\S+/g))];
    this.#patterns = topics.filter(isPattern);
    for (const topic of topics) if (!isPattern(topic)) this.#add(topic);
    const onUpdate = ({ topic }) => this.#arrived.has(topic) || onNextFrame(this.#items.get(topic) ?? (this.#arrived.add(topic), this));
    const subscription = client.subscribe(topics, { onUpdate, maxRate: Number(this.getAttribute("max-rate")) || 0 });
    const redraw = () => onNextFrame(this);
    client.addEventListener("state", redraw);
    this.#named = this.#items.size;
    this.#endings = [keepDrawn(this), () => subscription.close(), () => client.removeEventListener("state", redraw), release];
    redraw();
  }

  #add(topic) {
    this.#items.set(topic, new Item(this.#client, topic, parseFields(this.getAttribute("fields"))));
    this.list.append(this.#items.get(topic).element);
  }

  #admit() {
    const max = this.#named + (Number(this.getAttribute("max")) || ITEMS_MAX);
    const topics = [...this.#arrived].slice(0, Math.max(0, max - this.#items.size));
    for (const topic of topics) this.#arrived.delete(topic) && this.#add(topic);
    const found = topics.length ? [...this.#items.keys()].slice(this.#named).sort() : [];
    for (const topic of found) this.list.append(this.#items.get(topic).element);
    const notes = this.#patterns.map((name) => [name, this.#client.status(name).status]).filter(([, status]) => status !== "unknown");
    const more = this.#arrived.size ? [`and ${this.#arrived.size} more`] : [];
    setText(this.more, [...more, ...notes.map((note) => note.join(": "))].join(" · "));
  }

  render() {
    this.#admit();
    for (const item of this.#items.values()) item.render();
    setText(this.connection, { open: "", closed: "disconnected" }[this.#client.state] ?? "connecting…");
  }
}

if (globalThis.customElements && !customElements.get("tick-er")) customElements.define("tick-er", TickEr);
