// What is refused: what is final, what is asked for again, and what it leaves alone.
import assert from "node:assert/strict";
import test from "node:test";
import { RETRY_FIRST } from "../../../web/demand.js";
import { BACKOFF_MS_MAX, TOLD_MS_MAX, backoffMs } from "../../../web/connection.js";
import { connected } from "./connected.mjs";
import { FakeSocket, clock, settle } from "./fakes.mjs";

const wire = (type) => FakeSocket.last.commands(type);
const denied = { code: "denied", message: "no", retryable: false };
const unavailable = { code: "unavailable", message: "later", retryable: true };
const tooMany = { code: "too_many", message: "a session may send 20 commands a second", retryable: true, retry_after_ms: 3_000 };
const snapshot = (topic, seq = 1) => ({ type: "snapshot", topic, seq, ts: clock.now, status: "live", data: { last: String(seq) } });
const update = (topic, seq) => ({ type: "update", topic, seq, ts: clock.now, data: { last: String(seq) } });

async function listening(url) {
  const { client } = await connected({}, url);
  const errors = [];
  client.addEventListener("error", ({ error }) => errors.push([error.topic, error.code]));
  return { client, errors };
}

// Answers the newest subscribe: `error` for each topic in `errors`, else seq 1.
function answer(errors = {}) {
  const { id, topics } = wire("subscribe").at(-1);
  const results = topics.map((topic) => (errors[topic] ? { topic, error: errors[topic] } : { topic, seq: 1 }));
  FakeSocket.last.say({ type: "ack", id, results });
}

const beat = () => FakeSocket.last.say({ type: "heartbeat", ts: clock.now });

// So much time, in which the connection lives.
async function quiet(ms) {
  for (let left = ms; left > 0; left -= 250) {
    beat();
    await clock.advance(Math.min(left, 250));
  }
}

test("what nobody could decide is asked for again, later each time, in one command, and then flows", async () => {
  const { client } = await listening();
  client.subscribe(["a.1", "a.2"]);
  await settle();
  const waits = [];
  for (let i = 0; i < 8; i++) {
    answer({ "a.1": unavailable, "a.2": unavailable });
    assert.deepEqual([client.status("a.1").status, client.status("a.1").fresh], ["unavailable", false]);
    const count = wire("subscribe").length, since = clock.monotonic;
    while (wire("subscribe").length === count) {
      beat();
      await clock.advance(250);
    }
    waits.push(clock.monotonic - since);
    assert.deepEqual(wire("subscribe").at(-1).topics, ["a.1", "a.2"]);
  }
  assert.deepEqual(waits.slice(0, 3), [1_000, 2_000, 4_000]);
  assert.equal(waits.at(-1), BACKOFF_MS_MAX);
  answer();
  FakeSocket.last.say(snapshot("a.1"));
  assert.deepEqual([client.status("a.1").status, client.refused.size], ["live", 0]);
});

test("what the server takes only later is not asked for before", async () => {
  const { client } = await listening();
  client.subscribe(["a.1", "a.2"]);
  await settle();
  answer({ "a.1": unavailable }); // asked for again in 1 s, but for the next refusal
  client.subscribe("a.3");
  await settle();
  FakeSocket.last.say({ type: "error", id: wire("subscribe").at(-1).id, ...tooMany });
  assert.equal(client.refused.get("a.3").retryAfterMs, tooMany.retry_after_ms);
  await quiet(tooMany.retry_after_ms - 1);
  assert.equal(wire("subscribe").length, 2);
  await clock.advance(1);
  assert.deepEqual(wire("subscribe").at(-1).topics, ["a.1", "a.3"]);
  answer({ "a.1": tooMany, "a.3": { ...tooMany, retry_after_ms: "soon" } });
  await quiet(tooMany.retry_after_ms - 1);
  assert.equal(wire("subscribe").length, 3, "the next pause begins after the server's wish");
  await quiet(backoffMs(RETRY_FIRST + 1) + 1);
  assert.equal(wire("subscribe").length, 4);
});

