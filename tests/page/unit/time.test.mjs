// Time in the browser: what is measured, what happens when a clock jumps, when answers never come.
import assert from "node:assert/strict";
import test from "node:test";
import { connect } from "../../../web/client.js";
import { ANSWER_MS_MAX, Connection, PARTING_MS_MAX, SYNC_MS, WATCH_MS } from "../../../web/connection.js";
import "../../../web/publish.js"; // so that a publish does not wait for it
import { FakeSocket, clock, settle } from "./fakes.mjs";

const snapshot = (topic, seq, ts = clock.now) => ({ type: "snapshot", topic, seq, ts, status: "live", data: { last: "1" } });

// A client with one fresh topic.
async function fresh() {
  const client = connect("ws://h/ws");
  FakeSocket.last.welcome({ ts: clock.now + 90_000 }); // the server's clock is ahead
  client.subscribe("a.1");
  await settle();
  FakeSocket.last.say(snapshot("a.1", 1, clock.now + 80_000));
  assert.deepEqual([client.status("a.1").fresh, client.status("a.1").ageMs], [true, 10_000]);
  return client;
}

const jumps = {
  "set back by an hour": -3_600_000,
  "set forward by a day": 86_400_000,
  "set forward by what a sleep of two seconds takes": 2_000,
};

for (const [name, ms] of Object.entries(jumps)) {
  test(`a clock ${name}: all is stale and has no age until it is confirmed over a new connection`, async () => {
    const client = await fresh();
    const states = [];
    client.addEventListener("state", ({ state, reason }) => states.push([state, reason]));
    clock.now += ms;
    const { status, fresh: isFresh, ageMs } = client.status("a.1");
    assert.deepEqual([status, isFresh, ageMs], ["stale", false, null], "at once, before any timer");
    await clock.advance(WATCH_MS);
    assert.deepEqual(states[0], ["away", "a clock was set, or the computer slept"]);
    assert.equal(client.status("a.1").ageMs, null);
    await clock.advance(1_000);
    FakeSocket.last.welcome({ ts: clock.now - ms + 90_000 });
    assert.deepEqual([client.status("a.1").fresh, client.status("a.1").ageMs > 10_000], [false, true], "the server's time is known again");
    FakeSocket.last.say(snapshot("a.1", 2, clock.now - ms + 90_000));
    assert.deepEqual([client.status("a.1").status, client.status("a.1").fresh, client.status("a.1").ageMs], ["live", true, 0]);
  });
}

test("what was on its way while the computer slept confirms nothing", async () => {
  const client = await fresh();
  clock.now += 3_600_000;
  FakeSocket.last.say({ type: "update", topic: "a.1", seq: 2, ts: clock.now, data: { last: "2" } });
  assert.deepEqual([client.state, client.status("a.1").fresh], ["away", false]);
});

test("clocks that creep apart are no jump", async () => {
  const client = await fresh();
  for (let i = 0; i < 100; i++) {
    clock.now += PARTING_MS_MAX / 10;
    await clock.advance(WATCH_MS);
    FakeSocket.last.say({ type: "heartbeat", ts: clock.monotonic });
  }
  assert.equal(client.state, "open");
});

test("a busy connection gets the server's time, too: it is asked for", async () => {
  const client = await fresh();
  let seq = 1;
  for (let ms = 0; ms < SYNC_MS; ms += WATCH_MS) {
    await clock.advance(WATCH_MS);
    FakeSocket.last.say({ type: "update", topic: "a.1", seq: ++seq, ts: clock.now, data: {} });
  }
  const pings = FakeSocket.last.commands("ping");
  assert.equal(pings.length, 1);
  FakeSocket.last.say({ type: "pong", id: pings[0].id, ts: clock.now });
  FakeSocket.last.say({ type: "update", topic: "a.1", seq: seq + 1, ts: clock.now - 700, data: {} });
  assert.equal(client.status("a.1").ageMs, 700, "the server's clock is not ahead any more");
});

test("a publish without an answer rejects in time, and leaves nothing behind", async () => {
  const client = await fresh();
  const before = clock.timers;
  const sent = client.publish("chat.lobby", { text: "hi" });
  const rejected = assert.rejects(sent, { code: "unavailable", retryable: true, message: "no answer in 10 s" });
  await settle();
  const [{ id }] = FakeSocket.last.commands("publish");
  for (let ms = 0; ms < ANSWER_MS_MAX; ms += WATCH_MS) {
    await clock.advance(WATCH_MS);
    FakeSocket.last.say({ type: "heartbeat", ts: clock.now });
  }
  await rejected;
  const errors = [];
  client.addEventListener("error", ({ error }) => errors.push(error));
  FakeSocket.last.say({ type: "error", id, code: "denied", message: "late" });
  assert.deepEqual([client.state, clock.timers, errors], ["open", before, []]);
});

test("an address that cannot work leaves no timer", () => {
  for (const url of ["ftp://h", "ws://", "mailto:x", "ws://h:99999/ws"]) {
    assert.throws(() => new Connection(url, () => {}, () => {}));
    assert.equal(clock.timers, 0, url);
  }
});

test("a function that cannot make an address is asked again", async () => {
  const faults = [];
  globalThis.reportError = (error) => faults.push(error.message);
  let broken = false;
  const client = connect(() => {
    if (broken) throw new Error("no token");
    return "ws://h/ws";
  });
  FakeSocket.last.welcome();
  broken = true;
  FakeSocket.last.drop();
  await clock.advance(5_000);
  assert.equal(client.state, "away");
  assert.ok(faults.length >= 2 && faults.every((text) => text === "no token"));
  broken = false;
  while (FakeSocket.all.length < 2) await clock.advance(100);
  FakeSocket.last.welcome();
  delete globalThis.reportError;
  assert.equal(client.state, "open");
});
