// <tick-er topics="ticker.BTC-USD ticker.*">: symbol, last, change, direction of each topic; fresh, or visibly stale.
//
// Updates only mark what is to be drawn. What patterns bring follows the named topics, in order of name.
import { connect } from "./client.js";
import { socketUrl } from "./connection.js";
import { keepDrawn, onNextFrame, setAttribute, setText } from "./frame.js";
import { Quote, parseFields, parts, showAge } from "./quote.js";
import { isPattern } from "./topic.js";

/** @import { Client } from "./client.js" */
/** @import { Fields } from "./quote.js" */
/** @import { Update } from "./subscription.js" */
/** @import { Image } from "./topic.js" */

/**
 * @typedef {object} Shared A client that a page shares.
 * @property {Client} client the client, which is connected or connects
 * @property {() => void} release to be called once, when the client is not needed any more
 */

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

const TRENDS = [["▼", "down"], ["", "flat"], ["▲", "up"]]; // of -1, 0, 1

/** A new element with one text node. @param {string} tag @param {string} part */
function create(tag, part, text = "") {
  const element = document.createElement(tag);
  element.setAttribute("part", part);
  element.append(text);
  return element;
}

class Item {
  element = create("li", "item");
  symbol = create("span", "symbol");
  venue = create("span", "venue");
  last = create("span", "last");
  arrow = create("span", "arrow");
  change = create("span", "change");
  state = create("span", "state");
  #client;
  #topic;
  #quote;
  #image = /** @type {Image | undefined} */ (undefined);
  #flashedAt = 0;
  #width = 0;

  /** @param {Client} client @param {string} topic @param {Fields} fields */
  constructor(client, topic, fields) {
    this.#client = client;
    this.#topic = topic;
    this.#quote = new Quote(fields);
    const { symbol, venue } = parts(topic);
    setText(this.symbol, symbol);
    setText(this.venue, venue);
    this.element.append(this.symbol, this.venue, this.last, this.arrow, this.change, this.state);
    this.element.title = topic;
    this.arrow.role = "img";
    this.arrow.ariaLabel = "flat";
  }

