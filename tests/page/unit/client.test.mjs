import assert from "node:assert/strict";
import test from "node:test";
import { connect } from "../../../web/client.js";
import { REPAIR_MS, RETRY_FIRST, TOPICS_PER_COMMAND } from "../../../web/demand.js";
import { backoffMs } from "../../../web/connection.js";
import "../../../web/publish.js"; // so that a publish does not wait for it
import { connected } from "./connected.mjs";
import { FakeSocket, chance, clock, settle } from "./fakes.mjs";
import { ModelServer } from "./model_server.mjs";

const wire = (type) => FakeSocket.last.commands(type);
const names = (type) => wire(type).flatMap(({ topics }) => topics);

function acknowledge(server, seqs = {}) {
  const command = server.commands("subscribe").at(-1);
  server.say({ type: "ack", id: command.id, results: command.topics.map((topic) => ({ topic, seq: seqs[topic] ?? 1 })) });
}

const snapshot = (topic, seq, data, status = "live") => ({ type: "snapshot", topic, seq, ts: clock.now, status, data });
const update = (topic, seq, data) => ({ type: "update", topic, seq, ts: clock.now, data });

test("subscriptions of one moment become one command", async () => {
  const { client } = await connected();
  client.subscribe("a.1");
  client.subscribe(["a.2", "a.3"]);
  client.subscribe(["a.1"]);
  await settle();
  assert.equal(wire("subscribe").length, 1);
  assert.deepEqual(names("subscribe"), ["a.1", "a.2", "a.3"]);
});

test("thousands of topics go in commands that the server takes", async () => {
  const { client } = await connected();
  const topics = Array.from({ length: TOPICS_PER_COMMAND + 1 }, (_, i) => `a.${i}`);
  client.subscribe(topics);
  await settle();
  assert.deepEqual(wire("subscribe").map(({ topics }) => topics.length), [TOPICS_PER_COMMAND, 1]);
  assert.deepEqual(names("subscribe"), topics);
});

test("a topic is unsubscribed with its last subscription, and forgotten", async () => {
  const { client, server } = await connected();
  const [first, second] = [client.subscribe("a.1"), client.subscribe(["a.1", "b.*"])];
  await settle();
  server.say(snapshot("a.1", 1, { last: "1" }));
  server.say(snapshot("b.1", 1, { last: "2" }));
  first.close();
  await settle();
  assert.deepEqual(names("unsubscribe"), []);
  second.close();
  second.close();
  await settle();
  assert.deepEqual(names("unsubscribe").sort(), ["a.1", "b.*"]);
  assert.equal(client.images.size, 0);
  server.say(update("a.1", 2, { last: "3" }));
  assert.equal(client.images.size, 0, "what was under way is not taken");
});

test("what is closed and wanted again at once goes on as it was", async () => {
  const { client, server } = await connected();
  const moved = client.subscribe(["a.1", "b.*"]);
  await settle();
  server.say(snapshot("a.1", 1, { last: "1" }));
  server.say(snapshot("b.1", 4, { last: "4" }));
  const got = [];
  moved.close();
  client.subscribe(["a.1", "b.*", "c.1"], ({ kind, topic, status }) => got.push([kind, topic, status]));
  await settle();
  assert.deepEqual([names("unsubscribe"), names("subscribe")], [[], ["a.1", "b.*", "c.1"]]);
  assert.deepEqual(got, [["snapshot", "a.1", "live"], ["snapshot", "b.1", "live"]]);
  server.say(update("b.1", 5, { bid: "3" }));
  assert.deepEqual([client.images.get("b.1"), client.status("b.1").fresh], [{ last: "4", bid: "3" }, true]);
});

test("what is wanted again by another name is stale until the server says how it stands", async () => {
  const { client, server } = await connected();
  const named = client.subscribe("a.1");
  client.subscribe("*.1");
  await settle();
  server.say({ type: "error", code: "denied", topic: "*.1", message: "ended", retryable: false });
  server.say(snapshot("a.1", 1, { last: "1" }));
  named.close();
  client.subscribe("a.*");
  await settle();
  assert.deepEqual([names("unsubscribe"), names("subscribe")], [["a.1"], ["a.1", "*.1", "a.*"]]);
  assert.deepEqual([client.images.get("a.1"), client.status("a.1").status], [{ last: "1" }, "stale"]);
  server.say(snapshot("a.1", 1, { last: "1" }));
  assert.equal(client.status("a.1").fresh, true);
});

