// What all elements share: one client a server, attributes that are properties too, drawing at most once a frame, fallback content
// until there is something to show, and a voice for screen readers that does not chatter.
import { localeOf } from "./format.js";
import { keepDrawn, onNextFrame } from "./frame.js";
import { BASE } from "./looks.js";
import { parseFields } from "./quote.js";
import { share } from "./share.js";
import { TopicView } from "./topic_view.js";

/** @import { Client } from "./client.js" */
/** @import { Update } from "./subscription.js" */

const SAY_MS_MIN = 5_000; // between two sentences for a screen reader; it is asked for what to say every second
const Base = globalThis.HTMLElement ?? /** @type {typeof HTMLElement} */ (/** @type {unknown} */ (Object)); // where there is no page

/** @type {Map<string, CSSStyleSheet>} */
const sheets = new Map();

/** @param {string} css */
function sheetOf(css) {
  const sheet = sheets.get(css) ?? new CSSStyleSheet();
  if (!sheets.has(css)) sheet.replaceSync(BASE + css);
  sheets.set(css, sheet);
  return sheet;
}

/** The names of topics and patterns that an element shows, and its client: the base of all elements. */
export class TickElement extends Base {
  /** @internal */
  static observedAttributes = ["topics", "topic", "src", "fields", "max-rate", "locale", "currency"];
  /** @internal What it looks like, beside what all do. */
  static css = "";
  #client = /** @type {Client | null} */ (null);
  #endings = /** @type {(() => void)[]} */ ([]);
  #restarts = false;
  #saidAt = 0;
  #status = /** @type {HTMLElement | null} */ (null);
  /** @internal @type {string[]} */
  names = [];

  /** The client that it shares with all elements of its server on the page; null while outside of a page. */
  get client() {
    return this.#client;
  }

  /** @internal */
  connectedCallback() {
    this.#stop();
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheetOf(/** @type {typeof TickElement} */ (this.constructor).css)];
    root.innerHTML = `<slot></slot>${this.html()}<p part="connection" class="sr" role="status"></p>`;
    this.#status = /** @type {HTMLElement} */ (root.lastElementChild);
    this.#saidAt = performance.now(); // that a page connects when it is opened is no news
    this.names = [...new Set(`${this.getAttribute("topics") ?? ""} ${this.getAttribute("topic") ?? ""}`.match(/\S+/g))];
    try {
      this.#start(root);
    } catch (error) {
      this.#status.className = "";
      this.#status.textContent = `src: ${/** @type {Error} */ (error).message}`; // the address can never work
    }
  }

  /** @internal */
  disconnectedCallback() {
    this.#stop();
  }

  /** Attributes that change together begin anew once. @internal */
  attributeChangedCallback() {
    if (this.#restarts || !this.isConnected || !this.#status) return;
    this.#restarts = true;
    queueMicrotask(() => {
      this.#restarts = false;
      if (this.isConnected) this.connectedCallback();
    });
  }

  /** @internal */
  render() {
    const client = this.#client;
    if (!client) return;
    const said = this.draw(client) ?? "";
    const waits = this.innerHTML.trim() && client.state !== "open" && !this.hasData();
    /** @type {HTMLElement} */ (/** @type {ShadowRoot} */ (this.shadowRoot).firstElementChild).hidden = !waits;
    if (this.#status?.textContent === said || performance.now() - this.#saidAt < SAY_MS_MIN) return;
    this.#saidAt = performance.now();
    /** @type {HTMLElement} */ (this.#status).textContent = said;
  }

  /** Its own HTML; the fallback content stands in its place until there is something to show. @internal @returns {string} */
  html() {
    return "";
  }

  /** Begins with a client. @internal @param {ShadowRoot} root @param {Client} client */
  begin(root, client) {
    void root, client;
  }

  /** Draws what is not drawn item by item; returns what a screen reader is told. @internal @param {Client} client @returns {string | void} */
  draw(client) {
    void client;
  }

  /** An update came. @internal @param {Update} update */
  onUpdate(update) {
    void update;
    onNextFrame(this);
  }

  /** Whether it has anything to show. @internal */
  hasData() {
    return false;
  }

  /** @internal @param {string} topic */
  view(topic) {
    const style = { locale: localeOf(this), currency: this.getAttribute("currency") ?? undefined };
    return new TopicView(/** @type {Client} */ (this.#client), topic, { fields: parseFields(this.getAttribute("fields")), style });
  }

  /** @param {ShadowRoot} root */
  #start(root) {
    const { client, release } = share(this.getAttribute("src") ?? undefined);
    this.#client = client;
    this.begin(root, client);
    const subscription = client.subscribe(this.names, { onUpdate: (update) => this.onUpdate(update), maxRate: Number(this.getAttribute("max-rate")) || 0 });
    const redraw = () => onNextFrame(this);
    const events = ["state", "error"];
    for (const name of events) client.addEventListener(name, redraw);
    this.#endings = [keepDrawn(this), () => subscription.close(), () => events.forEach((name) => client.removeEventListener(name, redraw)), release];
    redraw();
  }

  #stop() {
    for (const end of this.#endings.splice(0)) end();
    this.#client = null;
  }
}

/**
 * What a screen reader is told of topics: only those of which something must be known.
 * @param {Client} client
 * @param {TopicView[]} views
 */
export function saidOf(client, views) {
  if (client.state !== "open") return "connecting…";
  const said = views.filter(({ words }) => words).map(({ parts, state }) => `${parts.symbol} ${state}`);
  return said.slice(0, 3).join(", ") + (said.length > 3 ? `, ${said.length - 3} more` : "");
}

/**
 * Makes an element known, and its attributes properties: `element.topics = ["a.1", "b.>"]`, `element.maxRate = 2`.
 * @param {string} tag
 * @param {typeof TickElement} type
 */
export function define(tag, type) {
  if (!globalThis.customElements || customElements.get(tag)) return;
  for (const attribute of type.observedAttributes) {
    const name = attribute.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
    Object.defineProperty(type.prototype, name, {
      configurable: true,
      get() {
        return this.getAttribute(attribute);
      },
      set(value) {
        if (value === null || value === undefined || value === false) this.removeAttribute(attribute);
        else this.setAttribute(attribute, value === true ? "" : [value].flat().join(" "));
      },
    });
  }
  customElements.define(tag, type);
}
