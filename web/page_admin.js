// The page of the admin listener: what /health, /v1/sessions and /metrics say, every two seconds, and what an administrator may do.
import { setText } from "./frame.js";
import { showAge } from "./format.js";
import { setIcon } from "./looks.js";
import { acted, drawActs } from "./page_actions.js";
import { bar, find } from "./page_frame.js";
import { parseMetrics, quantile, total } from "./page_prometheus.js";

/** @import { Act } from "./page_actions.js" */
/** @import { Metrics } from "./page_prometheus.js" */
/** @typedef {Record<string, any>} Facts an answer, parsed */
/** @typedef {{text?: string, className?: string, acts?: Act[]}} Cell */
/** @typedef {{health: Facts, sessions: Facts, halts: Facts, metrics: Metrics, at: number}} Reading */

const EVERY_MS = 2_000;
const SESSIONS_MAX = 50;
const TOKEN_KEY = "tickwire-admin-token";

const count = (/** @type {number} */ number) => number.toLocaleString("en", { maximumFractionDigits: number < 10 ? 1 : 0 });
const short = (/** @type {number} */ number) => number.toLocaleString("en", { notation: "compact", maximumFractionDigits: 1 });
const bytes = (/** @type {number} */ number) => short(number).replace(/([KMBT]?)$/, (unit) => `\u202f${{ K: "k", B: "G" }[unit] ?? unit}B`);
const seconds = (/** @type {number} */ s) => (Number.isNaN(s) ? "–" : s === Infinity ? "> 10 s" : s < 1 ? `${count(s * 1000)} ms` : `${count(s)} s`);

let first = /** @type {Reading | undefined} */ (undefined);
let last = /** @type {Reading | undefined} */ (undefined);
let timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
let token = sessionStorage.getItem(TOKEN_KEY) ?? "";