test("handlers get updates in order, a late one begins with the image so far", async () => {
  const { client, server } = await connected();
  const early = [], late = [];
  client.subscribe("a.*", ({ kind, seq, data, image }) => early.push([kind, seq, data, image]));
  await settle();
  server.say(snapshot("a.1", 4, { last: "4", bid: "3" }));
  server.say(update("a.1", 5, { last: "5" }));
  client.subscribe("a.1", (u) => late.push([u.kind, u.seq, u.image, u.status]));
  await settle();
  server.say({ type: "status", topic: "a.1", seq: 5, ts: 1, status: "halted" });
  assert.deepEqual(early, [
    ["snapshot", 4, { last: "4", bid: "3" }, { last: "4", bid: "3" }],
    ["update", 5, { last: "5" }, { last: "5", bid: "3" }],
    ["status", 5, undefined, { last: "5", bid: "3" }],
  ]);
  assert.deepEqual(late, [["snapshot", 5, { last: "5", bid: "3" }, "live"], ["status", 5, { last: "5", bid: "3" }, "halted"]]);
});

test("no handler is called after close, and a fault in one does not reach another", async () => {
  const { client, server } = await connected();
  const faults = [], got = [];
  globalThis.reportError = (error) => faults.push(error.message);
  client.subscribe("a.1", () => { throw new Error("mine"); });
  const subscription = client.subscribe("a.1", ({ seq }) => { got.push(seq); subscription.close(); });
  await settle();
  server.say(snapshot("a.1", 1, {}));
  server.say(update("a.1", 2, {}));
  delete globalThis.reportError;
  client.subscribe("a.1", () => got.push("closed before it began")).close();
  await settle();
  assert.deepEqual([got, faults], [[1], ["mine", "mine"]]);
});

test("the fastest rate that anyone wants is asked for", async () => {
  const { client } = await connected();
  client.subscribe("a.1", { maxRate: 2 });
  client.subscribe("a.2", { maxRate: 2 });
  const fast = client.subscribe("a.1", { maxRate: 5 });
  await settle();
  const asked = () => wire("subscribe").map(({ max_rate, topics }) => [max_rate, ...topics]);
  assert.deepEqual(asked(), [[5, "a.1"], [2, "a.2"]]);
  const all = client.subscribe("a.1");
  await settle();
  assert.deepEqual(asked().slice(2), [[0, "a.1"]]);
  all.close();
  fast.close();
  await settle();
  assert.deepEqual(asked().slice(3), [[2, "a.1"]]);
});

test("fresh only while every update up to now has come", async () => {
  const { client, server } = await connected();
  client.subscribe("a.1");
  await settle();
  assert.deepEqual(client.status("a.1"), { status: "unknown", fresh: false, seq: 0, ts: 0, since: 0, reason: "", event: false, halt: undefined, ageMs: 0 });
  acknowledge(server, { "a.1": 7 });
  assert.equal(client.status("a.1").fresh, false, "its snapshot is still to come");
  server.say(snapshot("a.1", 7, { last: "7" }));
  assert.equal(client.status("a.1").fresh, true);
  server.say({ type: "status", topic: "a.1", seq: 7, ts: 1, status: "stale" });
  assert.deepEqual([client.status("a.1").status, client.status("a.1").fresh], ["stale", false]);
  server.say(update("a.1", 8, { last: "8" }));
  assert.deepEqual([client.status("a.1").status, client.status("a.1").fresh], ["live", true]);
  server.drop();
  assert.deepEqual([client.status("a.1").status, client.status("a.1").fresh], ["stale", false]);
  await clock.advance(1_000);
  FakeSocket.last.welcome();
  assert.equal(client.status("a.1").fresh, false, "connected, not yet confirmed");
  FakeSocket.last.say(snapshot("a.1", 8, { last: "8" }));
  assert.equal(client.status("a.1").fresh, true);
});

