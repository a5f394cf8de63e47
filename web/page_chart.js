// The chart of a topic's page: lightweight-charts where the server has it (scripts/vendor-charts puts it there), else a spark in large.
import { localize, showAge } from "./format.js";
import { SPARK, drawSpark } from "./spark.js";

/** @import { Point } from "./page_ring.js" */
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
  const timeOf = (/** @type {number} */ ms) => Math.floor(ms / 1000) - new Date().getTimezoneOffset() * 60; // the library writes UTC
  /** What was before: the last price of each second. @param {Point[]} points by this computer's clock */
  const addEarlier = (points) => {
    const live = series.data(), begin = live[0]?.time ?? Infinity;
    const earlier = [...new Map(points.map(({ at, value }) => [timeOf(at), value]))].filter(([time]) => time < begin).sort(([a], [b]) => a - b);
    if (!earlier.length) return;
    series.setData([...earlier.map(([time, value]) => ({ time, value })), ...live]);
    series.applyOptions({ baseValue: { type: "price", price: earlier[0][1] } });
    count += earlier.length;
    last = Math.max(last, earlier[earlier.length - 1][0]);
    chart.timeScale().fitContent();
  };
  const add = (/** @type {number} */ value) => {
    const time = timeOf(Date.now());
    if (time < last || count > POINTS_MAX) return;
    if (!count) series.applyOptions({ baseValue: { type: "price", price: value } });
    count += Number(time > last);
    last = time;
    series.update({ time, value });
    if (count < FITTED_POINTS) chart.timeScale().fitContent();
  };
  return { add, addEarlier };
}

/**
 * @param {HTMLElement} box
 * @param {TopicView} view
 * @param {() => Promise<Point[]>} earlier what the server has of the time before, by its clock
 * @returns {{draw(): string}} draws what is new, and says what the chart spans
 */
export function drawChart(box, view, earlier) {
  let since = Date.now();
  let fromRing = false, asked = false;
  /** @type {((value: number) => void) | undefined} */
  let add;
  const load = async () => {
    const charts = await import(VENDORED);
    if (!charts.createChart) return;
    box.replaceChildren();
    const chart = bigChart(charts, box, view);
    add = chart.add;
    const points = await earlier();
    const { ts, ageMs } = view.client.status(view.topic);
    const ahead = ts + (ageMs ?? 0) - Date.now(); // the server's clock
    chart.addEarlier(points.map(({ at, value }) => ({ at: at - ahead, value })));
    fromRing = points.length > 0 && points[0].at - ahead < since;
    if (fromRing) since = points[0].at - ahead;
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
      return view.hasData ? `last ${showAge(Math.max(1000, Date.now() - since))}, ${fromRing ? "from the server's ring and live" : "while this page was open"}` : "";
    },
  };
}
