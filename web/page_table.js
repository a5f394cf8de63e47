// The table of all topics: any number of rows, drawn only where the window looks.
//
// Rows are all topics; slots are the few <tr> that exist, in order, each showing one row. Room before and after them keeps the
// scroll bar honest. Updates mark rows; render() runs at most once a frame.
import { onNextFrame, setAttribute, setText } from "./frame.js";
import { Quote, parts, showAge } from "./quote.js";

const SPARE_ROWS = 6; // drawn beyond each edge of the window
const SAMPLES_MAX = 60;
const SAMPLES_WIDE = 24; // fewer than these do not fill the width
const SAMPLE_MS = 250;
const FLASH_MS = 600;

class Row {
  quote = new Quote();
  samples = [];
  #sampledAt = 0;

  constructor(topic) {
    this.topic = topic;
    Object.assign(this, parts(topic));
    this.search = topic.toLowerCase();
  }

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
    const y = (value) => (high > low ? 25 - ((value / 2 - low / 2) / (high / 2 - low / 2) || 0) * 24 : 13).toFixed(1); // halves do not overflow
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
  row = null;
  #last = "";

  constructor() {
    this.element.innerHTML = SLOT; // ours, and the last HTML that is parsed: everything else is text
    const find = (selector) => this.element.querySelector(selector);
    [this.symbol, this.under, this.last] = [".name button", ".name small", ".last span"].map(find);
    [this.percent, this.change, this.age, this.status] = [".change span", ".change small", ".age", ".status"].map(find);
    [this.line, this.area] = this.element.querySelectorAll("path");
  }

  show(row, index) {
    if (this.row === row) return false;
    this.row = row;
    this.#last = "";
    this.element.title = row.topic;
    setText(this.symbol, row.symbol);
    setAttribute(this.element, "aria-rowindex", index + 2);
    return true;
  }

  draw(client) {
    const { row } = this;
    const { quote } = row;
    const { status, fresh, ageMs } = client.status(row.topic);
    const age = showAge(ageMs);
    const place = row.venue ? `${row.channel} · ${row.venue}` : row.channel;
    setText(this.under, status === "live" ? place : status === "stale" && ageMs >= 1000 ? `stale ${age}` : status);
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
    if (this.#last && this.#last !== quote.last && quote.tick) this.#flash(quote.tick > 0 ? "up" : "down");
    this.#last = quote.last;
  }

  #flash(direction) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    this.last.animate([{ background: `color-mix(in srgb, var(--${direction}) 30%, transparent)` }, {}], FLASH_MS);
  }
}

const BY = {
  topic: (a, b) => (a.topic < b.topic ? -1 : 1),
  change: (a, b) => (parseFloat(a.quote.percent.replace("−", "-")) || 0) - (parseFloat(b.quote.percent.replace("−", "-")) || 0),
  age: (a, b, client) => client.status(b.topic).ts - client.status(a.topic).ts,
};

export class Table {
  rows = new Map();
  shown = []; // rows that pass the filter, in order
  #element;
  #client;
  #slots = [];
  #changed = new Map(); // row -> its newest image
  #above = document.createElement("tr");
  #below = document.createElement("tr");
  #arrange = true;
  #filter = () => true;
  #sort = ["topic", 1];

  constructor(element, client) {
    this.#element = element;
    this.#client = client;
    this.#above.className = this.#below.className = "room";
    for (const room of [this.#above, this.#below]) room.insertCell();
    element.tBodies[0].append(this.#above, this.#below);
    for (const type of ["scroll", "resize"]) addEventListener(type, () => onNextFrame(this), { passive: true });
    element.tHead.addEventListener("click", ({ target }) => target.dataset.sort && this.#sortBy(target));
  }

  update({ topic, image }) {
    let row = this.rows.get(topic);
    if (!row) {
      this.rows.set(topic, (row = new Row(topic)));
      this.#arrange = true;
    }
    this.#changed.set(row, image);
    onNextFrame(this);
  }

  filter(accepts) {
    this.#filter = accepts;
    this.#arrange = true;
    onNextFrame(this);
  }

  // A second has passed: ages have grown, and what the rows are sorted by may have moved.
  refresh() {
    this.#arrange ||= this.#sort[0] !== "topic";
    onNextFrame(this);
  }

  // The topic of a click in the table.
  topicAt(target) {
    const tr = target.closest("tbody tr");
    return this.#slots.find(({ element }) => element === tr)?.row.topic;
  }

  render() {
    const now = performance.now();
    for (const [row, image] of this.#changed) row.take(image, now);
    this.#changed.clear();
    if (this.#arrange) this.#order();
    this.#place();
    for (const slot of this.#slots) slot.draw(this.#client);
  }

  #sortBy({ dataset: { sort }, parentElement }) {
    this.#sort = [sort, this.#sort[0] === sort ? -this.#sort[1] : sort === "change" ? -1 : 1];
    for (const th of this.#element.tHead.rows[0].cells) th.removeAttribute("aria-sort");
    parentElement.setAttribute("aria-sort", this.#sort[1] > 0 ? "ascending" : "descending");
    this.#arrange = true;
    onNextFrame(this);
  }

  #order() {
    const [key, sign] = this.#sort;
    this.#arrange = false;
    this.shown = [...this.rows.values()].filter(this.#filter).sort((a, b) => sign * BY[key](a, b, this.#client) || BY.topic(a, b));
    setAttribute(this.#element, "aria-rowcount", this.shown.length + 1);
  }

  // Gives the slots the rows that the window looks at.
  #place() {
    const height = parseFloat(getComputedStyle(this.#element).getPropertyValue("--row")) || 48;
    const top = this.#element.tBodies[0].getBoundingClientRect().top;
    const count = Math.min(this.shown.length, Math.ceil(innerHeight / height) + 2 * SPARE_ROWS);
    const first = Math.max(0, Math.min(this.shown.length - count, Math.floor(-top / height) - SPARE_ROWS));
    while (this.#slots.length > count) this.#slots.pop().element.remove();
    while (this.#slots.length < count) {
      this.#slots.push(new Slot());
      this.#below.before(this.#slots.at(-1).element);
    }
    this.#slots.forEach((slot, i) => slot.show(this.shown[first + i], first + i));
    this.#above.style.height = `${first * height}px`;
    this.#below.style.height = `${(this.shown.length - first - count) * height}px`;
  }
}
