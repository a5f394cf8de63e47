// What a page goes through: hidden, frozen, kept for the way back, on another network. No price is shown as fresh that is not.
import assert from "node:assert/strict";
import test, { afterEach, beforeEach } from "node:test";
import { connect } from "../../../web/client.js";
import { BACKOFF_MS_FIRST, BACKOFF_MS_MAX, PROBE_MS_MAX } from "../../../web/connection.js";
import { HIDDEN_MS } from "../../../web/lifecycle.js";
import { FakeSocket, clock, settle } from "./fakes.mjs";

class FakePage extends EventTarget {
  hidden = false;
  baseURI = "http://site/";
  show(hidden) {
    this.hidden = hidden;
    this.dispatchEvent(new Event("visibilitychange"));
  }
}

let page, windowEvents;
beforeEach(() => {
  page = globalThis.document = new FakePage();
  windowEvents = new EventTarget();
  globalThis.addEventListener = (...args) => windowEvents.addEventListener(...args);
});
afterEach(() => {
  delete globalThis.document;
  delete globalThis.addEventListener;
});
const happen = (name, fields = {}) => windowEvents.dispatchEvent(Object.assign(new Event(name), fields));

const snapshot = (topic, seq, more = {}) => ({ type: "snapshot", topic, seq, ts: clock.now, status: "live", data: { last: String(seq) }, ...more });

async function fresh(options) {
  const client = connect("ws://h/ws", options);
  FakeSocket.last.welcome();
  client.subscribe(["v.1", "e.1"]);
  await settle();
  FakeSocket.last.say(snapshot("v.1", 5));
  FakeSocket.last.say(snapshot("e.1", 7, { delivery: "event" }));
  return client;
}
const sockets = () => FakeSocket.all.length;
const isFresh = (client) => client.status("v.1").fresh;
async function beating(ms) {
  for (const end = clock.monotonic + ms; clock.monotonic < end; await clock.advance(Math.min(5_000, end - clock.monotonic))) FakeSocket.last.say({ type: "heartbeat", ts: clock.now });
}

test("a page that is hidden for a while keeps its connection, one that stays hidden costs nothing", async () => {
  const client = await fresh();
  page.show(true);
  await beating(HIDDEN_MS - 1);
  assert.equal(client.state, "open");
  page.show(false);
  await beating(2 * HIDDEN_MS);
  assert.equal(client.state, "open", "shown in time");
  page.show(true);
  await beating(HIDDEN_MS);
  assert.deepEqual([client.state, FakeSocket.last.closed, isFresh(client), clock.timers], ["paused", true, false, 0]);
  await clock.advance(3_600_000);
  assert.equal(sockets(), 1);
});

test("on return values begin with a snapshot, events continue, and nothing is fresh before", async () => {
  const client = await fresh();
  page.show(true);
  await beating(HIDDEN_MS);
  page.show(false);
  assert.deepEqual([client.state, sockets(), client.status("v.1").status], ["connecting", 2, "stale"]);
  FakeSocket.last.welcome();
  await settle();
  const [command] = FakeSocket.last.commands("subscribe");
  assert.deepEqual([command.topics, command.since], [["v.1", "e.1"], { "e.1": 7 }]);
  assert.equal(isFresh(client), false);
  FakeSocket.last.say(snapshot("v.1", 90));
  assert.equal(isFresh(client), true);
  FakeSocket.last.drop();
  await clock.advance(BACKOFF_MS_MAX);
  FakeSocket.last.welcome();
  await settle();
  assert.deepEqual(FakeSocket.last.commands("subscribe")[0].since, { "v.1": 90, "e.1": 7 }, "a lost connection is no pause");
});

test("a page that says so goes on while hidden", async () => {
  const client = await fresh({ pauseHidden: false });
  page.show(true);
  await beating(3 * HIDDEN_MS);
  assert.equal(client.state, "open");
});

test("a page opened in the background waits, too", async () => {
  page.hidden = true;
  const client = connect("ws://h/ws");
  await clock.advance(HIDDEN_MS);
  assert.equal(client.state, "paused");
  page.show(false);
  assert.equal(client.state, "connecting");
});