test("a token that is accepted opens what was denied, and not what the server takes only later", async () => {
  const { client } = await listening();
  client.subscribe(["a.1", "a.2"]);
  await settle();
  answer({ "a.1": denied, "a.2": tooMany });
  const signedIn = client.auth("t");
  await settle();
  FakeSocket.last.say({ type: "ack", id: wire("auth")[0].id, results: [] });
  await signedIn;
  assert.deepEqual(wire("subscribe").map(({ topics }) => topics), [["a.1", "a.2"], ["a.1"]]);
  answer();
  await quiet(tooMany.retry_after_ms + backoffMs(RETRY_FIRST));
  assert.deepEqual(wire("subscribe").at(-1).topics, ["a.2"]);
});

test("a server cannot make a topic wait for ever", async () => {
  const { client } = await listening();
  client.subscribe("a.1");
  await settle();
  answer({ "a.1": { ...tooMany, retry_after_ms: Number.MAX_VALUE } });
  await quiet(TOLD_MS_MAX);
  assert.equal(wire("subscribe").length, 1);
  await quiet(backoffMs(RETRY_FIRST));
  assert.equal(wire("subscribe").length, 2);
});

test("an unsubscribe that is refused for now is sent again", async () => {
  const { client } = await listening();
  const left = client.subscribe(["a.1", "a.2"]);
  await settle();
  answer();
  left.close();
  await settle();
  FakeSocket.last.say({ type: "error", id: wire("unsubscribe")[0].id, ...tooMany });
  client.subscribe("a.2");
  await settle();
  assert.deepEqual(wire("subscribe").at(-1).topics, ["a.2"]);
  answer();
  assert.equal(wire("unsubscribe").length, 1);
  await quiet(tooMany.retry_after_ms + backoffMs(RETRY_FIRST));
  assert.deepEqual(wire("unsubscribe").map(({ topics }) => topics), [["a.1", "a.2"], ["a.1"]]);
  assert.equal(wire("subscribe").length, 2);
});

test("a token is not sent again before the server takes it", async () => {
  await listening("ws://h/ws?token=s3cret");
  FakeSocket.last.say({ type: "error", code: "unavailable", field: "token", message: "later", retryable: true });
  await quiet(backoffMs(RETRY_FIRST));
  FakeSocket.last.say({ type: "error", id: wire("auth")[0].id, ...tooMany });
  await settle();
  await quiet(tooMany.retry_after_ms);
  assert.equal(wire("auth").length, 1);
  await quiet(backoffMs(RETRY_FIRST + 1));
  assert.equal(wire("auth").length, 2);
});

test("a renewal that nobody could decide makes it stale, and what comes then ends that", async () => {
  const { client } = await listening();
  client.subscribe("a.1");
  await settle();
  answer();
  FakeSocket.last.say(snapshot("a.1"));
  FakeSocket.last.say({ type: "error", topic: "a.1", ...unavailable });
  assert.deepEqual([client.status("a.1").status, client.status("a.1").fresh], ["stale", false]);
  FakeSocket.last.say(snapshot("a.1", 2));
  assert.deepEqual([client.status("a.1").status, client.status("a.1").fresh], ["live", true]);
  await clock.advance(backoffMs(RETRY_FIRST));
  assert.equal(wire("subscribe").length, 1, "nothing is left to ask for");
});

test("a refused rate refuses nothing for good: what flows is not refused", async () => {
  const { client } = await listening();
  const first = client.subscribe("a.1", { maxRate: 500 });
  await settle();
  answer({ "a.1": denied });
  assert.equal(client.status("a.1").status, "refused");
  first.close();
  client.subscribe("a.1");
  await settle();
  answer();
  FakeSocket.last.say(snapshot("a.1"));
  FakeSocket.last.say(update("a.1", 2));
  assert.deepEqual([client.status("a.1").status, client.status("a.1").fresh], ["live", true]);
});