test("a topic without data is known to stand at nothing", async () => {
  const { client, server } = await connected();
  client.subscribe("a.1");
  await settle();
  acknowledge(server, { "a.1": 0 });
  assert.deepEqual(client.status("a.1"), { status: "unknown", fresh: true, seq: 0, ts: 0, since: 0, reason: "", event: false, halt: undefined, ageMs: 0 });
  server.say(update("a.1", 1, { last: "1" }));
  assert.deepEqual(client.images.get("a.1"), { last: "1" });
});

test("the age is by the server's clock", async () => {
  const { client, server } = await connected();
  client.subscribe("a.1");
  await settle();
  server.say({ type: "heartbeat", ts: clock.now + 90_000 });
  server.say({ ...snapshot("a.1", 1, {}), ts: clock.now + 80_000 });
  assert.equal(client.status("a.1").ageMs, 10_000);
  await clock.advance(500);
  assert.equal(client.status("a.1").ageMs, 10_500);
});

test("after a reconnect everything is asked for again, and a new epoch replaces the old images", async () => {
  const { client, server } = await connected();
  const got = [];
  client.subscribe(["a.1", "a.2", "b.*"], { onUpdate: ({ kind, topic, seq }) => got.push([kind, topic, seq]), maxRate: 3 });
  await settle();
  server.say(snapshot("a.1", 50, { last: "50" }));
  server.say(snapshot("a.2", 60, { last: "60" }));
  server.drop(4001);
  await clock.advance(1_000);
  FakeSocket.last.welcome({ epoch: "e2" });
  await settle();
  assert.deepEqual(wire("subscribe").map(({ max_rate, topics }) => [max_rate, topics]), [[3, ["a.1", "a.2", "b.*"]]]);
  acknowledge(FakeSocket.last, { "a.1": 2, "a.2": 0 });
  FakeSocket.last.say(snapshot("a.1", 2, { last: "2" }));
  assert.equal(client.epoch, "e2");
  assert.deepEqual([client.images.get("a.1"), client.images.get("a.2")], [{ last: "2" }, {}]);
  assert.deepEqual(got.slice(2), [["snapshot", "a.2", 0], ["snapshot", "a.1", 2]]);
});

test("a hole in a sequence is repaired by asking for that topic again, once", async () => {
  const { client, server } = await connected();
  const got = [];
  client.subscribe("a.*", { onUpdate: ({ kind, seq }) => got.push([kind, seq]), maxRate: 4 });
  await settle();
  server.say(snapshot("a.1", 1, { last: "1" }));
  server.say(update("a.1", 3, { last: "3" }));
  server.say(update("a.1", 4, { last: "4" }));
  assert.deepEqual([client.status("a.1").fresh, client.images.get("a.1")], [false, { last: "1" }]);
  await clock.advance(REPAIR_MS);
  server.say(update("a.1", 5, { last: "5" }));
  await clock.advance(REPAIR_MS);
  assert.deepEqual(wire("subscribe").slice(1).map(({ max_rate, topics }) => [max_rate, topics]), [[4, ["a.1"]]]);
  server.say(snapshot("a.1", 5, { last: "5" }));
  server.say(update("a.1", 6, { last: "6" }));
  assert.equal(client.status("a.1").fresh, true);
  assert.deepEqual(got, [["snapshot", 1], ["snapshot", 5], ["update", 6]]);
  server.say(update("a.1", 8, { last: "8" }));
  await clock.advance(REPAIR_MS);
  assert.deepEqual(names("subscribe"), ["a.*", "a.1", "a.1"], "the next hole is repaired as well");
});

test("repaired topics are unsubscribed with their pattern", async () => {
  const { client, server } = await connected();
  const subscription = client.subscribe("a.*");
  await settle();
  server.say(update("a.1", 3, {}));
  await clock.advance(REPAIR_MS);
  subscription.close();
  await settle();
  assert.deepEqual(names("unsubscribe").sort(), ["a.*", "a.1"]);
});

