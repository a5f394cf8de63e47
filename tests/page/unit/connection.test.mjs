import assert from "node:assert/strict";
import test from "node:test";
import * as connection from "../../../web/connection.js";
import { CLOSE_CODES, shouldReconnect } from "../../../web/codes.js";
import { FakeSocket, clock } from "./fakes.mjs";

const { BACKOFF_MS_FIRST, BACKOFF_MS_MAX, STEADY_MS, TOLD_MS_MAX, WELCOME_MS_MAX, backoffMs } = connection;

function open() {
  const seen = { messages: [], states: [] };
  const made = new connection.Connection("ws://h/ws", (m) => seen.messages.push(m), (s) => seen.states.push(s.state));
  return Object.assign(seen, { made });
}

test("the wait between attempts doubles up to its limit, less up to half of it", () => {
  Math.random = () => 1;
  assert.deepEqual([0, 1, 2].map((attempt) => backoffMs(attempt)), [1, 2, 4].map((n) => n * BACKOFF_MS_FIRST));
  assert.equal(backoffMs(50), BACKOFF_MS_MAX);
  assert.equal(backoffMs(5000), BACKOFF_MS_MAX);
  Math.random = () => 0;
  assert.equal(backoffMs(0), BACKOFF_MS_FIRST / 2);
});

test("close codes from 4500 and those of our own faults end it, all others reconnect", () => {
  for (const code of [1000, 1001, 1005, 1006, 1011, 1012, 1013, 4000, 4001, 4499, 5000]) assert.ok(shouldReconnect(code), code);
  for (const code of [1002, 1007, 1009, 4500, 4501, 4502, 4999]) assert.ok(!shouldReconnect(code), code);
  for (const [code, reconnect] of Object.entries(CLOSE_CODES)) assert.equal(shouldReconnect(Number(code)), reconnect);
});

test("it is open with the welcome, not before", () => {
  const { made, states, messages } = open();
  FakeSocket.last.say({ type: "heartbeat", ts: 1 });
  assert.equal(made.state, "connecting");
  FakeSocket.last.welcome();
  assert.equal(made.state, "open");
  assert.deepEqual(states, ["open"]);
  assert.deepEqual(messages.map(({ type }) => type), ["welcome"]);
  assert.deepEqual(FakeSocket.last.protocols, ["tickwire.v1.json"]);
});

test("a server that takes the connection and never speaks is given up", async () => {
  const { made } = open();
  await clock.advance(WELCOME_MS_MAX - 1);
  assert.equal(made.state, "connecting");
  await clock.advance(1);
  assert.equal(made.state, "away");
  assert.ok(FakeSocket.last.closed);
});

test("two heartbeats of silence end the connection, any message before that keeps it", async () => {
  const { made } = open();
  FakeSocket.last.welcome({ heartbeat_s: 2 });
  await clock.advance(3_999);
  FakeSocket.last.say({ type: "heartbeat", ts: clock.now });
  await clock.advance(3_999);
  assert.equal(made.state, "open");
  await clock.advance(1);
  assert.equal(made.state, "away");
  const [old] = FakeSocket.all;
  await clock.advance(BACKOFF_MS_MAX);
  old.say({ type: "welcome", heartbeat_s: 2 });
  assert.equal(made.state, "connecting", "what the old socket says is not heard");
});

test("failed attempts wait longer and longer, a connection that held starts anew", async () => {
  const { made } = open();
  const waits = [];
  for (let i = 0; i < 4; i++) {
    FakeSocket.last.drop();
    waits.push(made.retryMs);
    await clock.advance(waits.at(-1));
  }
  assert.deepEqual(waits, [1, 2, 4, 8].map((n) => n * BACKOFF_MS_FIRST));
  FakeSocket.last.welcome();
  await clock.advance(STEADY_MS - 1);
  FakeSocket.last.drop();
  assert.equal(made.retryMs, 16 * BACKOFF_MS_FIRST, "it did not hold long enough");
  await clock.advance(16 * BACKOFF_MS_FIRST);
  FakeSocket.last.welcome();
  await clock.advance(STEADY_MS);
  FakeSocket.last.drop();
  assert.equal(made.retryMs, BACKOFF_MS_FIRST);
});

