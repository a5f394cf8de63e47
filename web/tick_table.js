// <tick-table topics="ticker.>" columns="last change spark">: any number of rows, drawn only where one looks.
//
// Rows are all topics; slots are the few <tr> that exist, in order, each showing one row. Room before and after them keeps the scroll
// bar honest. Rows change places at most every RESORT_MS, and never under a pointer or a focus.
import { TickElement, define, saidOf } from "./element.js";
import { sortKey, volumeOf } from "./figures.js";
import { onNextFrame, setAttribute, setText } from "./frame.js";
import { CHANGE, LAST, Painter, STATE } from "./looks.js";
import { placeAll } from "./places.js";
import { SPARK, SPARK_STYLE, drawSpark } from "./spark.js";
import { baseWords } from "./topic_view.js";
import { isPattern } from "./topic.js";

/** @import { Client } from "./client.js" */
/** @import { Update } from "./subscription.js" */
/** @import { TopicView } from "./topic_view.js" */

const RESORT_MS = 3_000;
const SPARE_ROWS = 4; // drawn beyond each edge of what is seen
/** @type {Record<string, string>} */
const TITLES = { name: "Topic", last: "Last", change: "Change", bid: "Bid", ask: "Ask", spread: "Spread", volume: "Volume", spark: "Moves", state: "State" };
/** @type {Record<string, string>} */
const CELLS = { name: '<div><b part="symbol"></b><span part="venue"></span></div>', last: LAST, change: CHANGE, spark: SPARK, state: STATE };

const STYLE = `${SPARK_STYLE}
:host { container-type: inline-size; }
.wrap { overflow: auto; max-height: var(--tick-height, none); border: 1px solid var(--_line); border-radius: var(--tick-radius, .55em); background: var(--tick-background, none); }
table { width: 100%; table-layout: fixed; border-collapse: separate; border-spacing: 0; font-size: .9em; }
th, td { padding: 0 .55em; height: 2.5em; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--_line); }
th { position: sticky; top: 0; z-index: 1; font-size: .85em; font-weight: 600; color: var(--_muted); background: var(--tick-head, Canvas); }
th button { all: unset; cursor: pointer; line-height: 1.2; } th small { display: block; font-weight: 400; font-size: 1em; }
[aria-sort=ascending] button::after { content: " ↑"; } [aria-sort=descending] button::after { content: " ↓"; }
.room td { padding: 0; border: 0; height: auto; }
.name { text-align: left; padding-left: .8em; width: clamp(11em, 22cqi, 20em); } .name div { display: flex; gap: .5em; align-items: baseline; } .name b { font-weight: 600; min-width: 0; }
[part=venue] { font-size: .85em; overflow: hidden; text-overflow: ellipsis; flex: 0 9 auto; min-width: 0; } .two + [part=venue] { display: none; }
.last { width: 10.6em; } .change { width: 7em; } :is(.bid, .ask) { width: 8em; } .spread { width: 6.5em; } .volume { width: 5.2em; } .state { width: 11.6em; text-align: left; }
td:is(.bid, .ask, .spread, .volume) { color: var(--_muted); font-size: .94em; } .spark-cell svg { height: 1.7em; }
[part=last] { display: inline-block; font-size: min(1em, calc(9em / (var(--n, 9) * .68))); }
[part=state] { max-width: 100%; } [part=state] > span { overflow: hidden; text-overflow: ellipsis; } tr.refused [part=last] { font-weight: 550; color: var(--_muted); } .refused [part=state] > span { white-space: normal; line-height: 1.1; font-size: .9em; max-height: 2.2em; }
@container (max-width: 64em) { .spread { display: none; } } @container (max-width: 59em) { .volume { display: none; } } @container (max-width: 54em) { :is(.bid, .ask) { display: none; } }
@container (max-width: 40em) {
  table, thead, tbody { display: block; }
  thead { position: sticky; top: 0; z-index: 1; background: var(--tick-head, Canvas); border-bottom: 1px solid var(--_line); }
  thead tr { display: flex; gap: 1.2em; overflow-x: auto; padding: 0 .8em; } th { width: auto !important; padding: 0; border: 0; flex: none; } th small, thead :is(.spark-cell, .state) { display: none; } th button { line-height: 2.9em; }
  .row { display: grid; grid-template: "name spark last" 1.7em "venue spark foot" 1.6em / minmax(0, 1fr) 5em auto; column-gap: .6em; padding: .15em .8em; border-bottom: 1px solid var(--_line); }
  .row td { height: auto; border: 0; padding: 0; width: auto; min-width: 0; } .name { grid-area: name / name / venue / name; } .name div { flex-direction: column; gap: 0; } .name div > * { max-width: 100%; }
  td.last { grid-area: last; } td.spark-cell { grid-area: spark; align-self: center; } td:is(.change, .state) { grid-area: foot; font-size: .86em; text-align: right; max-width: 11em; overflow: hidden; } .says td.change, tr:not(.says) td.state { display: none; } .refused [part=state] > span { white-space: nowrap; } }
@container (max-width: 22em) { .row { grid-template-columns: minmax(0, 1fr) 0 auto; } td.spark-cell { display: none; } }
@container (max-width: 15.4em) { .row { grid-template: "name" 2.6em "last" 1.5em "foot" 1.6em / minmax(0, 1fr); } .name { grid-area: name; } td:is(.last, .change, .state) { text-align: left; } [part=last] { margin-left: -.2em; font-size: min(1em, calc((100cqi - 2.4em) / (var(--n, 9) * .68))); } }
@media (pointer: coarse) { th button { min-height: 44px; min-width: 44px; } }`;

