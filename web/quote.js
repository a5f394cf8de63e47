// From a topic's image to what is shown of it: last, change, direction. Pure. Images are foreign data: any field may hold
// anything, and what makes no sense is shown as a dash, never thrown.

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
  const rules = (text ?? "").split(/\s+/).map((rule) => rule.split(":"));
  return { ...FIELDS, ...Object.fromEntries(rules.filter(([, names]) => names).map(([meaning, names]) => [meaning, names.split(",")])) };
}

// A string is shown as it was sent; only its length is limited.
export function show(value) {
  const text = typeof value === "object" ? "" : String(value ?? "");
  return text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX)}…` : text || "–";
}

// NaN for what is not a number.
export function numeric(value) {
  return typeof value === "number" ? value : parseFloat(typeof value === "string" && value.trim() ? Number(value) : NaN);
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

// One topic's quote over time. The first value seen is the base for the change where the feed names none.
export class Quote {
  last = show();
  value = NaN;
  change = ""; // since the open: as sent, or computed
  percent = ""; // the same in percent
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
    this.#takeChange(pick(image, fields.change), pick(image, fields.open), decimals(raw));
  }

  #middle(bid, ask) {
    const middle = (numeric(bid) + numeric(ask)) / 2;
    return Number.isFinite(middle) ? middle.toFixed(Math.max(decimals(bid), decimals(ask)) + 1) : undefined;
  }

  #takeChange(sent, open, digits) {
    const base = open !== undefined ? numeric(open) : sent !== undefined ? this.value - numeric(sent) : this.#first;
    const difference = this.value - base;
    this.trend = Math.sign(sent === undefined ? difference : parseFloat(sent)) || 0;
    this.percent = Number.isFinite(difference) && base ? signed((difference / Math.abs(base)) * 100, 2) + "%" : "";
    if (sent !== undefined) this.change = show(sent);
    else this.change = Number.isFinite(difference) ? signed(difference, Math.max(digits, decimals(base))) : "";
  }
}

// "now", "12 s", "3 min", "5 h", "2 d"
export function showAge(ms) {
  const [size, unit] = [[864e5, "d"], [36e5, "h"], [6e4, "min"], [1e3, "s"]].find(([size]) => ms >= size) ?? [];
  return size ? `${Math.floor(ms / size)} ${unit}` : "now";
}

// ticker.coinbase.BTC-USD -> {channel: "ticker", venue: "coinbase", symbol: "BTC-USD"}
export function parts(topic) {
  const [channel, ...rest] = topic.split(".");
  return { channel, symbol: rest.pop() ?? channel, venue: rest.join(".") };
}