  render() {
    const image = this.#client.images.get(this.#topic);
    if (image && image !== this.#image) this.#take(image);
    const { status, fresh, ageMs } = this.#client.status(this.#topic);
    setAttribute(this.element, "part", `item ${status} ${fresh ? "fresh" : "old"} ${this.arrow.ariaLabel}`);
    /** @type {Record<string, string>} */
    const words = { live: "", unknown: fresh ? "no data" : "", stale: ageMs !== null && ageMs >= 1000 ? `stale ${showAge(ageMs)}` : status };
    setText(this.state, words[status] ?? status);
  }

  /** @param {Image} image */
  #take(image) {
    const quote = this.#quote;
    this.#image = image;
    quote.take(image);
    const [arrow, trend] = TRENDS[quote.trend + 1];
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

  /** @param {string} color */
  #flash(color) {
    const now = performance.now();
    if (now - this.#flashedAt < FLASH_MS_MIN || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    this.#flashedAt = now;
    this.last.animate([{ background: `color-mix(in srgb, var(--_${color}) 35%, transparent)` }, {}], FLASH_MS);
  }
}

const LINGER_MS = 1_000; // an element that moves comes back
/** @type {Map<string, {client: Client, count: number}>} */
const holders = new Map(); // by URL

/**
 * The client that all of a page shares for one server. It is closed after the last one has called `release`; a client that was
 * closed for good is replaced.
 * @param {string} [src] http(s)://host, ws(s)://host/ws or a path; by default the server that this module came from
 * @param {{topicsMax?: number}} [options] as for {@link connect}; only those of the first call count
 * @returns {Shared}
 */
export function share(src = socketUrl(), options) {
  const url = socketUrl(src, globalThis.document?.baseURI);
  const found = holders.get(url);
  const held = found && found.client.state !== "closed" ? found : { client: connect(url, options), count: 0 };
  holders.set(url, held);
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

/** @type {CSSStyleSheet | undefined} */
let sheet;

/** The element `<tick-er>`: its attributes are in docs/WIDGET.md. */
export class TickEr extends (globalThis.HTMLElement ?? /** @type {typeof HTMLElement} */ (/** @type {unknown} */ (Object))) {
  /** @internal */
  static observedAttributes = ["topics", "src", "fields", "max", "max-rate"];
  #client = /** @type {Client | null} */ (null);
  #items = /** @type {Map<string, Item>} */ (new Map());
  #patterns = /** @type {string[]} */ ([]);
  #named = 0; // of the items; the others are of patterns
  #arrived = /** @type {Set<string>} */ (new Set()); // topics of patterns without an item
  #endings = /** @type {(() => void)[]} */ ([]);
  #parts = /** @type {Record<"list" | "more" | "connection", HTMLElement> | null} */ (null);

  /** The client that it shares with all elements of its server on the page; null while outside of a page. */
  get client() {
    return this.#client;
  }

  /** @internal */
  connectedCallback() {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    const [list, more, connection] = [create("ul", "list"), create("p", "more"), create("p", "connection")];
    this.#parts = { list, more, connection };
    list.role = "list"; // WebKit drops it without bullets
    connection.role = "status";
    root.replaceChildren(list, more, connection);
    try {
      this.#start();
    } catch (error) {
      setText(connection, `src: ${/** @type {Error} */ (error).message}`); // the address can never work
    }
  }

  /** @internal */
  disconnectedCallback() {
    for (const end of this.#endings.splice(0)) end();
    this.#items.clear();
    this.#arrived.clear();
    this.#client = null;
  }

  /** @internal */
  attributeChangedCallback() {
    if (!this.isConnected || !this.#parts) return;
    this.disconnectedCallback();
    this.connectedCallback();
  }

  #start() {
    const { client, release } = share(this.getAttribute("src") ?? undefined);
    this.#client = client;
    const topics = [...new Set((this.getAttribute("topics") ?? "").match(/\S+/g))];
    this.#patterns = topics.filter(isPattern);
    for (const topic of topics) if (!isPattern(topic)) this.#add(client, topic);
    const onUpdate = (/** @type {Update} */ { topic }) => this.#arrived.has(topic) || onNextFrame(this.#items.get(topic) ?? (this.#arrived.add(topic), this));
    const subscription = client.subscribe(topics, { onUpdate, maxRate: Number(this.getAttribute("max-rate")) || 0 });
    const redraw = () => onNextFrame(this);
    client.addEventListener("state", redraw);
    this.#named = this.#items.size;
    this.#endings = [keepDrawn(this), () => subscription.close(), () => client.removeEventListener("state", redraw), release];
    redraw();
  }

  /** @param {Client} client @param {string} topic */
  #add(client, topic) {
    const item = new Item(client, topic, parseFields(this.getAttribute("fields")));
    this.#items.set(topic, item);
    this.#parts?.list.append(item.element);
  }

  /** Makes items for what patterns brought, in order of name. @param {Client} client @param {{list: Element, more: Element}} parts */
  #admit(client, { list, more }) {
    const max = this.#named + (Number(this.getAttribute("max")) || ITEMS_MAX);
    const topics = [...this.#arrived].slice(0, Math.max(0, max - this.#items.size));
    for (const topic of topics) {
      this.#arrived.delete(topic);
      this.#add(client, topic);
    }
    if (topics.length) {
      const found = [...this.#items].slice(this.#named).sort(([a], [b]) => (a < b ? -1 : 1));
      list.append(...found.map(([, item]) => item.element));
    }
    const notes = this.#patterns.map((name) => [name, client.status(name).status]).filter(([, status]) => status !== "unknown");
    const rest = this.#arrived.size ? [`and ${this.#arrived.size} more`] : [];
    setText(more, [...rest, ...notes.map((note) => note.join(": "))].join(" · "));
  }

  /** @internal */
  render() {
    const client = this.#client;
    if (!client || !this.#parts) return;
    this.#admit(client, this.#parts);
    for (const item of this.#items.values()) item.render();
    const { state } = client;
    setText(this.#parts.connection, state === "open" ? "" : state === "closed" ? "disconnected" : "connecting…");
  }
}

if (globalThis.customElements && !customElements.get("tick-er")) customElements.define("tick-er", TickEr);
