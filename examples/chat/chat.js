// A chat over topics: chat.<room>.<author>, one topic for each author of a room, so that the plant knows who may write what.
//
// What others publish is not to be trusted beyond its topic: kinds that are not known are left out, and texts are cut and are text.
import { share } from "http://localhost:8080/tickwire.js";

const TEXT_MAX = 500;
const ROWS_MAX = 300;
const HISTORY = 50; // messages of each author that a late joiner gets
const WORDS = { join: "joined", leave: "left" };

const one = (selector) => document.querySelector(selector);
const [login, chat, list, write] = ["#login", "#chat", "#messages", "#write"].map(one);
let me, client, room, subscription;
let messages = [];
let frame = 0;

function say(form, text = "") {
  form.closest("#login, #chat").querySelector(".bad").textContent = text;
}

function node(name, text = "", className = "") {
  return Object.assign(document.createElement(name), { textContent: text, className });
}

// --- what is shown

function author({ topic }) {
  return topic.split(".").at(-1);
}

/** One line: a text, somebody who came or went, or applause, which counts together until something else is said. */
function line({ kind, by, ts, text, from }) {
  const item = node("li", "", kind);
  if (kind === "text") {
    if (by === me.name) item.classList.add("mine");
    item.append(node("b", by), node("time", new Date(ts).toLocaleTimeString("en-GB", { timeStyle: "short" })), node("p", text));
  } else if (kind === "applause") item.append(one("#applaud svg").cloneNode(true), node("span", [...new Set(from)].slice(0, 3).join(", ") + (from.length > 1 ? `, ${from.length} times` : "")));
  else item.textContent = `${by} ${WORDS[kind]}`;
  return item;
}

/** @returns lines of messages in the order of the plant's time */
function lines() {
  const made = [];
  for (const { data, ts, ...message } of messages) {
    const by = author(message), before = made.at(-1);
    if (data.kind === "applause" && before?.kind === "applause") before.from.push(by);
    else if (data.kind === "applause") made.push({ kind: "applause", from: [by] });
    else if (Object.hasOwn(WORDS, data.kind)) made.push({ kind: data.kind, by });
    else if (data.kind === "text" && typeof data.text === "string") made.push({ kind: "text", by, ts, text: data.text.slice(0, TEXT_MAX) });
  }
  return made;
}

function draw() {
  frame = 0;
  messages = messages.sort((a, b) => a.ts - b.ts).slice(-ROWS_MAX);
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.replaceChildren(...lines().map(line));
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function onUpdate(update) {
  if (!update.data) return; // a status
  messages.push(update);
  frame ||= requestAnimationFrame(draw);
}

// --- what is said

async function publish(data) {
  try {
    await client.publish(`chat.${room}.${me.name}`, data);
    say(write);
    return true;
  } catch (error) {
    say(write, `Not sent: ${error.message}`);
    return false;
  }
}

function enter(name) {
  if (subscription) {
    publish({ kind: "leave" });
    subscription.close();
  }
  room = name;
  messages = [];
  draw();
  for (const button of one("#rooms").children) button.ariaPressed = String(button.value === room);
  subscription = client.subscribe(`chat.${room}.*`, { last: HISTORY, onUpdate });
  publish({ kind: "join" });
}

// --- who is here

/** The client has one token for its life, so elements and this script share it. */
async function start(member) {
  me = member;
  sessionStorage.setItem("member", JSON.stringify(me));
  client = share(undefined, { token: me.token }).client;
  client.addEventListener("error", ({ error }) => error.code === "denied" && logOut());
  client.addEventListener("resume", ({ topic }) => topic || ((messages = []), draw())); // the plant has a new history
  one("#rooms").replaceChildren(...me.rooms.map((name) => Object.assign(node("button", name), { value: name, onclick: () => name !== room && enter(name) })));
  login.hidden = true;
  chat.hidden = one("#me").hidden = false;
  one("header").append(node("tick-status")); // not before: it would share a client without the token
  one("#me").textContent = me.name;
  if (client.state !== "open") await new Promise((resolve) => client.addEventListener("state", ({ state }) => state === "open" && resolve()));
  enter(me.rooms[0]);
  write.elements.text.focus();
}

function logOut() {
  sessionStorage.removeItem("member");
  location.reload();
}

login.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = JSON.stringify({ name: login.elements.name.value.trim() });
  const answer = await fetch("/login", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  const member = await answer.json();
  if (answer.ok) await start(member);
  else say(login, member.error);
});

write.addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = write.elements.text, text = field.value.trim().slice(0, TEXT_MAX);
  if (text && (await publish({ kind: "text", text }))) field.value = "";
  field.focus();
});

one("#applaud").addEventListener("click", () => publish({ kind: "applause" }));
addEventListener("pagehide", () => subscription && publish({ kind: "leave" })); // as far as the browser still sends it

const member = sessionStorage.getItem("member");
if (member) start(JSON.parse(member));