/** @param {string} path @param {RequestInit} [how] */
async function ask(path, how) {
  const answer = await fetch(path, { headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" }, cache: "no-store", ...how });
  if (answer.status === 403) throw Object.assign(new Error((await answer.json()).error.message), { denied: true });
  return answer;
}

/** Has it done, and says what became of it. @param {Act} act */
async function perform({ path, body, done }) {
  const answer = await ask(path, { method: "POST", body: JSON.stringify(body) }).then((found) => found.json()).catch(({ message }) => ({ error: { message } }));
  find("#done").hidden = false;
  setText(find("#done"), answer.error ? `It was not done: ${answer.error.message}` : done(answer));
  look();
}

/** @returns {Promise<Reading>} */
async function read() {
  const [health, sessions, halts, metrics] = await Promise.all([ask("health"), ask(`v1/sessions?limit=${SESSIONS_MAX}`), ask("v1/halts"), ask("metrics")]);
  return { health: await health.json(), sessions: await sessions.json(), halts: await halts.json(), metrics: parseMetrics(await metrics.text()), at: performance.now() };
}

async function look() {
  clearTimeout(timer);
  if (document.hidden) return;
  try {
    const reading = await read();
    sessionStorage.setItem(TOKEN_KEY, token);
    first ??= reading;
    draw(reading, last ?? reading);
    last = reading;
  } catch (error) {
    const { denied, message } = /** @type {Error & {denied?: boolean}} */ (error);
    if (denied) return refuse(message);
    notice([`The server does not answer. What stands here is ${last ? `${showAge(performance.now() - last.at)} old` : "not known"}.`]);
    pill("stale", "No answer");
  }
  timer = setTimeout(look, EVERY_MS);
}

/** @param {string} why */
function refuse(why) {
  find("#plant").hidden = true;
  find("#door").hidden = false;
  const known = why.startsWith("Authorization");
  find("#denied").textContent = known ? (token ? "The token is not the server's." : "") : why;
  token = "";
  sessionStorage.removeItem(TOKEN_KEY);
  pill("none", "Token needed");
}

/** @param {string} state @param {string} words */
function pill(state, words) {
  find("#connection").dataset.state = state;
  setIcon(find("#connection svg"), state);
  setText(find("#connection b"), words);
}

/** @param {string[]} sentences */
function notice(sentences) {
  find("#notice").hidden = !sentences.length;
  setText(find("#notice"), sentences.join(" "));
}

// --- what is drawn

/** Rows are known by their first cell, and stay while it does: a button keeps its focus. @param {string} id @param {Cell[][]} rows @param {string} nothing said where there is no row */
function table(id, rows, nothing) {
  const heads = [...document.querySelectorAll(`#${id} thead th`)];
  const body = /** @type {HTMLTableSectionElement} */ (find(`#${id} tbody`));
  const drawn = new Map([...body.rows].map((row) => [row.cells[0].textContent, row]));
  const made = (rows.length ? rows : [[{ text: nothing, className: "nothing" }]]).map((cells) => {
    const row = drawn.get(cells[0].text ?? "") ?? document.createElement("tr");
    cells.forEach(({ text = "", className = "", acts }, i) => {
      const cell = row.cells[i] ?? row.insertCell();
      cell.className = `${heads[i].className} ${className}`.trim();
      cell.dataset.head = heads[i].textContent ?? "";
      if (acts) drawActs(cell, acts);
      else setText(cell, text);
      if (!rows.length) cell.colSpan = heads.length;
    });
    return row;
  });
  made.forEach((row, i) => body.rows[i] !== row && body.insertBefore(row, body.rows[i] ?? null));
  while (body.rows.length > made.length) body.deleteRow(-1);
}

/** @param {string} id @param {[string, string, string?, number?][]} facts name, value, unit, and a share that a bar shows */
function list(id, facts) {
  const items = facts.flatMap(([name, value, unit = "", share]) => {
    const dt = document.createElement("dt"), dd = document.createElement("dd"), small = document.createElement("small");
    dt.textContent = name;
    small.textContent = unit && ` ${unit}`;
    dd.append(value, small);
    if (share !== undefined) {
      const gauge = document.createElement("span");
      gauge.className = `bar${share > 0.85 ? " hot" : ""}`;
      gauge.append(document.createElement("b"));
      /** @type {HTMLElement} */ (gauge.firstChild).style.width = `${Math.min(100, share * 100)}%`;
      dd.append(gauge);
    }
    return [dt, dd];
  });
  return { items, box: find(id) };
}

/** @param {Reading} now @param {Reading} before */
function drawTiles(now, before) {
  const s = Math.max(0.001, (now.at - before.at) / 1000);
  const rate = (/** @type {string} */ name, write = short) => (now === before ? "–" : write(Math.max(0, total(now.metrics, name) - total(before.metrics, name)) / s));
  const behind = now.sessions.sessions.filter((/** @type {Facts} */ session) => session.behind > 0).length;
  const { items, box } = list("#tiles", [
    ["Sessions", count(now.health.sessions)],
    ["Behind now", count(behind) + (behind === SESSIONS_MAX ? " or more" : "")],
    ["Updates in", rate("tickwire_published_total"), "/s"],
    ["Messages out", rate("tickwire_messages_total"), "/s"],
    ["Bytes out", rate("tickwire_bytes_total", bytes), "/s"],
    ["Age at write, 99 %", seconds(quantile(before.metrics, now.metrics, "tickwire_age_at_write_seconds", 0.99))],
  ]);
  box.replaceChildren(...Array.from({ length: items.length / 2 }, (_, i) => {
    const tile = document.createElement("div");
    tile.append(items[2 * i], items[2 * i + 1]);
    return tile;
  }));
}

const until = (/** @type {number} */ ms) => new Date(ms).toISOString().slice(0, 16).replace("T", " ");
const ended = (/** @type {number} */ sessions) => (sessions === 1 ? "1 session ended." : `${count(sessions)} sessions ended.`);

/** @param {Facts} session @returns {Act[]} */
function sessionActs({ session, subject, remote }) {
  if (remote === "local") return [];
  /** @type {Act[]} */
  const acts = [{ name: "Disconnect", path: "v1/disconnect", body: { session }, done: ({ sessions }) => `${ended(sessions)} Its client may come back at once.` }];
  const revoke = { name: "Revoke", path: "v1/revoke", body: { subject }, done: (/** @type {Facts} */ answer) => `${ended(answer.sessions)} Tokens of ${subject} that were issued before are refused until ${until(answer.until)} UTC${answer.kept_in === "store" ? "" : ", or until the server restarts"}.` };
  return subject ? [...acts, revoke] : acts;
}

/** @param {string} plugin @returns {Act[]} */
const pluginActs = (plugin) => [{ name: "Restart", path: "v1/restart_plugin", body: { plugin }, done: () => `The feeds of ${plugin} start again.` }];

/** @param {Facts} answer */
const halted = ({ topic, until: end, kept_in }) => `${topic} is halted until ${end ? `${until(end)} UTC` : "you end it"}${kept_in === "store" ? "" : ", or until the server restarts"}.`;

/** @param {string} topic @returns {Act[]} */
const haltActs = (topic) => [{ name: "End halt", path: "v1/end_halt", body: { topic }, done: ({ withheld }) => `${topic} goes on; ${count(withheld)} updates came meanwhile.` }];

/** @param {Facts} halts */
function drawHalts({ halts }) {
  table("halts", halts.map((/** @type {Facts} */ { topic, reason, until: end, withheld }) => [{ text: topic, className: "mono" }, { text: reason }, { text: end ? `${until(end)} UTC` : "it is ended" }, { text: count(withheld) }, { className: "acts", acts: haltActs(topic) }]), "No topic is halted.");
}

/** @param {Facts} sessions */
function drawSessions({ total: all, sessions }) {
  setText(find("#some"), all > sessions.length ? `${sessions.length} of ${count(all)}, worst first` : "worst first");
  const rows = [...sessions].sort((a, b) => b.behind - a.behind || b.conflated - a.conflated || b.bytes - a.bytes).map((each) => [
    { text: each.session, className: "mono" },
    { text: each.subject, className: "who" },
    { text: each.remote, className: "mono" },
    { text: each.compression === "none" ? each.format : `${each.format}, deflate` },
    ...[each.exact, each.patterns].map((number) => ({ text: count(number) })),
    { text: each.behind ? `${count(each.behind)} topics, ${seconds(each.behind_ms / 1000)}` : "no", className: each.behind ? "old" : "" },
    ...[each.conflated, each.gaps].map((number) => ({ text: count(number) })),
    { text: short(each.messages) },
    { text: bytes(each.bytes) },
    { text: showAge(each.connected_s * 1000) },
    { className: "acts", acts: sessionActs(each) },
  ]);
  table("sessions", rows, "Nobody is connected.");
}

/** @param {Reading} now */
function drawLimits({ metrics }) {
  const hits = ["tickwire_limited_total", "tickwire_refused_total"].flatMap((name) => [...(metrics.get(name) ?? [])].map(([limit, times]) => ({ limit, times, news: times - (first?.metrics.get(name)?.get(limit) ?? 0) })));
  const rows = hits.filter(({ times }) => times).sort((a, b) => b.news - a.news || b.times - a.times);
  table("limits", rows.map(({ limit, times, news }) => [{ text: limit, className: "mono" }, { text: count(times) }, { text: count(news), className: news ? "old" : "" }]), "No limit was in the way of anybody.");
}

/** @param {Reading} now */
function drawFacts({ health, metrics }) {
  const [memory, limit] = ["tickwire_memory_bytes", "tickwire_memory_limit_bytes"].map((name) => total(metrics, name));
  const { flushes, rows, failures } = health.store_stats;
  const expires = health.certificate_expires && new Date(health.certificate_expires * 1000).toISOString().slice(0, 10);
  const { items, box } = list("#facts", [
    ["Store", health.store],
    ["Written", `${count(rows)} topics in ${count(flushes)} transactions`],
    ["Failed writes", count(failures)],
    ["Topics", `${count(health.topics)}, ${count(health.stale)} stale`],
    ["Memory", limit ? `${bytes(memory)} of ${bytes(limit)}` : bytes(memory), "", limit ? memory / limit : undefined],
    ["Address", health.address],
    .../** @type {[string, string][]} */ (expires ? [["Certificate until", expires]] : []),
    ["Server", health.server],
    ["Epoch", health.epoch],
  ]);
  box.replaceChildren(...items);
}

/** @param {Facts} health */
function worries(health) {
  const said = [];
  if (health.status === "stalled") said.push("A loop stands still: its clients get nothing. The log says what it was doing.");
  if (health.status === "draining") said.push("The server is going away.");
  if (health.store === "degraded") said.push("The store cannot be written; live data is not affected.");
  for (const [name, { state }] of Object.entries(health.plugins)) if (/blocked|backoff/.test(state)) said.push(`${name} is ${state === "backoff" ? "waiting to start again after an error" : "blocked"}; the log has the reason.`);
  return said.slice(0, 5);
}

/** @param {Reading} now @param {Reading} before */
function draw(now, before) {
  const { health } = now;
  find("#door").hidden = true;
  find("#plant").hidden = false;
  const said = worries(health);
  pill(said.length ? "stale" : "live", health.status !== "ok" ? health.status : said.length ? "Needs a look" : "All is well");
  notice(said);
  drawTiles(now, before);
  drawSessions(now.sessions);
  drawHalts(now.halts);
  const plugins = Object.entries(health.plugins).sort(([, a], [, b]) => b.errors - a.errors);
  const look = (/** @type {string} */ state) => (state === "running" ? "ok" : /blocked|backoff/.test(state) ? "bad" : "");
  table("feeds", plugins.map(([name, { state, restarts, errors }]) => [{ text: name }, { text: state, className: look(state) }, { text: count(restarts) }, { text: count(errors), className: errors ? "bad" : "" }, { className: "acts", acts: pluginActs(name) }]), "No plugin is loaded.");
  table("loops", health.loops.map((/** @type {Facts} */ { turning, at, stood_ms }, /** @type {number} */ i) => [{ text: String(i) }, { text: turning ? "turns" : `stands for ${seconds(stood_ms / 1000)}`, className: turning ? "ok" : "bad" }, { text: at }]), "No loop is watched.");
  drawLimits(now);
  drawFacts(now);
}

bar("Admin", []);
find("#door").addEventListener("submit", (event) => {
  event.preventDefault();
  token = /** @type {HTMLInputElement} */ (find("#door input")).value;
  look();
});
find("#level").addEventListener("change", ({ target }) => {
  const { value } = /** @type {HTMLSelectElement} */ (target);
  if (value) perform({ name: "", path: "v1/log_level", body: { level: value }, done: ({ level }) => `The server logs from ${level} on, until it reads its configuration again.` });
});
drawActs(find("#drain"), [{ name: "Drain", path: "v1/drain", body: {}, done: () => "Every client is told to go to another server, and no new one is taken. The server runs on until it is stopped." }]);
const form = /** @type {HTMLFormElement} */ (find("#halt"));
form.addEventListener("input", () => {
  const { topic, reason, minutes } = Object.fromEntries(new FormData(form));
  const body = { topic: String(topic), reason: String(reason), ...(minutes ? { until: Date.now() + Number(minutes) * 60_000 } : {}) };
  drawActs(find(".acts", form), form.checkValidity() ? [{ name: "Halt", path: "v1/halt", body, done: halted }] : []);
});
form.addEventListener("submit", (event) => event.preventDefault());
acted(document, perform);
document.addEventListener("visibilitychange", look);
look();
