// The tape: the last events (trades, messages), newest first. A fixed number of <li>, the last of which becomes the next first.
import { onNextFrame, setAttribute, setText } from "./frame.js";
import { numeric, parts, show } from "./quote.js";

/** @import { Update } from "./subscription.js" */
/** @import { Image } from "./topic.js" */

const LINES_MAX = 40;
const FIELDS_SHOWN = 4;
const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

/** @param {Image} data @param {string[]} names */
function first(data, ...names) {
  const name = names.find((name) => Object.hasOwn(data, name));
  return name && data[name];
}

/** @param {Update} update */
function describe({ topic, ts, data = {} }) {
  const price = first(data, "price", "last");
  const size = first(data, "size", "amount", "qty", "quantity");
  const fields = Object.entries(data).slice(0, FIELDS_SHOWN).map(([name, value]) => `${name} ${show(value)}`);
  const trade = !Number.isNaN(numeric(price));
  return {
    at: Number.isFinite(ts) ? time.format(ts) : "",
    symbol: parts(topic).symbol,
    main: trade ? show(price) : fields.join(" · "),
    more: trade && size !== undefined ? show(size) : "",
    side: ["buy", "sell"].includes(data.side) ? data.side : "",
    topic,
  };
}

export class Tape {
  #list;
  #waiting = /** @type {Update[]} */ ([]);

  /** @param {Element} list */
  constructor(list) {
    this.#list = list;
  }

  /** @param {Update} update */
  add(update) {
    this.#waiting.push(update);
    if (this.#waiting.length > LINES_MAX) this.#waiting.shift();
    onNextFrame(this);
  }

  render() {
    for (const update of this.#waiting.splice(0)) {
      const last = this.#list.lastElementChild;
      const line = last instanceof HTMLElement && this.#list.children.length >= LINES_MAX ? last : this.#newLine();
      const { at, symbol, main, more, side, topic } = describe(update);
      const [timeText, symbolText, values] = line.children;
      setText(timeText, at);
      setText(symbolText, symbol);
      setText(values.children[0], main);
      setText(values.children[1], more);
      setAttribute(line, "data-side", side);
      line.title = topic;
      this.#list.prepend(line);
    }
  }

  #newLine() {
    const line = document.createElement("li");
    line.innerHTML = "<time> </time><span> </span><span><b> </b><small> </small></span>";
    return line;
  }
}
