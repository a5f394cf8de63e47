// The tape: the last events (trades, messages), newest first. Nothing moves while one reads: new events wait, and are counted.
import { clock, localize } from "./format.js";
import { onNextFrame, setText } from "./frame.js";
import { ICON, setIcon } from "./looks.js";
import { numeric, parts, show } from "./quote.js";

/** @import { Update } from "./subscription.js" */
/** @import { Image } from "./topic.js" */

const LINES_MAX = 40;
const FIELDS_SHOWN = 4;

/** @param {Image} data @param {string[]} names */
function first(data, ...names) {
  const name = names.find((name) => Object.hasOwn(data, name));
  return name && data[name];
}

/** @param {Update} update */
export function describe({ topic, ts, data = {} }) {
  const price = first(data, "price", "last");
  const size = first(data, "size", "amount", "qty", "quantity");
  const fields = Object.entries(data).slice(0, FIELDS_SHOWN).map(([name, value]) => `${name} ${show(value)}`);
  const text = first(data, "text", "message"), who = first(data, "user", "author", "name");
  const said = typeof text === "string" ? [who, text].filter((part) => typeof part === "string").map(show).join(": ") : fields.join(" · ");
  const trade = !Number.isNaN(numeric(price));
  const { channel, symbol } = parts(topic);
  return {
    at: Number.isFinite(ts) ? clock(ts, {}, true) : "",
    of: trade ? channel : topic,
    symbol: trade ? symbol : said,
    price: trade ? localize(show(price), { locale: document.documentElement.lang }) : "",
    size: trade && size !== undefined ? show(size) : "",
    side: ["buy", "sell"].includes(data.side) ? data.side : "",
    topic,
  };
}

export class Tape {
  #list;
  #held;
  #waiting = /** @type {Update[]} */ ([]);
  #count = 0; // of those that wait while one reads

  /** @param {Element} list @param {Element} held says how many wait */
  constructor(list, held) {
    this.#list = list;
    this.#held = held;
    for (const name of ["pointerleave", "focusout"]) list.addEventListener(name, () => onNextFrame(this));
  }

  /** @param {Update} update */
  add(update) {
    this.#count++;
    this.#waiting.push(update);
    if (this.#waiting.length > LINES_MAX) this.#waiting.shift();
    onNextFrame(this);
  }

  render() {
    const reading = this.#list.matches(":hover, :focus-within");
    setText(this.#held, reading && this.#count ? `${this.#count} newer` : "");
    if (reading) return;
    this.#count = 0;
    for (const update of this.#waiting.splice(0)) this.#prepend(update);
  }

  /** The time and channel stand once, above the lines of one second. @param {Update} update */
  #prepend(update) {
    const last = this.#list.lastElementChild, newest = this.#list.firstElementChild;
    const line = last instanceof HTMLElement && this.#list.children.length >= LINES_MAX ? last : this.#newLine();
    const { at, of, symbol, price, size, side, topic } = describe(update);
    const [time, name, value, amount] = line.children;
    setText(time, `${at} · ${of}`);
    setText(name, symbol);
    name.className = price ? "" : "say";
    setText(value.children[1], price);
    value.className = `num ${side === "buy" ? "up" : side === "sell" ? "down" : ""}`;
    setIcon(value.firstElementChild, side === "sell" ? "down" : "up");
    setText(amount, size);
    line.title = topic;
    line.dataset.side = side;
    line.className = "";
    if (newest && newest !== line && newest.firstElementChild?.textContent === time.textContent) newest.className = "same";
    this.#list.prepend(line);
  }

  #newLine() {
    const line = document.createElement("li");
    line.innerHTML = `<time></time><span></span><b class="num">${ICON}<span></span></b><small></small>`;
    return line;
  }
}
