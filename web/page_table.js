// The table of all topics: any number of rows, drawn only where the window looks.
//
// Rows are all topics; slots are the few <tr> that exist, in order, each showing one row. Room before and after them keeps the
// scroll bar honest. Updates mark rows; render() runs at most once a frame.
import { onNextFrame, setAttribute, setText } from "./frame.js";
import { showAge } from "./format.js";
import { Quote, parts } from "./quote.js";

/** @import { Client } from "./client.js" */
/** @import { Update } from "./subscription.js" */
/** @import { Image } from "./topic.js" */

const SPARE_ROWS = 6; // drawn beyond each edge of the window
const SAMPLES_MAX = 60;
const SAMPLES_WIDE = 24; // fewer than these do not fill the width
const SAMPLE_MS = 250;
const FLASH_MS = 600;

class Row {
  quote = new Quote();
  samples = /** @type {number[]} */ ([]);
  #sampledAt = 0;

  /** @param {string} topic */
  constructor(topic) {
    this.topic = topic;
    this.parts = parts(topic);
    this.search = topic.toLowerCase();
  }

  /** @param {Image} image @param {number} now */
  take(image, now) {
    this.quote.take(image);
    if (!Number.isFinite(this.quote.value) || now - this.#sampledAt < SAMPLE_MS) return;
    this.#sampledAt = now;
    if (this.samples.push(this.quote.value) > SAMPLES_MAX) this.samples.shift();
  }

  // The line of the samples in a box of 100 x 26.
  line() {
    if (this.samples.length < 2) return "";
    const low = Math.min(...this.samples), high = Math.max(...this.samples);
    const y = (/** @type {number} */ value) => (high > low ? 25 - ((value / 2 - low / 2) / (high / 2 - low / 2) || 0) * 24 : 13).toFixed(1); // halves do not overflow
    const step = 100 / (Math.max(SAMPLES_WIDE, this.samples.length) - 1);
    const start = 100 - step * (this.samples.length - 1);
    return this.samples.map((value, i) => `${(start + i * step).toFixed(1)} ${y(value)}`).join("L");
  }
}

const SLOT = `<td class="name"><button> </button><small> </small></td><td class="last"><span> </span></td>
<td class="change"><span> </span><small> </small></td>
<td class="spark"><svg viewBox="0 0 100 26" preserveAspectRatio="none" aria-hidden="true"><path/><path/></svg></td>
<td class="age"> </td><td class="status"> </td>`;

class Slot {
  element = document.createElement("tr");
  row = /** @type {Row | null} */ (null);
  #shown = "";

  constructor() {
    this.element.innerHTML = SLOT; // ours, and the last HTML that is parsed: everything else is text
    const find = (/** @type {string} */ selector) => /** @type {Element} */ (this.element.querySelector(selector));
    this.symbol = find(".name button");
    this.under = find(".name small");
    this.last = find(".last span");
    this.percent = find(".change span");
    this.change = find(".change small");
    this.age = find(".age");
    this.status = find(".status");
    this.line = find("path:first-child");
    this.area = find("path:last-child");
  }

  /** @param {Row} row @param {number} index */
  show(row, index) {
    if (this.row === row) return false;
    this.row = row;
    this.#shown = "";
    this.element.title = row.topic;
    setText(this.symbol, row.parts.symbol);
    setAttribute(this.element, "aria-rowindex", index + 2);
    return true;
  }

  /** @param {Client} client */
  draw(client) {
    const { row } = this;
    if (!row) return;
    const { quote } = row;
    const { status, fresh, ageMs } = client.status(row.topic);
    const age = showAge(ageMs);
    const { channel, venue } = row.parts;
    const place = venue ? `${channel} · ${venue}` : channel;
    setText(this.under, status === "live" ? place : status === "stale" && ageMs !== null && ageMs >= 1000 ? `stale ${age}` : status);
    setText(this.last, quote.last);
    setText(this.percent, quote.percent || quote.change);
    setText(this.change, quote.percent && quote.change);
    setText(this.age, age);
    setText(this.status, status);
    setAttribute(this.element, "data-trend", quote.trend);
    setAttribute(this.element, "data-status", status);
    setAttribute(this.element, "data-fresh", fresh);
    const line = row.line();
    setAttribute(this.line, "d", line && `M${line}`);
    setAttribute(this.area, "d", line && `M${line}V26H${line.split(" ", 1)[0]}Z`);
    if (this.#shown && this.#shown !== quote.last && quote.tick) this.#flash(quote.tick > 0 ? "up" : "down");
    this.#shown = quote.last;
  }

  /** @param {string} direction */
  #flash(direction) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    this.last.animate([{ background: `color-mix(in srgb, var(--${direction}) 30%, transparent)` }, {}], FLASH_MS);
  }
}

/** @type {Record<string, (a: Row, b: Row, client: Client) => number>} */
const BY = {
  topic: (a, b) => (a.topic < b.topic ? -1 : 1),
  change: (a, b) => (parseFloat(a.quote.percent.replace("−", "-")) || 0) - (parseFloat(b.quote.percent.replace("−", "-")) || 0),
  age: (a, b, client) => client.status(b.topic).ts - client.status(a.topic).ts,
};

export class Table {
  rows = /** @type {Map<string, Row>} */ (new Map());
  shown = /** @type {Row[]} */ ([]); // rows that pass the filter, in order
  #element;
  #client;
  #slots = /** @type {Slot[]} */ ([]);
  #changed = /** @type {Map<Row, Image>} */ (new Map()); // row -> its newest image
  #above = document.createElement("tr");
  #below = document.createElement("tr");
  #arrange = true;
  #filter = /** @type {(row: Row) => boolean} */ (() => true);
  #key = "topic";
  #sign = 1;
  #body;
  #heads;

