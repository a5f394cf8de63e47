// <tick-er topics="ticker.BTC-USD ticker.*">: symbol, last, change and state of each topic; fresh, or visibly stale.
//
// Updates only mark what is to be drawn. What patterns bring follows the named topics, in order of name.
import { TickElement, define, saidOf } from "./element.js";
import { onNextFrame, setText } from "./frame.js";
import { CHANGE, LAST, Painter, STATE, template } from "./looks.js";
import { placeAll } from "./places.js";
import { isPattern } from "./topic.js";

/** @import { Client } from "./client.js" */
/** @import { Update } from "./subscription.js" */
/** @import { TopicView } from "./topic_view.js" */

const ITEMS_MAX = 500; // of patterns; the attribute max overrides

// Two lines, always: name and price; venue, then change or state. One slot for what must be known of the price, so that no state
// changes a size. A price that finds no room gets a line of its own, then smaller type.
const STYLE = `
:host { container-type: inline-size; }
ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, var(--tick-item, 13.5em)), 1fr)); gap: var(--tick-gap, .5em); }
li { container-type: inline-size; content-visibility: auto; contain-intrinsic-block-size: auto 3.6em; min-width: 0; background: var(--tick-background, none); border: 1px solid var(--_line); border-radius: var(--tick-radius, .55em); }
li:is(.refused, .unavailable, .none) { border-style: dashed; }
.box { display: grid; grid-template: "name last" auto "venue foot" 1.2em / minmax(0, 1fr) auto; column-gap: .7em; align-items: baseline; padding: var(--tick-padding, .45em .7em); }
[part=symbol] { grid-area: name; font-weight: 600; min-width: 0; min-height: 1.35em; }
[part=symbol].two { min-height: 1.65em; max-height: 2.4em; align-self: center; }
[part=last] { grid-area: last; justify-self: end; font-size: min(1em, calc((100cqi - 1.9em) / (var(--n, 9) * .66))); }
[part=venue] { grid-area: venue; font-size: .82em; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.foot { grid-area: foot; display: flex; gap: .8em; align-items: baseline; justify-content: flex-end; font-size: .82em; min-width: 0; }
.foot > *, [part=state] > span { min-width: 0; overflow: hidden; text-overflow: ellipsis; }
.says [part=change] { display: none; }
:is(.refused, .unavailable) .foot { grid-column: venue / foot; justify-content: flex-start; }
:is(.refused, .unavailable) [part=venue] { display: none; }
.refused [part=last] { font-weight: 550; color: var(--_muted); }
@container (min-width: 20em) { .says:not(.refused, .none) [part=change]:not(:has(span:empty)) { display: inline-flex; } }
@container (max-width: 19em) { .long .box { grid-template: "name name" auto "last last" 1.4em "venue foot" 1.2em / minmax(0, 1fr) auto; } .long [part=last] { justify-self: start; margin-left: -.2em; } }
@container (max-width: 13em) {
  .rows .box { grid-template: "name" auto "last" 1.4em "foot" 1.2em / minmax(0, 1fr); }
  .rows [part=venue] { display: none; }
  .rows [part=last] { justify-self: start; margin-left: -.2em; }
  .rows .foot { grid-column: foot; justify-content: flex-start; }
  .rows .refused [part=last] { visibility: hidden; }
  .rows .refused .foot { grid-row: last / foot; } .rows .refused [part=state] { white-space: normal; } .rows .refused [part=state] > span { max-height: 2.7em; } }
.rows.line { overflow-x: auto; } .line ul { grid: auto / auto-flow var(--tick-item, 13.5em); }
.tape { overflow: hidden; } .tape ul { display: flex; width: max-content; }
p { color: var(--_muted); font-size: .82em; padding: .35em .1em; } p:empty { display: none; }`;

const newItem = template(`<li part="item"><div class="box"><span part="symbol"></span>${LAST}<span part="venue"></span><span class="foot">${CHANGE}${STATE}</span></div></li>`);

class Item {
  unseen = false;

  /** @param {TopicView} view @param {number} copies a moving tape shows each item twice */
  constructor(view, copies) {
    this.view = view;
    this.painters = Array.from({ length: copies }, () => new Painter(newItem()));
    this.painters.forEach(({ element }, i) => i && element.setAttribute("aria-hidden", "true"));
    for (const painter of this.painters) painter.name(view);
    this.painters[0].element.dataset.topic = view.topic;
  }

  render() {
    this.view.render();
    for (const painter of this.painters) painter.draw(this.view);
  }
}

