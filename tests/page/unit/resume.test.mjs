import assert from "node:assert/strict";
import test from "node:test";
import { REPAIR_MS, TOPICS_PER_COMMAND } from "../../../web/demand.js";
import { connected } from "./connected.mjs";
import { FakeSocket, clock, settle } from "./fakes.mjs";

const wire = (type) => FakeSocket.last.commands(type);

const snapshot = (topic, seq, data) => ({ type: "snapshot", topic, seq, ts: clock.now, status: "live", data });
const update = (topic, seq, data) => ({ type: "update", topic, seq, ts: clock.now, data });

// Connected, `a.1` at 5 and by a pattern `b.1` at 7; then away, and connected again.
async function reconnected(epoch) {
  const { client, server } = await connected();
  const got = [], resumed = [];
  client.subscribe(["a.1", "b.*"], ({ kind, topic, seq }) => got.push([kind, topic, seq]));
  client.addEventListener("resume", ({ topic, recovered, missed }) => resumed.push([topic, recovered, missed]));
  await settle();
  server.say(snapshot("a.1", 5, { last: "5", bid: "4" }));
  server.say(snapshot("b.1", 7, { last: "7" }));
  server.drop();
  await clock.advance(1_000);
  FakeSocket.last.welcome({ epoch });
  await settle();
  got.length = 0;
  return { client, server: FakeSocket.last, got, resumed, command: wire("subscribe")[0] };
}

test("after a reconnect it goes on where it was, and says so", async () => {
  const { client, server, got, resumed, command } = await reconnected("e1");
  assert.deepEqual([command.topics, command.since, command.epoch], [["a.1", "b.*"], { "a.1": 5, "b.1": 7 }, "e1"]);
  server.say({ type: "ack", id: command.id, results: [{ topic: "a.1", seq: 7, recovered: true, missed: 2 }, { topic: "b.*", recovered: false, missed: 90 }] });
  assert.deepEqual(resumed, [["a.1", true, 2], ["b.*", false, 90]]);
  server.say(update("a.1", 6, { bid: "5" }));
  server.say(update("a.1", 7, { last: "7" }));
  server.say({ type: "status", topic: "a.1", seq: 7, ts: 1, status: "live" });
  server.say(snapshot("b.1", 97, { last: "97" }));
  assert.deepEqual(got, [["update", "a.1", 6], ["update", "a.1", 7], ["status", "a.1", 7], ["snapshot", "b.1", 97]]);
  assert.deepEqual([client.images.get("a.1"), client.status("a.1").fresh], [{ last: "7", bid: "5" }, true]);
});

test("a replay that leaves something out is a hole", async () => {
  const { client, server, command } = await reconnected("e1");
  server.say({ type: "ack", id: command.id, results: [{ topic: "a.1", seq: 7, recovered: true, missed: 2 }] });
  server.say(update("a.1", 7, { last: "7" }));
  assert.equal(client.status("a.1").fresh, false);
  await clock.advance(REPAIR_MS);
  assert.deepEqual(wire("subscribe").at(-1).topics, ["a.1"]);
});

test("another epoch begins anew: what was held is shown, as stale, until then", async () => {
  const { client, server, got, resumed, command } = await reconnected("e2");
  assert.equal("since" in command, false);
  assert.deepEqual(resumed, [[undefined, false, undefined]]);
  assert.deepEqual([client.images.get("a.1").last, client.status("a.1").status], ["5", "stale"]);
  server.say({ type: "ack", id: command.id, results: [{ topic: "a.1", seq: 0 }, { topic: "b.*" }] });
  server.say(update("b.1", 8, { last: "8" }));
  server.say(update("b.1", 1, { last: "1" }));
  assert.deepEqual(got, [["snapshot", "a.1", 0], ["update", "b.1", 1]], "8 does not follow the 7 of another history");
});

test("each topic goes on in one command", async () => {
  const { client, server } = await connected();
  const resumed = [];
  client.subscribe("a.*", { maxRate: 1 });
  client.subscribe(["a.1", "a.>"]);
  client.addEventListener("resume", ({ topic, recovered }) => resumed.push([topic, recovered]));
  await settle();
  for (let i = 0; i <= TOPICS_PER_COMMAND; i++) server.say(snapshot(`a.${i}`, i + 1, {}));
  server.drop();
  await clock.advance(1_000);
  FakeSocket.last.welcome();
  await settle();
  const said = wire("subscribe").map(({ topics, since }) => [topics, Object.keys(since ?? {}).length]);
  assert.deepEqual(said, [[["a.*"], TOPICS_PER_COMMAND], [["a.1", "a.>"], 1]]);
  client.subscribe("a.5", { maxRate: 9 });
  await settle();
  assert.equal("since" in wire("subscribe").at(-1), false, "what is new begins with its snapshot");
  assert.deepEqual(resumed, []);
});

test("what is in no command is said to begin anew", async () => {
  const { client, server } = await connected();
  const resumed = [];
  client.subscribe("a.*");
  client.addEventListener("resume", ({ topic, recovered }) => resumed.push([topic, recovered]));
  await settle();
  for (let i = 0; i <= TOPICS_PER_COMMAND; i++) server.say(snapshot(`a.${i}`, 1, {}));
  server.drop();
  await clock.advance(1_000);
  FakeSocket.last.welcome();
  assert.deepEqual(resumed, [[undefined, false]]);
  assert.ok(JSON.stringify(wire("subscribe")).length < 2_097_152);
});

test("what it holds goes on in an epoch that begins while it is connected", async () => {
  const { client, server } = await connected();
  const got = [];
  client.subscribe("a.1", ({ kind, seq }) => got.push([kind, seq]));
  await settle();
  server.say(snapshot("a.1", 5, { last: "5" }));
  server.say({ type: "epoch", epoch: "e2", ts: clock.now });
  server.say(update("a.1", 6, { last: "6" }));
  assert.deepEqual([client.epoch, got], ["e2", [["snapshot", 5], ["update", 6]]]);
  server.drop();
  await clock.advance(1_000);
  FakeSocket.last.welcome({ epoch: "e2" });
  await settle();
  const [command] = wire("subscribe");
  assert.deepEqual([command.since, command.epoch], [{ "a.1": 6 }, "e2"]);
});