class Slot {
  element = document.createElement("tr");
  view = /** @type {TopicView | null} */ (null);
  #painter;
  #cells;

  /** @param {string[]} columns */
  constructor(columns) {
    this.element.innerHTML = columns.map((name) => `<td role="cell" class="${classOf(name)}">${CELLS[name] ?? ""}</td>`).join(""); // ours
    this.element.role = "row";
    this.element.className = "row";
    this.#painter = new Painter(this.element);
    this.#cells = columns.map((name, i) => ({ name, cell: this.element.children[i] }));
  }

  /** @param {TopicView} view @param {number} index */
  show(view, index) {
    setAttribute(this.element, "aria-rowindex", index + 2);
    if (this.view === view) return;
    this.view = view;
    this.#painter.name(view);
  }

  draw() {
    const { view } = this;
    if (!view) return;
    view.render();
    this.#painter.draw(view);
    for (const { name, cell } of this.#cells) {
      if (name === "spark") drawSpark(/** @type {Element} */ (cell.firstElementChild), view);
      else if (!CELLS[name]) setText(cell, name === "volume" ? volumeOf(view) : view.figure(name));
    }
  }
}

const classOf = (/** @type {string} */ name) => (name === "spark" ? "spark-cell" : name);

/** What a column is sorted by. @param {TopicView} view @param {string} column @returns {string | number} */
function keyOf(view, column) {
  if (column === "name") return view.parts.symbol + view.topic;
  if (column === "state") return view.words;
  if (column === "change") return sortKey(view, column) || 0;
  return sortKey(view, column === "spark" ? "last" : column);
}

/** The element `<tick-table>`: its attributes are in docs/WIDGET.md. */
export class TickTable extends TickElement {
  /** @internal */
  static observedAttributes = [...TickElement.observedAttributes, "columns", "sort"];
  /** @internal */
  static css = STYLE;
  #views = /** @type {Map<string, TopicView>} */ (new Map());
  #rows = /** @type {TopicView[]} */ ([]); // in order
  #slots = /** @type {Slot[]} */ ([]);
  #columns = /** @type {string[]} */ ([]);
  #column = "";
  #sign = 1;
  #sortedAt = 0;
  #height = 0;
  #listening = new AbortController();

  /** @internal */
  html() {
    this.#columns = ["name", ...new Set((this.getAttribute("columns") ?? "last change bid ask spread volume spark state").match(/\S+/g))];
    const heads = this.#columns.map((name) => `<th role="columnheader" scope="col" class="${classOf(name)}"><button data-sort="${name}">${TITLES[name] ?? ""}</button><small></small></th>`);
    return `<div class="wrap" part="wrap" tabindex="0"><table part="table" role="table"><thead role="rowgroup"><tr role="row">${heads.join("")}</tr></thead><tbody role="rowgroup"><tr class="room"><td></td></tr><tr class="room"><td></td></tr></tbody></table></div>`;
  }

  /** @internal @param {ShadowRoot} root */
  begin(root) {
    this.#views.clear();
    this.#slots = [];
    this.#rows = [];
    this.#listening.abort();
    this.#listening = new AbortController();
    const sort = this.getAttribute("sort") ?? "";
    this.#column = sort.replace("-", "");
    this.#sign = sort[0] === "-" ? -1 : 1;
    for (const topic of this.names) if (!isPattern(topic)) this.#views.set(topic, this.view(topic));
    const { signal } = this.#listening, again = () => onNextFrame(this);
    for (const target of [root.querySelector(".wrap"), globalThis]) for (const type of ["scroll", "resize"]) target?.addEventListener(type, again, { signal, passive: true });
    root.querySelector("thead")?.addEventListener("click", ({ target }) => this.#sortBy(/** @type {HTMLElement} */ (target).closest("button")?.dataset.sort), { signal });
    this.#sortedAt = 0;
  }

  /** @internal */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.#listening.abort();
  }