for (const [away, back] of [["pagehide", "pageshow"], ["freeze", "resume"]]) {
  test(`${away} lets go of the connection, ${back} makes one at once`, async () => {
    const client = await fresh();
    const fire = (name) => (/page/.test(name) ? happen(name, { persisted: true }) : page.dispatchEvent(new Event(name)));
    fire(away);
    assert.deepEqual([client.state, FakeSocket.last.closed, isFresh(client)], ["paused", true, false]);
    fire(back);
    assert.deepEqual([client.state, sockets()], ["connecting", 2]);
  });
}

test("a page that is left for good changes nothing", async () => {
  const client = await fresh();
  happen("pagehide", { persisted: false });
  assert.equal(client.state, "open");
});

test("a page that is shown or online again does not wait for its next attempt", async () => {
  for (const wake of [() => page.show(false), () => happen("online")]) {
    const client = await fresh();
    FakeSocket.last.drop();
    assert.equal(client.state, "away");
    wake();
    assert.equal(client.state, "connecting");
    client.close();
  }
});

for (const name of ["online", "offline"]) {
  test(`${name}: a connection that still answers is kept, another is given up soon`, async () => {
    const client = await fresh();
    happen(name);
    FakeSocket.last.say({ type: "pong", id: FakeSocket.last.commands("ping")[0].id, ts: clock.now });
    await beating(2 * PROBE_MS_MAX);
    assert.equal(client.state, "open");
    happen(name);
    await clock.advance(PROBE_MS_MAX);
    assert.deepEqual([client.state, isFresh(client)], ["away", false]);
  });
}

test("a client that was closed hears nothing of the page", async () => {
  const client = await fresh();
  client.close();
  page.show(true);
  await clock.advance(HIDDEN_MS);
  page.show(false);
  happen("online");
  assert.deepEqual([client.state, sockets(), clock.timers], ["closed", 1, 0]);
});

test("a token is fetched before each connection and sent before anything else", async () => {
  let made = 0;
  const client = connect("ws://h/ws", { token: async () => `t${++made}` });
  client.subscribe("a.1");
  assert.equal(sockets(), 0, "the token comes first");
  await settle();
  FakeSocket.last.welcome();
  await settle();
  assert.deepEqual(FakeSocket.last.sent.map(({ type, token }) => [type, token]), [["auth", "t1"], ["subscribe", undefined]]);
  FakeSocket.last.drop();
  await clock.advance(BACKOFF_MS_FIRST);
  FakeSocket.last.welcome();
  assert.equal(FakeSocket.last.commands("auth")[0].token, "t2");
  const again = client.auth();
  await settle();
  const { token, id } = FakeSocket.last.commands("auth")[1];
  FakeSocket.last.say({ type: "ack", id });
  assert.deepEqual([token, await again], ["t3", { judged: true }]);
});

test("a token that cannot be fetched is fetched again, and an attempt that was overtaken makes no connection", async () => {
  const errors = [], late = [];
  globalThis.reportError = (error) => errors.push(error.message);
  let fails = true;
  const client = connect("ws://h/ws", { token: () => (fails ? Promise.reject(new Error("no login")) : new Promise((give) => late.push(give))) });
  await settle();
  assert.deepEqual([client.state, errors, sockets()], ["away", ["no login"], 0]);
  fails = false;
  await clock.advance(BACKOFF_MS_MAX);
  page.show(true);
  await clock.advance(HIDDEN_MS);
  late.shift()("old");
  await settle();
  assert.deepEqual([client.state, sockets()], ["paused", 0]);
  page.show(false);
  late.at(-1)("new");
  await settle();
  assert.deepEqual([client.state, sockets()], ["connecting", 1]);
  delete globalThis.reportError;
});

test("an address that can never work is said at once, with a token function, too", () => {
  assert.throws(() => connect("ftp://h", { token: () => "t" }), SyntaxError);
});
