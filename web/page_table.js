// The table of all topics: any number of rows in groups, drawn only where the window looks.
//
// Entries are the rows and the heads of groups, in order, each with its place in the table; slots are the few <tr> that exist. Room
// before and after them keeps the scroll bar honest. Rows change places at most every RESORT_MS, and never under a pointer or a focus.
import { sortKey, volumeOf } from "./figures.js";
import { onNextFrame, setAttribute, setText } from "./frame.js";
import { CHANGE, LAST, Painter, STATE, template } from "./looks.js";
import { kept, lineIcon } from "./page_frame.js";
import { placeAll } from "./places.js";
import { SPARK, drawSpark } from "./spark.js";
import { TopicView, baseWords } from "./topic_view.js";

/** @import { Client } from "./client.js" */
/** @typedef {{view?: TopicView, group?: string, count?: number, top: number}} Entry a row, or the head of a group, and its place in pixels */

const SPARE_PX = 250; // drawn beyond each edge of the window
const RESORT_MS = 3_000;
const WATCH_KEY = "tickwire-watchlist";
const GROUP_PX = 34;

const newRow = template(`<tr class="row"><td class="c-star"><button type="button">${lineIcon("star")}</button></td>
<td class="c-name"><div><a><span part="symbol"></span></a><span part="venue"></span></div></td><td class="c-last">${LAST}</td><td class="c-change">${CHANGE}</td><td class="c-abs"></td>
<td class="c-bid"></td><td class="c-ask"></td><td class="c-spread"></td><td class="c-vol"></td><td class="c-spark">${SPARK}</td><td class="c-state">${STATE}</td><td class="c-sub"></td></tr>`);

class Slot {
  element = newRow();
  view = /** @type {TopicView | null} */ (null);
  #painter = new Painter(this.element);
  #find = (/** @type {string} */ name) => /** @type {HTMLElement} */ (this.element.querySelector(`.${name}`));
  #cells = { bid: this.#find("c-bid"), ask: this.#find("c-ask"), spread: this.#find("c-spread") };

  /** @param {TopicView} view @param {boolean} watched */
  show(view, watched) {
    const star = /** @type {HTMLElement} */ (this.element.querySelector("button"));
    setAttribute(star, "aria-pressed", watched);
    setAttribute(star, "aria-label", `Watch ${view.topic}`);
    if (this.view === view) return;
    this.view = view;
    this.#painter.name(view);
    /** @type {HTMLAnchorElement} */ (this.element.querySelector("a")).href = `topic?name=${encodeURIComponent(view.topic)}`;
    /** @type {HTMLElement} */ (this.element.querySelector("[part=symbol]")).style.setProperty("--n", String(view.parts.symbol.length));
  }

