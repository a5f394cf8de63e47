// Prices as decimals, digit for digit: an exact number is {units, scale}, units x 10^-scale. Pure.

/** @typedef {{units: bigint, scale: number}} Decimal units x 10^-scale */

const PLAIN_CHARS_MAX = 30; // longer ones are spelled with an exponent
const EXPONENT_MAX = 400; // a double has no more

/**
 * Undefined for what is not a decimal number, or is too large.
 * @param {unknown} value
 * @returns {Decimal | undefined}
 */
export function exact(value) {
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
export function aligned(a, b) {
  const scale = Math.max(a.scale, b.scale);
  const [one, other] = [a, b].map(({ units, scale: own }) => units * 10n ** BigInt(scale - own));
  return { one, other, scale };
}

/** @param {Decimal} [a] @param {Decimal} [b] */
export function difference(a, b) {
  if (!a || !b) return undefined;
  const { one, other, scale } = aligned(a, b);
  return { units: one - other, scale };
}

/** @param {{units: bigint}} [value] */
export const signOf = ({ units } = { units: 0n }) => Number(units > 0n) - Number(units < 0n);

/** @param {bigint} n */
const size = (n) => (n < 0n ? -n : n);

/**
 * A change in hundredths of a percent of its base, rounded half up; undefined where the base is 0.
 * @param {Decimal} change
 * @param {Decimal} base
 * @returns {Decimal | undefined}
 */
export function percentOf(change, base) {
  const { one, other } = aligned(change, base);
  if (!other) return undefined;
  const hundredths = ((size(one) * 100_000n) / size(other) + 5n) / 10n;
  return { units: one < 0n ? -hundredths : hundredths, scale: 2 };
}

/** A decimal as text, with an exponent where it is long. @param {Decimal} value */
export function spell({ units, scale }) {
  const digits = String(units).replace("-", "").padStart(scale + 1, "0");
  const sign = units < 0n ? "-" : "";
  const plain = scale ? `${digits.slice(0, -scale)}.${digits.slice(-scale)}` : digits;
  if (plain.length <= PLAIN_CHARS_MAX || !units) return (sign + plain).slice(0, PLAIN_CHARS_MAX);
  const [, short, zeros] = /** @type {RegExpExecArray} */ (/^0*(\d+?)(0*)$/.exec(digits));
  const left = Math.max(0, short.length - PLAIN_CHARS_MAX); // digits that find no room
  const exponent = zeros.length + left - scale;
  return `${sign}${short.slice(0, PLAIN_CHARS_MAX)}e${exponent < 0 ? "" : "+"}${exponent}`;
}

/** The same with a sign: + or the true minus; none for 0. @param {Decimal} value */
export const spellSigned = (value) => ["−", "", "+"][signOf(value) + 1] + spell(value).replace(/^-/, "");
