// The small drawing of a price's moves, of <tick-spark>, <tick-table> and the pages. Line in ink, dotted base at the value that the
// window began with, a tint above and below it: its colour cannot contradict the line.
import { setAttribute } from "./frame.js";
import { samplesOf, sparkPaths } from "./samples.js";

/** @import { TopicView } from "./topic_view.js" */

export const SPARK_STYLE = `
.spark { display: block; width: 100%; height: 100%; overflow: visible; fill: none; stroke: var(--_muted); stroke-width: 1.4; stroke-linejoin: round; stroke-linecap: round; }
.spark path { vector-effect: non-scaling-stroke; }
.above { fill: color-mix(in srgb, var(--_up) 20%, transparent); stroke: none; } .below { fill: color-mix(in srgb, var(--_down) 20%, transparent); stroke: none; }
.base { stroke-dasharray: 1 4; stroke-width: 1; } .end { stroke-width: 5; } .gone { stroke: var(--_stale); stroke-dasharray: 2 3; } .halted .gone { stroke: var(--_halted); }
[data-sign="1"] .end { stroke: var(--_up); } [data-sign="-1"] .end { stroke: var(--_down); }`;

const PATHS = /** @type {const} */ (["above", "below", "base", "line", "end", "gone"]);
export const SPARK = `<svg class="spark" preserveAspectRatio="none" aria-hidden="true">${PATHS.map((name) => `<path class="${name}"/>`).join("")}</svg>`;

/**
 * Takes a view's price into the samples of its topic, and draws them. Returns the time that they span, in milliseconds.
 * @param {Element} svg
 * @param {TopicView} view
 */
export function drawSpark(svg, view, height = 26) {
  const samples = samplesOf(view.client, view.topic), now = performance.now();
  const halted = view.state === "halted";
  if (view.hasData && !view.old && !halted) samples.add(view.quote.value, now);
  const paths = sparkPaths(samples, now, { height, old: view.old || halted });
  setAttribute(svg, "viewBox", `0 0 100 ${height}`);
  setAttribute(svg, "data-sign", view.old || halted ? 0 : paths.sign);
  PATHS.forEach((name, i) => setAttribute(svg.children[i], "d", view.hasData ? paths[name] : name === "base" ? `M0 ${height / 2}H100` : ""));
  return view.hasData ? samples.spanMs(now) : 0;
}
