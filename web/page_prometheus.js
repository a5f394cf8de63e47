// What /metrics says, read: the text format of Prometheus, as far as this server writes it (one label at most).

/** @typedef {Map<string, Map<string, number>>} Metrics name of a metric -> value of its label, "" where it has none -> number */

/** @param {string} text @returns {Metrics} */
export function parseMetrics(text) {
  /** @type {Metrics} */
  const metrics = new Map();
  for (const [, name, label = "", value] of text.matchAll(/^([a-z_]+)(?:\{\w+="((?:[^"\\]|\\.)*)"\})? (\S+)$/gm)) {
    const values = metrics.get(name) ?? new Map();
    metrics.set(name, values.set(label, Number(value.replace("Inf", "Infinity"))));
  }
  return metrics;
}

/** All of a metric together. @param {Metrics} metrics @param {string} name */
export function total(metrics, name) {
  return [...(metrics.get(name)?.values() ?? [])].reduce((sum, value) => sum + value, 0);
}

/**
 * The bound of the bucket that `share` of what was counted between two readings lies within; NaN where nothing was.
 * @param {Metrics} before
 * @param {Metrics} now
 * @param {string} name
 * @param {number} share
 */
export function quantile(before, now, name, share) {
  const earlier = before.get(`${name}_bucket`);
  const buckets = [...(now.get(`${name}_bucket`) ?? [])].map(([bound, count]) => ({ bound: Number(bound.replace("+Inf", "Infinity")), count: count - (earlier?.get(bound) ?? 0) }));
  buckets.sort((a, b) => a.bound - b.bound);
  const all = buckets.at(-1)?.count ?? 0;
  return all ? (buckets.find(({ count }) => count >= all * share)?.bound ?? NaN) : NaN;
}
