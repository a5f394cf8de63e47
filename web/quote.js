// From a topic's image to the figures that are shown of it. Pure. Images are foreign data: what makes no sense is a dash, never thrown.
import { aligned, difference, exact, percentOf, signOf, spell, spellSigned } from "./decimal.js";

/** @import { Decimal } from "./decimal.js" */
/** @import { Image } from "./topic.js" */
/** @typedef {Record<string, string[]>} Fields what an image's fields mean: for each meaning the names, of which the first that is there wins */

const TEXT_CHARS_MAX = 40;

/** @type {Fields} */
const FIELDS = {
  last: ["last", "price"],
  bid: ["bid", "best_bid"],
  ask: ["ask", "best_ask"],
  change: ["change"],
  open: ["open", "open_24h"],
  volume: ["volume", "volume_24h"],
  size: ["size", "amount", "qty", "quantity"],
  side: ["side"],
};

/**
 * The attribute `fields`, as "last:p,price open:o", over the defaults.
 * @param {string | null} [text]
 */
export function parseFields(text) {
  /** @type {Fields} */
  const fields = { ...FIELDS };
  for (const [, meaning, names] of (text ?? "").matchAll(/(\w+):(\S+)/g)) fields[meaning] = names.split(",");
  return fields;
}

/**
 * A value as text. A string is shown as it was sent; only its length is limited.
 * @param {unknown} [value]
 */
export function show(value) {
  const tiny = typeof value === "number" && value !== 0 && Math.abs(value) < 1e-6 ? exact(value) : undefined;
  const text = typeof value === "object" ? "" : tiny ? spell(tiny) : String(value ?? "");
  return text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX)}…` : text || "–";
}

/**
 * A number, or a string that holds one, as a number; else NaN.
 * @param {unknown} value
 */
export function numeric(value) {
  return typeof value === "number" || (typeof value === "string" && value.trim()) ? Number(value) : NaN;
}

/**
 * The name of the first of the fields that holds a string, a number or a boolean.
 * @param {Image} image
 * @param {string[]} names
 */
const nameIn = (image, names) => names.find((name) => Object.hasOwn(image, name) && image[name] !== null && typeof image[name] !== "object");

/** One topic's quote over time. */
export class Quote {
  last = show();
  value = NaN;
  change = ""; // from the open, or as sent: then nobody knows of what, and there is no percent
  percent = "";
  base = ""; // what the change is from: the name of the field; "" without a change
  trend = 0; // sign of the change, as it is shown: what rounds to 0.00% has none
  tick = 0; // sign of the last move
  #fields;
  #image = /** @type {Image} */ ({});
  /** @type {Decimal | undefined} */
  #exact;
  #digits = 0; // most digits after the point of a number; strings bring their own
  #open = /** @type {{raw: unknown, exact: Decimal | undefined}} */ ({ raw: undefined, exact: undefined });

  constructor(fields = FIELDS) {
    this.#fields = fields;
  }

  /** @param {Image} image */
  take(image) {
    this.#image = image;
    const raw = this.#pick("last") ?? this.#middle();
    const before = this.#exact;
    this.#exact = exact(raw);
    this.last = this.#show(raw, this.#exact);
    this.value = numeric(raw);
    this.tick = signOf(difference(this.#exact, before));
    this.#takeChange();
  }

  /** Another figure, as text: "bid", "ask", "volume", "spread", ... @param {string} meaning */
  figure(meaning) {
    if (meaning !== "spread") return show(this.#pick(meaning));
    const spread = difference(exact(this.#pick("ask")), exact(this.#pick("bid")));
    return spread ? spell(spread) : show();
  }

  /** @param {string} meaning */
  #pick(meaning) {
    const name = nameIn(this.#image, this.#fields[meaning] ?? []);
    return name === undefined ? undefined : this.#image[name];
  }

  /**
   * A number has the digits of the symbol: 1.5 is 1.50 where 1.25 came before.
   * @param {unknown} raw
   * @param {Decimal} [value]
   */
  #show(raw, value) {
    if (typeof raw !== "number" || !value || /e/i.test(String(raw))) return show(raw);
    this.#digits = Math.max(this.#digits, value.scale);
    return spell({ units: value.units * 10n ** BigInt(this.#digits - value.scale), scale: this.#digits });
  }

  #middle() {
    const [bid, ask] = ["bid", "ask"].map((side) => exact(this.#pick(side)));
    if (!bid || !ask) return undefined;
    const { one, other, scale } = aligned(bid, ask);
    return spell({ units: (one + other) * 5n, scale: scale + 1 });
  }

  #takeChange() {
    const name = nameIn(this.#image, this.#fields.open);
    const raw = name === undefined ? undefined : this.#image[name];
    if (raw !== this.#open.raw) this.#open = { raw, exact: exact(raw) };
    const sent = /** @type {any} */ (raw === undefined ? this.#pick("change") : undefined);
    const change = difference(this.#exact, this.#open.exact);
    const percent = change && percentOf(change, /** @type {Decimal} */ (this.#open.exact));
    this.base = change && name ? name : sent === undefined ? "" : "change";
    this.change = change ? spellSigned(change) : sent === undefined ? "" : show(sent);
    this.percent = percent ? `${spellSigned(percent)}%` : "";
    this.trend = change ? signOf(percent ?? change) : Math.sign(parseFloat(sent)) || 0;
  }
}

/**
 * The parts of a topic's name: ticker.coinbase.BTC-USD has the channel ticker, the venue coinbase and the symbol BTC-USD.
 * @param {string} topic
 */
export function parts(topic) {
  const [channel, ...rest] = topic.split(".");
  return { channel, symbol: rest.pop() ?? channel, venue: rest.join(".") };
}
