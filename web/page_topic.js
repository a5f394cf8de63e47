// A topic's own page, /topic?name=ticker.BTC-USD: its price, a chart, its image, its last updates, how its status went, and how to use it.
import { clock, localize, showAge } from "./format.js";
import { volumeOf } from "./figures.js";
import { keepDrawn, onNextFrame, setText } from "./frame.js";
import { Painter } from "./looks.js";
import { faultOf } from "./limits.js";
import { drawChart } from "./page_chart.js";
import { copy, find, frame, lineIcon, tabs } from "./page_frame.js";
import { readRing } from "./page_ring.js";
import { parts, show } from "./quote.js";
import { share } from "./share.js";
import { TopicView, baseWords } from "./topic_view.js";

/** @import { Update } from "./subscription.js" */

const EVENTS_MAX = 14;
const STATUSES_MAX = 6;
const FIELDS_MAX = 60;
const VALUE_CHARS_MAX = 300;

const topic = new URLSearchParams(location.search).get("name") ?? "";
const { channel, symbol, venue } = parts(topic);
const { client } = share();
const style = { locale: document.documentElement.lang };
const view = new TopicView(client, topic, { style });
frame(client, "");
document.title = `${symbol} · tickwire`;
setText(find("#heading"), [symbol, venue].filter(Boolean).join(" on "));
setText(find("#name"), topic);
setText(find("#channel"), channel);
/** @type {HTMLAnchorElement} */ (find("#channel")).href = `./?channel=${encodeURIComponent(channel)}`;
find("#copyname").innerHTML = lineIcon("copy");
find("#copyname").onclick = () => copy(find("#copyname"), topic);

const quote = find("#quote");
const painter = new Painter(quote);
const token = new URLSearchParams(location.hash.slice(1)).get("token");
const src = new URL("tickwire.js", location.href).href, server = new URL("./", location.href).href.replace(/\/$/, "");
const socket = `${server.replace(/^http/, "ws")}/ws`;
const chart = drawChart(find("#chart"), view, () => readRing(socket, topic, { ...client.status(topic), epoch: client.epoch, token }));
const changedAt = /** @type {Map<string, number>} */ (new Map()); // field -> server's time of its last change
const waiting = /** @type {Update[]} */ ([]);
const statuses = /** @type {{status: string, at: number}[]} */ ([]);
let held = 0, high = -Infinity, low = Infinity;
/** @type {import("./topic.js").Image} */
let before = {};

/** @param {Update} update */
function onUpdate(update) {
  const { kind, image, ts, status, seq } = update;
  for (const [name, value] of Object.entries(image)) if (JSON.stringify(before[name]) !== JSON.stringify(value)) changedAt.set(name, kind === "snapshot" && !(name in before) ? NaN : ts);
  before = image;
  if ((kind === "update" || kind === "snapshot") && seq > 0) {
    held++;
    waiting.push(update);
    if (waiting.length > EVENTS_MAX) waiting.shift();
  }
  note(status);
  onNextFrame(page);
}

/** Keeps how the status went, while the page looked. @param {string} status */
function note(status) {
  if (statuses[0]?.status === status || status === "unknown") return;
  statuses.unshift({ status, at: Date.now() });
  statuses.length = Math.min(statuses.length, STATUSES_MAX);
}

const page = {
  render() {
    const { quote: figures } = view;
    view.render();
    note(view.status);
    painter.draw(view);
    setText(find("#base"), view.hasData ? [figures.percent && figures.change, baseWords(figures.base)].filter(Boolean).join(" ") : "");
    for (const name of ["bid", "ask", "spread"]) setText(find(`#${name}`), view.figure(name));
    setText(find("#volume"), volumeOf(view));
    drawRange();
    setText(find("#seq"), view.hasData ? `update ${localize(String(client.status(topic).seq), style)}` : "");
    setText(find("#window"), chart.draw());
    drawImage();
    drawEvents();
    drawStatuses();
  },
};