test("a pattern that ends leaves its topics stale, but for those that another subscription brings", async () => {
  const { client } = await listening();
  client.subscribe(["a.*", "a.2"]);
  await settle();
  answer();
  for (const topic of ["a.1", "a.2"]) FakeSocket.last.say(snapshot(topic));
  FakeSocket.last.say({ type: "error", topic: "a.*", ...denied });
  assert.deepEqual([client.status("a.1").status, client.status("a.2").status], ["stale", "live"]);
  assert.deepEqual([...client.refused.keys()], ["a.*"]);
});

test("a bad topic and a bad rate are refused here: they take nothing else down", async () => {
  const { client, errors } = await listening();
  const bad = ["no such", "x".repeat(201), "half \ud800", ""];
  client.subscribe(["a.1", ...bad]);
  client.subscribe("a.1", { maxRate: 5_000 });
  const fast = client.subscribe("a.2", { maxRate: Infinity });
  client.subscribe("a.3", { maxRate: -1 });
  client.subscribe("x".repeat(200));
  await settle();
  assert.deepEqual(wire("subscribe").map(({ topics, max_rate }) => [max_rate, ...topics]), [[0, "a.1", "x".repeat(200)]]);
  assert.deepEqual(errors, [...bad.map((topic) => [topic, "bad_topic"]), ["a.2", "bad_message"], ["a.3", "bad_message"]]);
  assert.match(client.refused.get("a.2").message, /^max_rate: must be 0, or 0.02 to 1000/);
  assert.deepEqual(["a.1", "a.2", "no such"].map((topic) => client.status(topic).status), ["unknown", "refused", "refused"]);
  fast.close();
  client.subscribe("a.2");
  await settle();
  answer();
  FakeSocket.last.say(snapshot("a.2"));
  assert.equal(client.status("a.2").status, "live");
});

test("a token in the address that nobody could judge is sent again, and what it opens is asked for", async () => {
  const { client } = await listening("ws://h/ws?token=s3c%2Bret");
  client.subscribe("a.1");
  await settle();
  FakeSocket.last.say({ type: "error", ...unavailable, field: "token" });
  answer({ "a.1": unavailable });
  await clock.advance(backoffMs(RETRY_FIRST));
  FakeSocket.last.say({ type: "error", id: wire("auth")[0].id, ...unavailable, field: "token" });
  await settle();
  beat();
  await clock.advance(backoffMs(RETRY_FIRST + 1));
  assert.deepEqual(wire("auth").map(({ token }) => token), ["s3c+ret", "s3c+ret"]);
  const before = wire("subscribe").length;
  FakeSocket.last.say({ type: "ack", id: wire("auth")[1].id });
  await settle();
  assert.equal(wire("subscribe").length, before + 1, "at once");
  answer();
  FakeSocket.last.say(snapshot("a.1"));
  assert.equal(client.status("a.1").status, "live");
});

test("a server without an authenticator is handed a token once", async () => {
  const { client } = await listening();
  const handed = client.auth("t");
  FakeSocket.last.say({ type: "ack", id: wire("auth")[0].id, judged: false });
  assert.deepEqual(await handed, { judged: false });
  beat();
  await clock.advance(15_000);
  assert.equal(wire("auth").length, 1);
});

test("what was denied is asked for again with a new token, which later connections begin with", async () => {
  const { client, errors } = await listening();
  client.subscribe("a.1");
  await settle();
  answer({ "a.1": denied });
  await clock.advance(15_000);
  assert.equal(wire("subscribe").length, 1, "not by itself");
  const accepted = client.auth("new");
  FakeSocket.last.say({ type: "ack", id: wire("auth")[0].id });
  await accepted;
  assert.deepEqual(wire("subscribe")[1].topics, ["a.1"]);
  FakeSocket.last.drop();
  await clock.advance(1_000);
  FakeSocket.last.welcome();
  assert.deepEqual(FakeSocket.last.sent.map(({ type }) => type), ["auth", "subscribe"]);
  FakeSocket.last.say({ type: "error", id: wire("auth")[0].id, code: "denied", message: "expired", field: "token", retryable: false });
  await settle();
  assert.deepEqual(errors.at(-1), [undefined, "denied"]);
  await assert.rejects(client.auth("x".repeat(8_193)), { code: "bad_message", field: "token", message: /at most 8192 bytes/ });
});