test("a refused topic is refused, the others go on; it is asked for again if that can help", async () => {
  const { client, server } = await connected();
  const errors = [];
  client.addEventListener("error", ({ error }) => errors.push([error.topic, error.code]));
  const subscription = client.subscribe(["premium.1", "busy.1", "a.1"]);
  await settle();
  server.say({ type: "ack", id: wire("subscribe")[0].id, results: [
    { topic: "premium.1", error: { code: "denied", message: "no", retryable: false } },
    { topic: "busy.1", error: { code: "too_many", message: "later", retryable: true } },
    { topic: "a.1", seq: 0 },
  ] });
  assert.deepEqual(errors, [["premium.1", "denied"], ["busy.1", "too_many"]]);
  assert.deepEqual(["premium.1", "busy.1", "a.1"].map((topic) => client.status(topic).status), ["refused", "unavailable", "unknown"]);
  await clock.advance(backoffMs(RETRY_FIRST));
  assert.deepEqual(wire("subscribe")[1].topics, ["busy.1"]);
  subscription.close();
  await settle();
  assert.deepEqual(names("unsubscribe").sort(), ["a.1", "busy.1"], "what was refused need not be given back");
});

test("a subscription that the server ends is refused, and its image stays as it was", async () => {
  const { client, server } = await connected();
  client.subscribe("premium.1");
  await settle();
  server.say(snapshot("premium.1", 1, { last: "1" }));
  server.say({ type: "error", code: "denied", topic: "premium.1", message: "ended", retryable: false });
  const { status, fresh } = client.status("premium.1");
  assert.deepEqual([status, fresh, client.images.get("premium.1")], ["refused", false, { last: "1" }]);
});

test("a command that is refused as a whole refuses its topics", async () => {
  const { client, server } = await connected();
  client.subscribe(["a.1", "a.2"]);
  await settle();
  server.say({ type: "error", id: wire("subscribe")[0].id, code: "too_large", message: "too many", retryable: false });
  assert.deepEqual(["a.1", "a.2"].map((topic) => client.status(topic).status), ["refused", "refused"]);
});

test("publish resolves with the seq, rejects with the code, and at once while away", async () => {
  const { client, server } = await connected();
  const sent = [client.publish("chat.lobby", { text: "hi" }), client.publish("no", {}), client.publish("x", {}), client.publish("lost", {})];
  await settle();
  const [good, denied, bad] = wire("publish").map(({ id }) => id);
  server.say({ type: "ack", id: good, results: [{ topic: "chat.lobby", seq: 9 }] });
  server.say({ type: "ack", id: denied, results: [{ topic: "no", error: { code: "denied", message: "no: not allowed", retryable: false } }] });
  server.say({ type: "error", id: bad, code: "bad_data", message: "data: must be an object", retryable: false });
  assert.deepEqual(await sent[0], { topic: "chat.lobby", seq: 9 });
  await assert.rejects(sent[1], { name: "TickwireError", code: "denied", topic: "no", retryable: false });
  await assert.rejects(sent[2], { code: "bad_data", message: "data: must be an object" });
  server.drop();
  await assert.rejects(sent[3], { retryable: true, message: "the connection was lost" });
  await assert.rejects(client.publish("later", {}), { retryable: true, message: "not connected" });
});

test("no more topics are kept than allowed", async () => {
  const { client, server } = await connected({ topicsMax: 2 });
  const got = [];
  client.subscribe(">", ({ topic }) => got.push(topic));
  await settle();
  for (const topic of ["a", "b", "c", "d", "a"]) server.say(snapshot(topic, 1, {}));
  assert.deepEqual([got, [...client.images.keys()], client.ignored], [["a", "b", "a"], ["a", "b"], 2]);
});

test("messages that make no sense disturb nothing", async () => {
  const { client, server } = await connected();
  client.subscribe(">");
  await settle();
  for (const odd of [{}, [], 7, "x", { type: "update" }, { type: "snapshot", topic: 7 }, { type: "update", topic: null }, { type: "welcomed" },
    { type: "ack", id: 99 }, { type: "error" }, { type: "status", topic: "a" }, { type: "gap", topic: "a" }, { type: "heartbeat" }]) {
    server.say(JSON.stringify(odd));
  }
  server.say(snapshot("a.1", 1, { last: "1" }));
  const { fresh, ageMs } = client.status("a.1");
  assert.deepEqual([client.state, fresh, ageMs, client.images.get("a.1")], ["open", true, 0, { last: "1" }]);
});