test("a drain says how long to stay away at least, within a limit, and only once", async () => {
  const { made } = open();
  FakeSocket.last.welcome();
  FakeSocket.last.say({ type: "drain", reconnect_after_ms: 7_000 });
  assert.equal(made.state, "open");
  FakeSocket.last.drop(4001);
  assert.equal(made.retryMs, 7_000 + BACKOFF_MS_FIRST);
  await clock.advance(7_000 + BACKOFF_MS_FIRST);
  FakeSocket.last.drop();
  assert.ok(made.retryMs < 7_000);
  await clock.advance(BACKOFF_MS_MAX);
  FakeSocket.last.welcome();
  FakeSocket.last.say({ type: "drain", reconnect_after_ms: 1e9 });
  FakeSocket.last.drop(4001);
  const wait = made.retryMs;
  assert.ok(wait > TOLD_MS_MAX && wait <= TOLD_MS_MAX + BACKOFF_MS_MAX, "a crowd spreads out then, too");
});

test("a drain without a time that can be waited brings nobody back sooner", async () => {
  for (const told of [-100_000, "soon", null, [], {}, undefined]) {
    const { made } = open();
    FakeSocket.last.welcome();
    FakeSocket.last.say({ type: "drain", reconnect_after_ms: told });
    FakeSocket.last.drop(4001);
    assert.equal(made.retryMs, BACKOFF_MS_FIRST, String(told));
  }
});

test("a close that forbids it, and our own, are for good", async () => {
  for (const end of [() => FakeSocket.last.drop(4500, "origin"), (c) => c.made.close()]) {
    const connected = open();
    const before = FakeSocket.all.length;
    FakeSocket.last.welcome();
    end(connected);
    await clock.advance(10 * BACKOFF_MS_MAX);
    assert.equal(connected.made.state, "closed");
    assert.equal(FakeSocket.all.length, before);
  }
});

test("closing from within a state handler stays closed", async () => {
  const made = new connection.Connection("ws://h/ws", () => {}, ({ state }) => state !== "closed" && made.close());
  FakeSocket.last.welcome();
  await clock.advance(10 * BACKOFF_MS_MAX);
  assert.equal(made.state, "closed");
  assert.equal(FakeSocket.all.length, 1);
});

test("what is not JSON ends the connection, and it comes back", async () => {
  const { made } = open();
  FakeSocket.last.welcome();
  FakeSocket.last.say("not json");
  assert.equal(made.state, "away");
  await clock.advance(BACKOFF_MS_MAX);
  FakeSocket.last.welcome();
  FakeSocket.last.say("null");
  assert.equal(made.state, "open");
});

test("a command gets its own answer, or an error when the connection is lost", () => {
  const { made, messages } = open();
  FakeSocket.last.welcome();
  const answers = [];
  made.send({ type: "ping" }, (answer) => answers.push(["a", answer.type]));
  made.send({ type: "ping" }, (answer) => answers.push(["b", answer.type, answer.retryable]));
  FakeSocket.last.say({ type: "pong", id: FakeSocket.last.sent[0].id });
  FakeSocket.last.say({ type: "pong", id: FakeSocket.last.sent[0].id });
  FakeSocket.last.drop();
  assert.deepEqual(answers, [["a", "pong"], ["b", "error", true]]);
  assert.equal(messages.length, 2, "a second answer is nobody's: a message like any other");
});

test("an address that can never work is said at once", () => {
  assert.throws(() => new connection.Connection("ftp://h", () => {}, () => {}), SyntaxError);
});

test("an address may be made anew for each connection", async () => {
  let token = 0;
  new connection.Connection(() => `ws://h/ws?token=${++token}`, () => {}, () => {});
  FakeSocket.last.drop();
  await clock.advance(BACKOFF_MS_FIRST);
  assert.deepEqual(FakeSocket.all.map(({ url }) => url), ["ws://h/ws?token=1", "ws://h/ws?token=2"]);
});
