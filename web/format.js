// Figures and times as a reader of some language writes them. Text in, text out: no figure goes through a float.

const DIGITS_MAX = 20; // after the point, of a browser's formatter

/** @typedef {{locale?: string, currency?: string}} Style how figures are written: a language tag, an ISO 4217 code */

/**
 * "now", "12 s", "3 min"; a dash for null, an age that nobody knows.
 * @param {number | null} ms
 */
export function showAge(ms) {
  if (ms === null) return "–";
  const sizes = [1e3, 6e4, 36e5, 864e5], i = sizes.findLastIndex((size) => ms >= size);
  return i < 0 ? "now" : `${Math.floor(ms / sizes[i])}\u202f${["s", "min", "h", "d"][i]}`;
}

/** @type {Map<string, {format(value: any): string}>} */
const formatters = new Map();

/** @param {string | undefined} locale @param {Intl.NumberFormatOptions & Intl.DateTimeFormatOptions} options */
function formatter(locale, options) {
  const key = locale + JSON.stringify(options);
  const found = formatters.get(key) ?? (options.hour ? new Intl.DateTimeFormat(locale, options) : new Intl.NumberFormat(locale, { ...options, numberingSystem: "latn" }));
  formatters.set(key, found);
  return found;
}

/**
 * A figure with the thousands, the point and the currency of a language, and a true minus. What is not a plain decimal stays as sent.
 * @param {string} text
 * @param {Style} [style]
 */
export function localize(text, { locale, currency } = {}) {
  const [, sign, plain, { length } = ""] = /^([+−-]?)((?:0|[1-9]\d*)(?:\.(\d+))?)$/.exec(text) ?? [];
  if (!plain || length > DIGITS_MAX) return text;
  return sign.replace("-", "−") + formatter(locale, { minimumFractionDigits: length, maximumFractionDigits: length, style: currency ? "currency" : "decimal", currency }).format(plain);
}

/** A volume, shortened: 4.1 M. Never a price. @param {string} text @param {Style} [style] */
export function compact(text, { locale } = {}) {
  return /^\d/.test(text) && Number.isFinite(Number(text)) ? formatter(locale, { notation: "compact", maximumSignificantDigits: 3 }).format(Number(text)) : text;
}

/** The time of a moment: 14:02, or 14:02:11. @param {number} ts @param {Style} [style] */
export function clock(ts, { locale } = {}, seconds = false) {
  return formatter(locale, { hour: "2-digit", minute: "2-digit", second: seconds ? "2-digit" : undefined, hourCycle: "h23" }).format(ts);
}

/** The language of an element: its attribute `locale`, else that of the page around it. @param {Element} element */
export function localeOf(element) {
  const tag = element.getAttribute("locale") || element.closest("[lang]")?.getAttribute("lang") || undefined;
  try {
    new Intl.Locale(tag ?? "en");
    return tag;
  } catch {
    return undefined; // not a language tag
  }
}