test("states are told, and a closed client is closed", async () => {
  const states = [];
  const { client } = await connected();
  client.addEventListener("state", ({ state, code }) => states.push([state, code]));
  FakeSocket.last.drop(1006);
  await clock.advance(1_000);
  FakeSocket.last.welcome();
  client.close();
  await clock.advance(100_000);
  assert.deepEqual(states, [["away", 1006], ["connecting", undefined], ["open", undefined], ["closed", 1000]]);
});

// A handler that notes each update which does not follow what it got before.
function follower(faults) {
  const last = new Map();
  return ({ kind, topic, seq }) => {
    if (kind === "update" && seq !== (last.get(topic) ?? 0) + 1 && seq !== 1) faults.push([topic, last.get(topic), seq]);
    last.set(topic, seq);
  };
}

// Random publishing, subscribing, losing of messages and connections, restarts with nothing kept. Once it is quiet, a client has
// exactly the server's images of what it wants, all fresh; and at no time is an image fresh that the server never had at its seq.
test("property: once quiet, images equal the server's", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const { next, int, pick } = chance(seed);
    const server = new ModelServer();
    const client = connect("ws://h/ws");
    const topics = ["a.1", "a.2", "b.1", "b.2", "b.c.1"];
    const wishes = [["a.*"], ["b.>"], [">"], ["a.1", "b.1"], ["a.2"], ["b.c.1", "a.*"], ["secret.1", "b.2"]];
    const open = [], holes = [];
    const past = new Map(); // topic epoch seq -> image
    let now = 0;
    for (let step = 0; step < 80; step++) {
      const roll = next();
      if (roll < 0.5) {
        const topic = pick(topics);
        server.publish(topic, { [pick(["last", "bid", "ask"])]: pick([null, "0.10", 1.5, now++]) });
        past.set(`${topic} e${server.epoch} ${server.topics.get(topic).seq}`, server.topics.get(topic).image);
      } else if (roll < 0.6) open.push(client.subscribe(pick(wishes), follower(holes)));
      else if (roll < 0.66) {
        open.splice(int(open.length), 1)[0]?.close();
        if (next() < 0.5) open.push(client.subscribe(pick(wishes), follower(holes))); // at once: an element that moves
      }
      else if (roll < 0.7) FakeSocket.last.drop(pick([1006, 4001]));
      else if (roll < 0.72) { server.restartEmpty(); FakeSocket.last.drop(1001); }
      else if (roll < 0.76) server.setStatus(pick(topics), pick(["stale", "live"]));
      else if (roll < 0.9) server.run(({ type }) => !/ack|snapshot/.test(type) && next() < 0.1);
      else await clock.advance(int(3_000));
      await settle();
      for (const topic of topics) {
        const { fresh, seq } = client.status(topic);
        if (fresh && seq > 0) assert.deepEqual(client.images.get(topic), past.get(`${topic} ${client.epoch} ${seq}`), `seed ${seed} step ${step} ${topic}`);
      }
    }
    await settleDown(server);
    assert.deepEqual(holes, [], `seed ${seed}`);
    for (const topic of topics) {
      const known = server.topics.get(topic);
      const wanted = known && open.some((subscription) => subscription.matches(topic));
      if (!wanted) continue;
      assert.deepEqual(client.images.get(topic), known.image, `seed ${seed} ${topic}`);
      assert.equal(client.status(topic).seq, known.seq, `seed ${seed} ${topic}`);
      assert.equal(client.status(topic).fresh, known.status === "live", `seed ${seed} ${topic}`);
    }
    client.close();
  }
});

// Nothing is lost any more; every topic moves once more, so that each hole shows.
async function settleDown(server) {
  for (let i = 0; i < 8; i++) {
    server.run();
    await clock.advance(3_000);
    if (i === 3) for (const topic of server.topics.keys()) server.publish(topic, { last: "end" });
  }
}