  /** @internal @param {Update} update */
  onUpdate({ topic }) {
    const view = this.#views.get(topic);
    if (!view?.hasData) this.#sortedAt = 0;
    if (!view) this.#views.set(topic, this.view(topic));
    onNextFrame(this);
  }

  /** @internal */
  hasData() {
    return [...this.#views.values()].some(({ hasData, reason }) => hasData || reason);
  }

  /** @internal @param {Client} client */
  draw(client) {
    const body = /** @type {HTMLElement} */ (this.shadowRoot?.querySelector("tbody"));
    if (!this.#sortedAt || (this.#column && !body.matches(":hover, :focus-within") && performance.now() - this.#sortedAt > RESORT_MS)) this.#order();
    this.#place(body);
    for (const slot of this.#slots) slot.draw();
    const bases = new Set(this.#slots.map(({ view }) => baseWords(view?.quote.base ?? "")).filter(Boolean)), named = this.shadowRoot?.querySelector("th.change small");
    if (named) setText(named, bases.size === 1 ? [...bases].join() : ""); // one for all, or each says its own
    return saidOf(client, this.#slots.flatMap(({ view }) => view ?? []));
  }

  /** @param {string} [column] */
  #sortBy(column) {
    if (!column) return;
    this.#sign = this.#column === column ? -this.#sign : column === "name" || column === "state" ? 1 : -1;
    this.#column = column;
    this.#sortedAt = 0;
    onNextFrame(this);
  }

  #order() {
    this.#sortedAt = performance.now();
    const views = [...this.#views.values()].filter(({ topic }) => !this.client?.status(topic).event), named = this.names.length; // events are no prices
    placeAll(views);
    const at = new Map(this.names.map((name, i) => [name, i]));
    const natural = (/** @type {TopicView} */ a, /** @type {TopicView} */ b) => (at.get(a.topic) ?? named) - (at.get(b.topic) ?? named) || (a.topic < b.topic ? -1 : 1);
    if (this.#column) for (const view of views) view.render();
    const keys = new Map(views.map((view) => [view, this.#column && keyOf(view, this.#column)]));
    const none = (/** @type {unknown} */ key) => Number(Number.isNaN(key)); // what has no figure comes last, either way
    this.#rows = views.sort((a, b) => {
      const one = /** @type {any} */ (keys.get(a)), other = /** @type {any} */ (keys.get(b));
      return none(one) - none(other) || this.#sign * (one < other ? -1 : Number(one > other)) || natural(a, b);
    });
    for (const th of /** @type {ShadowRoot} */ (this.shadowRoot).querySelectorAll("th")) {
      const name = /** @type {HTMLElement} */ (th.firstElementChild).dataset.sort;
      setAttribute(th, "aria-sort", name !== this.#column ? "none" : this.#sign > 0 ? "ascending" : "descending");
    }
    setAttribute(/** @type {Element} */ (this.shadowRoot?.querySelector("table")), "aria-rowcount", views.length + 1);
  }

  /** Gives the slots the rows that one looks at. @param {HTMLElement} body */
  #place(body) {
    const wrap = /** @type {HTMLElement} */ (body.closest(".wrap")).getBoundingClientRect();
    this.#height = this.#slots[0]?.element.offsetHeight || this.#height || 40;
    const top = Math.max(0, wrap.top) - body.getBoundingClientRect().top, seen = Math.max(0, Math.min(innerHeight, wrap.bottom) - Math.max(0, wrap.top));
    const rows = this.#rows, count = Math.min(rows.length, Math.ceil(seen / this.#height) + 2 * SPARE_ROWS);
    const first = Math.max(0, Math.min(rows.length - count, Math.floor(top / this.#height) - SPARE_ROWS));
    for (const slot of this.#slots.splice(count)) slot.element.remove();
    while (this.#slots.length < count) {
      const slot = new Slot(this.#columns);
      this.#slots.push(slot);
      body.lastElementChild?.before(slot.element);
    }
    this.#slots.forEach((slot, i) => slot.show(rows[first + i], first + i));
    /** @type {HTMLElement} */ (body.firstElementChild).style.height = `${first * this.#height}px`;
    /** @type {HTMLElement} */ (body.lastElementChild).style.height = `${(rows.length - first - count) * this.#height}px`;
  }
}

define("tick-table", TickTable);
