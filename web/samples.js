// The last quarter of an hour of each topic that somebody draws: few points, whatever the rate of updates. For drawing only.

const POINTS_MAX = 60;
const WINDOW_MS = 900_000;
const STEP_MS_FIRST = 1_000; // between points; doubles when there are too many, until POINTS_MAX of them fill the window

/** The points of one topic: the value now, and before. */
export class Samples {
  values = /** @type {number[]} */ ([]);
  times = /** @type {number[]} */ ([]); // monotonic milliseconds
  #step = STEP_MS_FIRST;

  /** @param {number} value @param {number} now monotonic milliseconds */
  add(value, now) {
    if (!Number.isFinite(value)) return;
    const { values, times } = this;
    const last = values.length - 1;
    if (last > 0 && now - times[last - 1] < this.#step) values.splice(last, 1, value), times.splice(last, 1, now);
    else values.push(value), times.push(now);
    if (values.length > POINTS_MAX && this.#step * POINTS_MAX < WINDOW_MS) this.#thin();
    while (times.length > 1 && now - times[0] > WINDOW_MS) values.shift(), times.shift();
  }

  /** The time from the first point to now. @param {number} now */
  spanMs(now) {
    return now - (this.times[0] ?? now);
  }

  #thin() {
    const keep = (/** @type {unknown} */ _, /** @type {number} */ i) => i % 2 === 0 || i === this.values.length - 1;
    [this.values, this.times] = [this.values.filter(keep), this.times.filter(keep)];
    this.#step *= 2;
  }
}

/** @type {WeakMap<object, Map<string, Samples>>} */
const kept = new WeakMap();

/** The samples of a topic, one series for all of a page. @param {object} client @param {string} topic */
export function samplesOf(client, topic) {
  const all = kept.get(client) ?? new Map();
  kept.set(client, all);
  const found = all.get(topic) ?? new Samples();
  all.set(topic, found);
  return found;
}

/**
 * The paths of a spark in a box: its line; its area above and below the value that the window began with; that base; the last
 * point; and `sign`, of the move in the window. An old price's line ends early and goes on as `gone`.
 * @param {Samples} samples
 * @param {number} now monotonic milliseconds
 * @param {{width?: number, height?: number, old?: boolean}} [box]
 */
export function sparkPaths({ values, times }, now, { width = 100, height = 26, old = false } = {}) {
  const last = values.length - 1;
  if (last < 0) return { line: "", above: "", below: "", base: `M0 ${height / 2}H${width}`, end: "", gone: "", sign: 0 };
  const low = Math.min(...values), high = Math.max(...values), until = old && last ? width * 0.8 : width - 2.5;
  const span = Math.max(1, (old ? times[last] : now) - times[0]);
  /** @type {[number, number][]} */
  const points = [];
  for (const [i, value] of values.entries()) {
    const x = ((times[i] - times[0]) / span) * until;
    const y = high > low ? height - 3 - ((value / 2 - low / 2) / (high / 2 - low / 2) || 0) * (height - 6) : height / 2; // halves do not overflow
    const [x0, y0] = points.at(-1) ?? [x, y], base = points[0]?.[1] ?? y;
    if ((y0 - base) * (y - base) < 0) points.push([x0 + ((base - y0) / (y - y0)) * (x - x0), base]); // where the line crosses, its two areas end
    points.push([x, y]);
  }
  const base = points[0][1].toFixed(1), at = `M${until} ${/** @type {number[]} */ (points.at(-1))[1].toFixed(1)}`;
  const path = (/** @type {(y: number) => number} */ pick) => `M${points.map(([x, y]) => `${x.toFixed(1)} ${pick(y).toFixed(1)}`).join("L")}H${until}`;
  const side = (/** @type {(...ys: number[]) => number} */ pick) => (old ? "" : `${path((y) => pick(y, points[0][1]))}V${base}H0Z`);
  return { line: path((y) => y), above: side(Math.min), below: side(Math.max), base: `M0 ${base}H${width}`, end: old ? "" : `${at}h.01`, gone: old ? `${at}H${width}` : "", sign: Math.sign(values[last] - values[0]) };
}