  /** @param {HTMLTableElement} element @param {Client} client */
  constructor(element, client) {
    this.#element = element;
    this.#client = client;
    this.#body = element.tBodies[0];
    this.#heads = element.rows[0];
    this.#above.className = this.#below.className = "room";
    for (const room of [this.#above, this.#below]) room.insertCell();
    this.#body.append(this.#above, this.#below);
    for (const type of ["scroll", "resize"]) addEventListener(type, () => onNextFrame(this), { passive: true });
    this.#heads.addEventListener("click", ({ target }) => target instanceof HTMLElement && target.dataset.sort && this.#sortBy(target.dataset.sort, target));
  }

  /** @param {Update} update */
  update({ topic, image }) {
    let row = this.rows.get(topic);
    if (!row) {
      this.rows.set(topic, (row = new Row(topic)));
      this.#arrange = true;
    }
    this.#changed.set(row, image);
    onNextFrame(this);
  }

  /** @param {(row: Row) => boolean} accepts */
  filter(accepts) {
    this.#filter = accepts;
    this.#arrange = true;
    onNextFrame(this);
  }

  // A second has passed: ages have grown, and what the rows are sorted by may have moved.
  refresh() {
    this.#arrange ||= this.#key !== "topic";
    onNextFrame(this);
  }

  /** The topic of a click in the table. @param {Element} target */
  topicAt(target) {
    const tr = target.closest("tbody tr");
    return this.#slots.find(({ element }) => element === tr)?.row?.topic;
  }

  render() {
    const now = performance.now();
    for (const [row, image] of this.#changed) row.take(image, now);
    this.#changed.clear();
    if (this.#arrange) this.#order();
    this.#place();
    for (const slot of this.#slots) slot.draw(this.#client);
  }

  /** @param {string} key @param {Element} button */
  #sortBy(key, button) {
    this.#sign = this.#key === key ? -this.#sign : key === "change" ? -1 : 1;
    this.#key = key;
    for (const th of this.#heads.cells) th.removeAttribute("aria-sort");
    button.parentElement?.setAttribute("aria-sort", this.#sign > 0 ? "ascending" : "descending");
    this.#arrange = true;
    onNextFrame(this);
  }

  #order() {
    this.#arrange = false;
    const compare = BY[this.#key];
    const { topic } = BY;
    this.shown = [...this.rows.values()].filter(this.#filter);
    this.shown.sort((a, b) => this.#sign * compare(a, b, this.#client) || topic(a, b, this.#client));
    setAttribute(this.#element, "aria-rowcount", this.shown.length + 1);
  }

  // Gives the slots the rows that the window looks at.
  #place() {
    const height = parseFloat(getComputedStyle(this.#element).getPropertyValue("--row")) || 48;
    const top = this.#body.getBoundingClientRect().top;
    const count = Math.min(this.shown.length, Math.ceil(innerHeight / height) + 2 * SPARE_ROWS);
    const first = Math.max(0, Math.min(this.shown.length - count, Math.floor(-top / height) - SPARE_ROWS));
    for (const slot of this.#slots.splice(count)) slot.element.remove();
    while (this.#slots.length < count) {
      const slot = new Slot();
      this.#slots.push(slot);
      this.#below.before(slot.element);
    }
    this.#slots.forEach((slot, i) => slot.show(this.shown[first + i], first + i));
    this.#above.style.height = `${first * height}px`;
    this.#below.style.height = `${(this.shown.length - first - count) * height}px`;
  }
}
