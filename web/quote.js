// From a topic's image to what is shown of it. Pure. Images are foreign data: what makes no sense is a dash, never thrown.
//
// Prices are computed as decimals, digit for digit: an exact number is {units, scale}, units x 10^-scale.

const TEXT_CHARS_MAX = 40;
const PLAIN_CHARS_MAX = 30; // longer ones are spelled with an exponent
const EXPONENT_MAX = 400; // a double has no more

// Which fields of an image mean what; the first that is there wins.
const FIELDS = {
  last: ["last", "price"],
  bid: ["bid", "best_bid"],
  ask: ["ask", "best_ask"],
  change: ["change"],
  open: ["open", "open_24h"],
};

// "last:p,price open:o" over the fields above.
export function parseFields(text) {
  const fields = { ...FIELDS };
  for (const [, meaning, names] of (text ?? "").matchAll(/(\w+):(\S+)/g)) fields[meaning] = names.split(",");
  return fields;
}

// A string is shown as it was sent; only its length is limited.
export function show(value) {
  const tiny = typeof value === "number" && value !== 0 && Math.abs(value) < 1e-6;
  const text = typeof value === "object" ? "" : tiny ? spell(exact(value)) : String(value ?? "");
  return text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX)}…` : text || "–";
}

// NaN for what is not a number.
export function numeric(value) {
  return typeof value === "number" || (typeof value === "string" && value.trim()) ? Number(value) : NaN;
}

// Undefined for what is not a decimal number, or one past all measure.
function exact(value) {
  if (!/^(number|string)$/.test(typeof value)) return undefined;
  const [, sign, whole, part = "", exponent = 0] = /^\s*([+-]?)(\d{1,400})(?:\.(\d{0,400}))?(?:e([+-]?\d+))?\s*$/i.exec(String(value).replace(/^([+-]?)\./, "$10.")) ?? [];
  if (whole === undefined || Math.abs(exponent) > EXPONENT_MAX) return undefined;
  const scale = part.length - exponent;
  const units = BigInt((sign === "-" ? "-" : "") + whole + part + "0".repeat(Math.max(0, -scale)));
  return { units, scale: Math.max(0, scale) };
}

// Both in units of the smaller of their last digits.
function aligned(a, b) {
  const scale = Math.max(a.scale, b.scale);
  return [a, b].map(({ units, scale: own }) => units * 10n ** BigInt(scale - own)).concat(scale);
}

function difference(a, b) {
  if (!a || !b) return undefined;
  const [one, other, scale] = aligned(a, b);
  return { units: one - other, scale };
}

const signOf = ({ units } = { units: 0n }) => Number(units > 0n) - Number(units < 0n);

function spell({ units, scale }) {
  const digits = String(units).replace("-", "").padStart(scale + 1, "0");
  const sign = units < 0n ? "-" : "";
  const plain = scale ? `${digits.slice(0, -scale)}.${digits.slice(-scale)}` : digits;
  if (plain.length <= PLAIN_CHARS_MAX || !units) return (sign + plain).slice(0, PLAIN_CHARS_MAX);
  const [, short, zeros] = /^0*(\d+?)(0*)$/.exec(digits);
  const left = Math.max(0, short.length - PLAIN_CHARS_MAX); // digits that find no room
  const exponent = zeros.length + left - scale;
  return `${sign}${short.slice(0, PLAIN_CHARS_MAX)}e${exponent < 0 ? "" : "+"}${exponent}`;
}

const signed = (text, sign) => (sign > 0 ? "+" : sign < 0 ? "−" : "") + text.replace(/^-/, "");

// The first of the fields that holds a string, a number or a boolean.
function pick(image, names) {
  return image[names.find((name) => Object.hasOwn(image, name) && image[name] !== null && typeof image[name] !== "object")];
}

// One topic's quote over time. Where the feed sends neither change nor open, the first value seen is the open.
export class Quote {
  last = show();
  value = NaN;
  change = ""; // from the open, or as sent: then nobody knows of what, and there is no percent
  percent = "";
  trend = 0; // sign of the change
  tick = 0; // sign of the last move
  #fields;
  #exact;
  #first;

  constructor(fields = FIELDS) {
    this.#fields = fields;
  }

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

  #middle(...sides) {
    const [bid, ask] = sides.map(exact);
    if (!bid || !ask) return undefined;
    const [one, other, scale] = aligned(bid, ask);
    return spell({ units: (one + other) * 5n, scale: scale + 1 });
  }

  #takeChange(sent, open) {
    const base = open !== undefined ? exact(open) : sent === undefined ? this.#first : undefined;
    const change = difference(this.#exact, base);
    this.trend = change ? signOf(change) : Math.sign(parseFloat(sent)) || 0;
    const percent = change && (Number(spell(change)) / Math.abs(Number(spell(base)))) * 100;
    const rounded = Number.isFinite(percent) ? percent.toFixed(2) : "";
    this.percent = rounded && `${signed(rounded, Math.sign(rounded))}%`;
    this.change = change ? signed(spell(change), this.trend) : sent === undefined ? "" : show(sent);
  }
}

// "now", "12 s", "3 min"; a dash for null: nobody knows
export function showAge(ms) {
  if (ms === null) return "–";
  const [size, unit] = [[864e5, "d"], [36e5, "h"], [6e4, "min"], [1e3, "s"]].find(([size]) => ms >= size) ?? [];
  return size ? `${Math.floor(ms / size)} ${unit}` : "now";
}

// ticker.coinbase.BTC-USD -> {channel: "ticker", venue: "coinbase", symbol: "BTC-USD"}
export function parts(topic) {
  const [channel, ...rest] = topic.split(".");
  return { channel, symbol: rest.pop() ?? channel, venue: rest.join(".") };
}
