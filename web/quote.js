// From a topic's image to what is shown of it. Pure. Images are foreign data: what makes no sense is a dash, never thrown.

const TEXT_CHARS_MAX = 40;
const DECIMALS_MAX = 12;

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
  const text = typeof value === "object" ? "" : String(value ?? "");
  return text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX)}…` : text || "–";
}

// NaN for what is not a number.
export function numeric(value) {
  return typeof value === "number" || (typeof value === "string" && value.trim()) ? Number(value) : NaN;
}

function decimals(value) {
  return Math.min(DECIMALS_MAX, /^-?\d*\.(\d+)$/.exec(value)?.[1].length ?? 0);
}

function signed(number, digits) {
  const text = Math.abs(number).toFixed(digits);
  return (Number(text) === 0 ? "" : number > 0 ? "+" : "−") + text;
}

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
  #first = NaN;

  constructor(fields = FIELDS) {
    this.#fields = fields;
  }

  take(image) {
    const { bid, ask, ...fields } = this.#fields;
    const raw = pick(image, fields.last) ?? this.#middle(pick(image, bid), pick(image, ask));
    const before = this.value;
    this.last = show(raw);
    this.value = numeric(raw);
    this.tick = Math.sign(this.value - before) || 0;
    if (Number.isNaN(this.#first)) this.#first = this.value;
    this.#takeChange(pick(image, fields.change), pick(image, fields.open), raw);
  }

  #middle(bid, ask) {
    const middle = (numeric(bid) + numeric(ask)) / 2;
    return Number.isFinite(middle) ? middle.toFixed(Math.max(decimals(bid), decimals(ask)) + 1) : undefined;
  }

  #takeChange(sent, open = sent === undefined ? this.#first : NaN, raw) {
    const base = numeric(open);
    const difference = this.value - base;
    const known = Number.isFinite(difference);
    this.trend = Math.sign(known ? difference : parseFloat(sent)) || 0;
    this.percent = known && base ? signed((difference / Math.abs(base)) * 100, 2) + "%" : "";
    this.change = known ? signed(difference, Math.max(decimals(raw), decimals(open))) : sent === undefined ? "" : show(sent);
  }
}

// "now", "12 s", "3 min"
export function showAge(ms) {
  const [size, unit] = [[864e5, "d"], [36e5, "h"], [6e4, "min"], [1e3, "s"]].find(([size]) => ms >= size) ?? [];
  return size ? `${Math.floor(ms / size)} ${unit}` : "now";
}

// ticker.coinbase.BTC-USD -> {channel: "ticker", venue: "coinbase", symbol: "BTC-USD"}
export function parts(topic) {
  const [channel, ...rest] = topic.split(".");
  return { channel, symbol: rest.pop() ?? channel, venue: rest.join(".") };
}