/** Highest and lowest since the page was opened; the digits are those that were sent. */
function drawRange() {
  const { value, last } = view.quote;
  if (view.hasData && value > high) {
    high = value;
    setText(find("#high"), localize(last, style));
  }
  if (view.hasData && value < low) {
    low = value;
    setText(find("#low"), localize(last, style));
  }
  if (!view.hasData) for (const name of ["#high", "#low"]) setText(find(name), "–");
}

/** @param {unknown} value */
function spell(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > VALUE_CHARS_MAX ? `${text.slice(0, VALUE_CHARS_MAX)}…` : text || " ";
}

function drawImage() {
  const body = /** @type {HTMLTableSectionElement} */ (find("#image tbody"));
  const fields = Object.entries(view.hasData ? client.images.get(topic) ?? {} : {}), more = fields.length - FIELDS_MAX;
  if (more > 0) fields.splice(FIELDS_MAX, Infinity, ["…", `and ${more} more fields`]);
  while (body.rows.length > fields.length) body.deleteRow(-1);
  for (const [i, [name, value]] of fields.entries()) {
    const row = body.rows[i] ?? body.insertRow();
    const ms = Date.now() - (changedAt.get(name) ?? NaN);
    for (const [j, text] of [spell(name), spell(value), ms >= 2_000 ? `${showAge(ms)} ago` : ""].entries()) setText(row.cells[j] ?? row.insertCell(), text);
  }
}

function drawEvents() {
  const list = find("#events");
  const reading = list.matches(":hover, :focus-within");
  setText(find("#held"), reading && held ? `${held} newer` : "newest first");
  if (reading) return;
  held = 0;
  for (const { ts, seq, kind, data = {} } of waiting.splice(0)) {
    const line = list.children.length >= EVENTS_MAX ? /** @type {Element} */ (list.lastElementChild) : document.createElement("li");
    if (!line.firstChild) line.append(...["time", "i", "span", "em"].map((tag) => document.createElement(tag)));
    const price = data.last ?? data.price;
    const texts = [clock(ts, style, true), localize(String(seq), style), price === undefined ? "" : show(price), kind === "snapshot" ? "snapshot" : Object.keys(data).join(" ")];
    texts.forEach((text, i) => setText(line.children[i], text));
    list.prepend(line);
  }
}

function drawStatuses() {
  const list = find("#history");
  statuses.forEach(({ status, at }, i) => {
    const line = list.children[i] ?? list.appendChild(document.createElement("li"));
    if (!line.firstChild) line.append(document.createElement("time"), document.createElement("span"));
    setText(line.children[0], clock(at, style, true));
    setText(line.children[1], i ? `${status} for ${showAge(statuses[i - 1].at - at)}` : `${status} since then`);
  });
}

// The name comes from the address, and what is copied runs elsewhere: one that no topic can have is in no code.
if (faultOf(topic, {})) find("#use").hidden = true;
else tabs(find("#snippets"), {
  HTML: `<script type="module" src="${src}"></script>\n<tick-er topics="${topic}"></tick-er>`,
  JavaScript: `import { connect } from "${src}";\n\nconnect("${socket}").subscribe("${topic}", ({ image }) => {\n  console.log(image);\n});`,
  React: `import { useTopic } from "tickwire/react";\n\nexport function Price() {\n  const { image, fresh } = useTopic("${topic}", { src: "${server}" });\n  return <span className={fresh ? "" : "old"}>{image?.last ?? "–"}</span>;\n}`,
  Python: `import asyncio\nimport tickwire\n\nasync def main():\n    async with tickwire.connect("${socket}") as client:\n        async for update in client.subscribe("${topic}"):\n            print(update.topic, update.data)\n\nasyncio.run(main())`,
  CLI: `tickwire sub ${topic} --url ${socket}`,
  curl: `curl ${server}/v1/snapshot/${topic}`,
});
if (token) client.auth(token).catch(() => {}); // the event says so
client.addEventListener("state", () => onNextFrame(page));
client.addEventListener("error", () => onNextFrame(page));
client.subscribe(topic, { onUpdate });
keepDrawn(page);
