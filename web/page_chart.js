// The chart of a topic's page: lightweight-charts where the server has it (scripts/vendor-charts puts it there), else a spark in large.
import { localize, showAge } from "./format.js";
import { SPARK, drawSpark } from "./spark.js";

/** @import { TopicView } from "./topic_view.js" */

const VENDORED = "./vendor/lightweight-charts.js";
const POINTS_MAX = 20_000;
const FITTED_POINTS = 120; // so many fill the width, later ones run through

/** A colour of the page. @param {string} name */
function color(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** @param {any} charts the module @param {HTMLElement} box @param {TopicView} view */
function bigChart(charts, box, view) {
  const chart = charts.createChart(box, { autoSize: true });
  const series = chart.addSeries(charts.BaselineSeries, { lineWidth: 2, priceLineVisible: true });
  const dress = () => {
    const [text, line, up, down] = ["--muted", "--grid", "--up", "--down"].map(color);
    chart.applyOptions({ layout: { background: { type: "solid", color: "transparent" }, textColor: text, fontSize: 12 }, grid: { vertLines: { color: line }, horzLines: { color: line } }, rightPriceScale: { borderVisible: false }, timeScale: { borderVisible: false, timeVisible: true, secondsVisible: true } });
    series.applyOptions({ topLineColor: up, bottomLineColor: down, topFillColor1: "transparent", topFillColor2: "transparent", bottomFillColor1: "transparent", bottomFillColor2: "transparent" });
  };
  dress();
  for (const target of [document.documentElement, document.body]) new MutationObserver(dress).observe(target, { attributes: true, attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
  const digits = view.quote.last.split(".")[1]?.length ?? 0;
  series.applyOptions({ priceFormat: { type: "custom", minMove: 10 ** -Math.min(digits, 12), formatter: (/** @type {number} */ value) => localize(value.toFixed(Math.min(digits, 20)), view.style) } });
  let last = 0, count = 0;
  return (/** @type {number} */ value) => {
    const time = Math.floor(Date.now() / 1000) - new Date().getTimezoneOffset() * 60; // the library writes UTC
    if (time < last || count > POINTS_MAX) return;
    if (!count) series.applyOptions({ baseValue: { type: "price", price: value } });
    count += Number(time > last);
    last = time;
    series.update({ time, value });
    if (count < FITTED_POINTS) chart.timeScale().fitContent();
  };
}

/**
 * @param {HTMLElement} box
 * @param {TopicView} view
 * @returns {{draw(): string}} draws what is new, and says what the chart spans
 */
export function drawChart(box, view) {
  const opened = performance.now();
  /** @type {((value: number) => void) | undefined} */
  let add;
  let asked = false;
  const load = async () => {
    const charts = await import(VENDORED);
    if (!charts.createChart) return;
    box.replaceChildren();
    add = bigChart(charts, box, view);
  };
  box.innerHTML = SPARK;
  return {
    draw() {
      if (!asked && view.hasData) {
        asked = true;
        load().catch(() => {}); // the spark stays
      }
      const spark = box.querySelector(".spark");
      if (spark) drawSpark(spark, view, 100);
      if (add && view.hasData && !view.old && view.state !== "halted" && Number.isFinite(view.quote.value)) add(view.quote.value);
      return view.hasData ? `last ${showAge(Math.max(1000, performance.now() - opened))}, while this page was open` : "";
    },
  };
}