/** The element `<tick-er>`: its attributes are in docs/WIDGET.md. */
export class TickEr extends TickElement {
  /** @internal */
  static observedAttributes = [...TickElement.observedAttributes, "layout", "max", "nowrap"];
  /** @internal */
  static css = STYLE;
  #items = /** @type {Map<string, Item>} */ (new Map());
  #named = 0; // of the items; the others are of patterns
  #arrived = /** @type {Set<string>} */ (new Set()); // topics of patterns without an item
  #width = /** @type {ResizeObserver | undefined} */ (undefined);
  #sight = /** @type {IntersectionObserver | undefined} */ (undefined);

  get #isTape() {
    return this.getAttribute("layout") === "tape";
  }

  /** @internal */
  html() {
    const scrolls = this.#isTape || this.hasAttribute("nowrap");
    const box = scrolls ? ` tabindex="0" role="group" aria-label="${this.#isTape ? "Moving prices; they stop while focused" : "Prices"}"` : "";
    return `<div class="${this.#isTape ? "tape" : scrolls ? "rows line" : "rows"}"${box}><ul part="list" role="list"></ul></div><p part="more"></p>`; // WebKit drops the role without bullets
  }

  /** @internal @param {ShadowRoot} root */
  begin(root) {
    this.#items.clear();
    this.#arrived.clear();
    const seen = (/** @type {IntersectionObserverEntry[]} */ entries) => {
      for (const { target, isIntersecting } of entries) {
        const item = this.#items.get(/** @type {HTMLElement} */ (target).dataset.topic ?? "");
        if (item) item.unseen = !isIntersecting;
      }
    };
    this.#sight = this.#isTape ? undefined : new IntersectionObserver(seen, { rootMargin: "200px" });
    for (const topic of this.names) if (!isPattern(topic)) this.#add(topic);
    this.#named = this.#items.size;
    if (this.#isTape) this.#move(root);
  }

  /** @param {ShadowRoot} root */
  async #move(root) {
    const { moves } = await import("./tape.js");
    this.#width?.disconnect();
    if (this.#isTape && this.isConnected) this.#width = moves(root);
  }

  /** @internal */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.#width?.disconnect();
    this.#sight?.disconnect();
    this.#items.clear();
  }

  /** @internal @param {Update} update */
  onUpdate({ topic }) {
    const item = this.#items.get(topic);
    if (!item) this.#arrived.add(topic);
    onNextFrame(item ?? this);
  }

  /** @internal */
  hasData() {
    return [...this.#items.values()].some(({ view }) => view.hasData || view.reason);
  }

  /** @internal @param {Client} client */
  draw(client) {
    this.#admit(client);
    for (const item of this.#items.values()) onNextFrame(item); // ages grow
    const long = [...this.#items.values()].some(({ view: { parts: { symbol }, zeros, last } }) => Math.min(12, symbol.length) + Math.max(zeros.length + last.length, 7) > 18);
    if (long) this.shadowRoot?.querySelector(".rows")?.classList.add("long"); // for good: what was wide once can be so again
    return saidOf(client, [...this.#items.values()].map(({ view }) => view));
  }

  /** @param {string} topic */
  #add(topic) {
    const item = new Item(this.view(topic), this.#isTape ? 2 : 1);
    this.#items.set(topic, item);
    this.#sight?.observe(item.painters[0].element);
  }

  /** Makes items for what patterns brought, in order of name. @param {Client} client */
  #admit(client) {
    const root = /** @type {ShadowRoot} */ (this.shadowRoot);
    const list = /** @type {Element} */ (root.querySelector("ul"));
    const max = this.#named + (Number(this.getAttribute("max")) || ITEMS_MAX);
    const topics = [...this.#arrived].slice(0, Math.max(0, max - this.#items.size));
    for (const topic of topics) {
      this.#arrived.delete(topic);
      this.#add(topic);
    }
    if (topics.length || !list.childElementCount) this.#place(list);
    const notes = this.names.filter(isPattern).flatMap((name) => {
      const { status, reason } = client.status(name);
      return reason ? `${name}: ${status}: ${reason}` : [];
    });
    const rest = this.#arrived.size ? [`and ${this.#arrived.size} more`] : [];
    setText(/** @type {Element} */ (root.querySelector("[part=more]")), [...rest, ...notes].join(" · "));
  }

  /** @param {Element} list */
  #place(list) {
    const all = [...this.#items.values()];
    const found = all.slice(this.#named).sort((a, b) => (a.view.topic < b.view.topic ? -1 : 1));
    const items = [...all.slice(0, this.#named), ...found];
    placeAll(items.map(({ view }) => view));
    for (const copy of [0, 1]) list.append(...items.flatMap(({ painters }) => painters[copy]?.element ?? []));
  }
}

define("tick-er", TickEr);