  draw() {
    const { view } = this;
    if (!view) return;
    view.render();
    this.#painter.draw(view);
    for (const [name, cell] of Object.entries(this.#cells)) setText(cell, view.figure(name));
    setText(this.#find("c-abs"), view.hasData ? view.quote.change : "");
    setText(this.#find("c-vol"), volumeOf(view));
    setText(this.#find("c-sub"), view.place);
    drawSpark(/** @type {Element} */ (this.element.querySelector(".spark")), view);
  }
}

/** What a column is sorted by. @param {TopicView} view @param {string} key @returns {string | number} */
function keyOf(view, key) {
  if (key === "age") return view.client.status(view.topic).ageMs ?? Infinity;
  return sortKey(view, key);
}

export class Table {
  views = /** @type {Map<string, TopicView>} */ (new Map());
  shown = 0; // rows that pass the filter
  watched = new Set(JSON.parse(kept.get(WATCH_KEY) ?? "[]"));
  #client;
  #element;
  #body = document.createElement("tbody");
  #rooms = [0, 1].map(() => document.createElement("tr"));
  #slots = /** @type {Slot[]} */ ([]);
  #heads = /** @type {HTMLElement[]} */ ([]);
  #entries = /** @type {Entry[]} */ ([]);
  #height = 0;
  #columns = 11; // that are seen
  #filter = /** @type {(view: TopicView) => boolean} */ (() => true);
  #key = "name";
  #sign = 1;
  #orderedAt = 0;

  /** @param {HTMLTableElement} element @param {Client} client */
  constructor(element, client) {
    this.#element = element;
    this.#client = client;
    for (const room of this.#rooms) room.className = "room";
    this.#body.append(...this.#rooms);
    element.append(this.#body);
    for (const type of ["scroll", "resize"]) addEventListener(type, () => (type === "resize" ? this.arrange() : onNextFrame(this)), { passive: true });
    element.tHead?.addEventListener("click", ({ target }) => this.#sortBy(/** @type {HTMLElement} */ (target).closest("button")));
    this.#body.addEventListener("click", ({ target }) => this.#watch(/** @type {HTMLElement} */ (target).closest("button")));
  }

  /** A topic has changed, or is new. @param {string} topic */
  update(topic) {
    if (!this.views.has(topic)) {
      this.views.set(topic, new TopicView(this.#client, topic, { style: { locale: document.documentElement.lang } }));
      this.arrange();
    }
    onNextFrame(this);
  }

  /** @param {(view: TopicView) => boolean} accepts */
  filter(accepts) {
    this.#filter = accepts;
    this.arrange();
  }

  arrange() {
    this.#orderedAt = 0;
    onNextFrame(this);
  }

  /** A second has passed: ages have grown, and what the rows are sorted by may have moved. */
  refresh() {
    onNextFrame(this);
  }

  render() {
    const held = this.#key === "name" || this.#body.matches(":hover, :focus-within") || performance.now() - this.#orderedAt < RESORT_MS;
    if (!this.#orderedAt || !held) this.#order();
    this.#place();
    for (const slot of this.#slots) slot.draw();
  }

  /** @param {HTMLElement | null} button */
  #sortBy(button) {
    const key = button?.dataset.sort;
    if (!key) return;
    this.#sign = this.#key === key ? -this.#sign : key === "name" ? 1 : -1;
    this.#key = key;
    for (const th of this.#element.rows[0].cells) th.removeAttribute("aria-sort");
    button.parentElement?.setAttribute("aria-sort", this.#sign > 0 ? "ascending" : "descending");
    this.arrange();
  }

  /** @param {HTMLElement | null} button */
  #watch(button) {
    const topic = this.#slots.find(({ element }) => button && element.contains(button))?.view?.topic;
    if (!topic) return;
    if (!this.watched.delete(topic)) this.watched.add(topic);
    kept.set(WATCH_KEY, JSON.stringify([...this.watched]));
    this.arrange();
  }

  #order() {
    this.#orderedAt = performance.now();
    const views = [...this.views.values()].filter(({ topic }) => !this.#client.status(topic).event); // events are a tape
    const rows = views.filter(this.#filter);
    if (this.#key !== "name") for (const view of rows) view.render();
    const keys = new Map(rows.map((view) => [view, this.#key === "name" ? 0 : keyOf(view, this.#key)]));
    const none = (/** @type {unknown} */ key) => Number(Number.isNaN(key)); // what has no figure comes last, either way
    const byName = (/** @type {TopicView} */ a, /** @type {TopicView} */ b) => (a.topic < b.topic ? -1 : 1);
    rows.sort((a, b) => {
      const one = /** @type {any} */ (keys.get(a)), other = /** @type {any} */ (keys.get(b));
      return none(one) - none(other) || this.#sign * (one < other ? -1 : Number(one > other)) || (this.#key === "name" ? this.#sign : 1) * byName(a, b);
    });
    this.shown = rows.length;
    const groups = this.#key === "name" ? Map.groupBy(rows, ({ parts: { channel } }) => channel) : new Map([["All topics", rows]]);
    for (const group of groups.values()) placeAll(group); // a group's head names its channel
    const watched = rows.filter(({ topic }) => this.watched.has(topic));
    this.#lay([...(watched.length ? /** @type {[string, TopicView[]][]} */ ([["Watchlist", watched]]) : []), ...groups]);
    const bases = new Set(rows.map(({ quote }) => baseWords(quote.base)).filter(Boolean));
    setText(/** @type {Element} */ (this.#element.querySelector(".c-change small")), bases.size === 1 ? [...bases].join() : "");
    setAttribute(this.#element, "aria-rowcount", rows.length + 1);
  }

  /** Gives groups and their rows their places. @param {[string, TopicView[]][]} groups */
  #lay(groups) {
    this.#height = parseFloat(getComputedStyle(this.#element).getPropertyValue("--height")) || 38;
    this.#columns = [...this.#element.rows[0].cells].filter(({ offsetWidth }) => offsetWidth).length || 11;
    this.#entries = [];
    let top = 0;
    for (const [group, views] of groups) {
      if (groups.length > 1) {
        this.#entries.push({ group, count: views.length, top });
        top += GROUP_PX;
      }
      for (const view of views) {
        this.#entries.push({ view, top });
        top += this.#height;
      }
    }
    this.#entries.push({ top }); // the end
  }

  // Gives the slots and the heads what the window looks at.
  #place() {
    const height = parseFloat(getComputedStyle(this.#element).getPropertyValue("--height")) || 38;
    if (height !== this.#height) this.#order();
    const entries = this.#entries, offset = -this.#body.getBoundingClientRect().top;
    const first = Math.max(0, entries.findIndex(({ top }, i) => (entries[i + 1]?.top ?? Infinity) > offset - SPARE_PX && top >= 0));
    let last = first;
    while (last < entries.length - 1 && entries[last].top < offset + innerHeight + SPARE_PX) last++;
    const seen = entries.slice(first, last), end = /** @type {Entry} */ (entries.at(-1));
    let slots = 0, heads = 0;
    /** @type {HTMLElement} */
    let before = this.#rooms[0];
    for (const { view, group, count } of seen) {
      const element = view ? this.#slotOf(slots++, view) : this.#headOf(heads++, /** @type {string} */ (group), /** @type {number} */ (count));
      if (before.nextElementSibling !== element) before.after(element);
      before = element;
    }
    for (const { element } of this.#slots.splice(slots)) element.remove();
    for (const head of this.#heads.splice(heads)) head.remove();
    this.#rooms[0].style.height = `${entries[first].top}px`;
    this.#rooms[1].style.height = `${end.top - entries[last].top}px`;
  }

  /** @param {number} i @param {TopicView} view */
  #slotOf(i, view) {
    const slot = (this.#slots[i] ??= new Slot());
    slot.show(view, this.watched.has(view.topic));
    return slot.element;
  }

  /** @param {number} i @param {string} group @param {number} count */
  #headOf(i, group, count) {
    const head = this.#heads[i] ?? document.createElement("tr");
    this.#heads[i] = head;
    head.className = "group";
    if (!head.firstChild) head.innerHTML = '<th scope="rowgroup"><div><span></span><small></small></div></th>';
    /** @type {HTMLTableCellElement} */ (head.firstElementChild).colSpan = this.#columns;
    setText(/** @type {Element} */ (head.querySelector("span")), group);
    setText(/** @type {Element} */ (head.querySelector("small")), String(count));
    return head;
  }
}
