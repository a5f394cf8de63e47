import assert from "node:assert/strict";
import test from "node:test";
import { parseMetrics, quantile, total } from "../../../web/page_prometheus.js";

const text = (fast, slow) => `# HELP tickwire_limited_total Times that a limit was in the way.
# TYPE tickwire_limited_total counter
tickwire_limited_total{reason="topics_max"} 3
tickwire_limited_total{reason="a \\"quoted\\" one"} 1.5e+1
tickwire_sessions 7
# TYPE tickwire_turn_seconds histogram
tickwire_turn_seconds_bucket{le="0.001"} ${fast}
tickwire_turn_seconds_bucket{le="0.01"} ${fast + slow}
tickwire_turn_seconds_bucket{le="+Inf"} ${fast + slow}
`;

test("metrics are read by name and label", () => {
  const metrics = parseMetrics(text(0, 0));
  assert.deepEqual([...(metrics.get("tickwire_limited_total") ?? [])], [["topics_max", 3], ['a \\"quoted\\" one', 15]]);
  assert.equal(total(metrics, "tickwire_limited_total"), 18);
  assert.equal(total(metrics, "tickwire_sessions"), 7);
  assert.equal(total(metrics, "tickwire_none"), 0);
});

test("a quantile is that of what was counted between two readings", () => {
  const before = parseMetrics(text(100, 0));
  assert.equal(quantile(before, parseMetrics(text(100, 0)), "tickwire_turn_seconds", 0.99), NaN);
  assert.equal(quantile(before, parseMetrics(text(200, 0)), "tickwire_turn_seconds", 0.99), 0.001);
  assert.equal(quantile(before, parseMetrics(text(110, 10)), "tickwire_turn_seconds", 0.99), 0.01);
});
