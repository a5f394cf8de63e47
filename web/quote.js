// From a topic's image to what is shown of it. Pure. Images are foreign data: what makes no sense is a dash, never thrown.
//
// Prices are computed as decimals, digit for digit: an exact number is {units, scale}, units x 10^-scale.

/** @typedef {import("./topic.js").Image} Image */
/** @typedef {{units: bigint, scale: number}} Decimal units x 10^-scale */
/** @typedef {{last: string[], bid: string[], ask: string[], change: string[], open: string[]}} Fields */

const TEXT_CHARS_MAX = 40;
const PLAIN_CHARS_MAX = 30; // longer ones are spelled with an exponent
const EXPONENT_MAX = 400; // a double has no more

/**
 * Which fields of an image mean what; the first that is there wins.
 * @type {Fields}
 */
const FIELDS = {
  last: ["last", "price"],
  bid: ["bid", "best_bid"],
  ask: ["ask", "best_ask"],
  change: ["change"],
  open: ["open", "open_24h"],
};

/**
 * The attribute `fields`, as "last:p,price open:o", over the defaults.
 * @param {string | null} [text]
 */
export function parseFields(text) {
  /** @type {Fields & Record<string, string[]>} */
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
 * Undefined for what is not a decimal number, or is too large.
 * @param {unknown} value
 * @returns {Decimal | undefined}
 */
function exact(value) {
  if (!/^(number|string)$/.test(typeof value)) return undefined;
  const [, sign, whole, part = "", power = 0] = /^\s*([+-]?)(\d{1,400})(?:\.(\d{0,400}))?(?:e([+-]?\d+))?\s*$/i.exec(String(value).replace(/^([+-]?)\./, "$10.")) ?? [];
  const exponent = Number(power);
  if (whole === undefined || Math.abs(exponent) > EXPONENT_MAX) return undefined;
  const scale = part.length - exponent;
  const units = BigInt((sign === "-" ? "-" : "") + whole + part + "0".repeat(Math.max(0, -scale)));
  return { units, scale: Math.max(0, scale) };
}

/**
 * Both in units of the smaller of their last digits.
 * @param {Decimal} a
 * @param {Decimal} b
 */
function aligned(a, b) {
  const scale = Math.max(a.scale, b.scale);
  const [one, other] = [a, b].map(({ units, scale: own }) => units * 10n ** BigInt(scale - own));
  return { one, other, scale };
}

/** @param {Decimal} [a] @param {Decimal} [b] */
function difference(a, b) {
  if (!a || !b) return undefined;
  const { one, other, scale } = aligned(a, b);
  return { units: one - other, scale };
}

/** @param {{units: bigint}} [value] */
const signOf = ({ units } = { units: 0n }) => Number(units > 0n) - Number(units < 0n);

/** @param {Decimal} value */
function spell({ units, scale }) {
  const digits = String(units).replace("-", "").padStart(scale + 1, "0");
  const sign = units < 0n ? "-" : "";
  const plain = scale ? `${digits.slice(0, -scale)}.${digits.slice(-scale)}` : digits;
  if (plain.length <= PLAIN_CHARS_MAX || !units) return (sign + plain).slice(0, PLAIN_CHARS_MAX);
  const [, short, zeros] = /** @type {RegExpExecArray} */ (/^0*(\d+?)(0*)$/.exec(digits));
  const left = Math.max(0, short.length - PLAIN_CHARS_MAX); // digits that find no room
  const exponent = zeros.length + left - scale;
  return `${sign}${short.slice(0, PLAIN_CHARS_MAX)}e${exponent < 0 ? "" : "+"}${exponent}`;
}

/** @param {string} text @param {number} sign */
const signed = (text, sign) => (sign > 0 ? "+" : sign < 0 ? "−" : "") + text.replace(/^-/, "");

/**
 * The first of the fields that holds a string, a number or a boolean.
 * @param {Image} image
 * @param {string[]} names
 */
function pick(image, names) {
  const found = names.find((name) => Object.hasOwn(image, name) && image[name] !== null && typeof image[name] !== "object");
  return found === undefined ? undefined : image[found];
}

/** One topic's quote over time. If the feed sends neither change nor open, the first value seen is the open. */
export class Quote {
  last = show();
  value = NaN;
  change = ""; // from the open, or as sent: then nobody knows of what, and there is no percent
  percent = "";
  trend = 0; // sign of the change
  tick = 0; // sign of the last move
  #fields;
  /** @type {Decimal | undefined} */
  #exact;
  /** @type {Decimal | undefined} */
  #first;

  constructor(fields = FIELDS) {
    this.#fields = fields;
  }

  /** @param {Image} image */
  take(image) {
    const { bid, ask, ...fields } = this.#fields;
    const raw = pick(image, fields.last) ?? this.#middle(pick(image, bid), pick(image, ask));
    const before = this.#exact;
    this.last = show(raw);
    this.value = numeric(raw);
    this.#exact = exact(raw);
    this.tick = signOf(difference(this.#exact, before));
    this.#first ??= this.#exact;
    this.#takeChange(pick(image, fields.change), pick(image, fields.open));
  }

  /** @param {unknown[]} sides */
  #middle(...sides) {
    const [bid, ask] = sides.map(exact);
    if (!bid || !ask) return undefined;
    const { one, other, scale } = aligned(bid, ask);
    return spell({ units: (one + other) * 5n, scale: scale + 1 });
  }

  /** @param {any} sent @param {unknown} open */
  #takeChange(sent, open) {
    const base = open !== undefined ? exact(open) : sent === undefined ? this.#first : undefined;
    const change = difference(this.#exact, base);
    this.trend = change ? signOf(change) : Math.sign(parseFloat(sent)) || 0;
    const percent = change && base ? (Number(spell(change)) / Math.abs(Number(spell(base)))) * 100 : NaN;
    const rounded = Number.isFinite(percent) ? percent.toFixed(2) : "";
    this.percent = rounded && `${signed(rounded, Math.sign(Number(rounded)))}%`;
    this.change = change ? signed(spell(change), this.trend) : sent === undefined ? "" : show(sent);
  }
}

/** @type {[number, string][]} */
const UNITS = [[864e5, "d"], [36e5, "h"], [6e4, "min"], [1e3, "s"]];

/**
 * "now", "12 s", "3 min"; a dash for null, an age that nobody knows.
 * @param {number | null} ms
 */
export function showAge(ms) {
  if (ms === null) return "–";
  const [size, unit] = UNITS.find(([size]) => ms >= size) ?? [];
  return size ? `${Math.floor(ms / size)} ${unit}` : "now";
}

/**
 * The parts of a topic's name: ticker.coinbase.BTC-USD has the channel ticker, the venue coinbase and the symbol BTC-USD.
 * @param {string} topic
 */
export function parts(topic) {
  const [channel, ...rest] = topic.split(".");
  return { channel, symbol: rest.pop() ?? channel, venue: rest.join(".") };
}
