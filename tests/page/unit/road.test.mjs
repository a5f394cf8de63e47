// What pages follow over HTTP: one request for all of them, and what its stream says to each.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Following } from "../../../web/road_follow.js";
import { CURSOR_BYTES_MAX, Union } from "../../../web/road_union.js";
import { TopicState } from "../../../web/topic.js";
import { chance } from "./fakes.mjs";

const snapshot = (topic, seq, fields = {}) => ({ type: "snapshot", topic, seq, ts: 1, status: "live", data: { seq }, ...fields });
const update = (topic, seq, fields = {}) => ({ type: "update", topic, seq, ts: 1, data: { seq }, ...fields });
const EVENT = { delivery: "event" };
const seqs = (messages) => messages.map(({ type, seq, from, to }) => (type === "gap" ? [from, to] : seq));

function following(topics, fields = {}) {
  const page = new Following();
  page.subscribe({ id: 1, topics, ...fields });
  return page;
}

test("a page skips what it has, and what it does not follow", () => {
  const page = following(["a.*"]);
  page.answers([{ topic: "a.*" }], 1);
  assert.deepEqual(seqs([snapshot("a.x", 5), update("a.x", 5), update("a.x", 6), update("b.x", 1)].flatMap((m) => page.take(m))), [5, 6]);
});

test("a page that knows nothing of a value topic waits for its snapshot", () => {
  const page = following(["a"]);
  assert.deepEqual(page.take(update("a", 7)), []);
  assert.deepEqual(seqs([snapshot("a", 7), update("a", 8)].flatMap((m) => page.take(m))), [7, 8]);
});

test("a topic that begins with its first update needs no snapshot", () => {
  assert.deepEqual(seqs(following(["a"]).take(update("a", 1))), [1]);
});

test("a snapshot of an event topic that leaves messages out comes behind a gap", () => {
  const page = following(["t"], { since: { t: 3 } });
  page.answers([{ topic: "t", seq: 9, recovered: false }], 1);
  page.take({ type: "status", topic: "t", seq: 3, status: "live", ...EVENT });
  assert.deepEqual(seqs(page.take(snapshot("t", 9, EVENT))), [[4, 8], 9]);
});

test("a gap says only what this page misses", () => {
  const page = following(["t"], { since: { t: 5 } });
  page.answers([{ topic: "t", seq: 9 }], 1);
  assert.deepEqual(seqs(page.take({ type: "gap", topic: "t", from: 2, to: 7 })), [[6, 7]]);
  assert.deepEqual(page.take({ type: "gap", topic: "t", from: 2, to: 7 }), []);
});

test("a topic that was held comes back with the snapshot that it had", () => {
  const page = following(["a"]);
  page.take(snapshot("a", 5));
  assert.deepEqual(page.take(snapshot("a", 5)), [], "nothing new");
  assert.equal(page.take({ type: "error", topic: "a", code: "unavailable" }).length, 1);
  assert.deepEqual(seqs(page.take(snapshot("a", 5))), [5]);
});

test("each command has its answer, with what concerns it", () => {
  const page = following(["a", "b"]);
  page.subscribe({ id: 2, topics: ["c"], since: { c: 4 } });
  page.subscribe({ id: 3, topics: ["d"] });
  const results = ["a", "b", "c"].map((topic) => ({ topic, seq: 4, recovered: true, missed: 0 }));
  const acks = page.answers(results, 2);
  assert.deepEqual(acks.map(({ id, results: told }) => [id, told.map(({ topic, recovered }) => [topic, recovered])]), [[1, [["a", undefined], ["b", undefined]]], [2, [["c", true]]]]);
  assert.ok(page.wish().asks, "the third waits");
});

test("a name that is refused is not asked for again", () => {
  const page = following(["a", "b"]);
  const [ack] = page.answers([{ topic: "a", seq: 0 }, { topic: "b", error: { code: "denied" } }], 1);
  assert.equal(ack.results[1].error.code, "denied");
  assert.deepEqual(page.wish().names, [["a", 0]]);
  const [ended] = page.answers([{ topic: "a", error: { code: "denied" } }], 0);
  assert.deepEqual([ended.type, ended.topic, ended.id], ["error", "a", undefined]);
});

test("a request goes on where the page is that is furthest behind", () => {
  const union = new Union();
  union.set("one", following(["t"], { since: { t: 9 } }).wish());
  union.set("two", following(["t"], { since: { t: 7 } }).wish());
  assert.equal(union.request("e").query.cursor, "e,t=7?");
});

test("a page that has nothing of a topic gets its snapshot, also where the others have it", () => {
  const union = new Union();
  union.set("one", following(["a"]).wish());
  union.request("e");
  union.pass(snapshot("a", 4));
  assert.equal(union.request("e").query.cursor, "e,a=4");
  union.set("two", following(["a"]).wish());
  assert.equal(union.request("e").query.cursor, undefined);
});

test("of an event topic such a page gets the last message, and the others miss none", () => {
  const union = new Union();
  union.set("one", following(["t"]).wish());
  union.pass(snapshot("t", 4, EVENT));
  union.set("two", following(["t"]).wish());
  assert.equal(union.request("e").query.cursor, "e,t=3?");
});

test("a request has the fastest rate, and none where a page wants every update", () => {
  const union = new Union();
  union.set("one", following(["a"], { max_rate: 2 }).wish());
  union.set("two", following(["b"], { max_rate: 5 }).wish());
  assert.equal(union.request("e").query.max_rate, "5");
  union.set("three", following(["c"]).wish());
  assert.equal(union.request("e").query.max_rate, undefined);
});

test("a cursor is not longer than the server reads, and event topics are in it first", () => {
  const since = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`topic.${i}`, 1_000]));
  const page = following(["topic.>", "t"], { since: { ...since, t: 5 } });
  page.answers([{ topic: "t", seq: 5 }], 1);
  page.take(update("t", 6, EVENT));
  const union = new Union();
  union.set("one", page.wish());
  const { query, cut } = union.request("epoch");
  assert.ok(cut && query.cursor.startsWith("epoch!,t=6"));
  assert.ok(query.cursor.length <= CURSOR_BYTES_MAX && query.cursor.length > CURSOR_BYTES_MAX - 20);
});

test("a topic that nothing was published to goes on from 0, so that its first messages are not left out", () => {
  const page = following(["t"]), union = new Union();
  union.set("one", page.wish());
  assert.equal(union.request("e").query.cursor, undefined);
  union.answered([["one", 1]], [{ topic: "t", seq: 0 }]);
  page.answers([{ topic: "t", seq: 0 }], 1);
  assert.equal(union.request("e").query.cursor, "e,t=0?");
  assert.deepEqual(seqs(page.take(snapshot("t", 3, EVENT))), [[1, 2], 3]);
});

test("what was asked for once is asked for once", () => {
  const union = new Union();
  union.set("one", following(["t"], { last: 9 }).wish());
  assert.ok(union.request("e").asks);
  union.answered([["one", 1]]);
  const { asks, query } = union.request("e");
  assert.deepEqual([asks, query.last], [false, undefined]);
});

// A model of the server's stream, and pages that come, go, and follow other leaders: each update comes once to each, in order, or
// a gap or a snapshot says what is left out.
test("however pages come and leaders change, nothing is missed silently", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const { int, pick } = chance(seed);
    const now = { v: 0, e: 0 }; // a value topic and an event topic
    const publish = () => now[pick(["v", "e"])]++;
    const answer = ({ query: { cursor = "", last = 0 } }) => {
      const known = new Map(cursor.split(",").slice(1).map((entry) => entry.match(/(\w)=(\d+)/).slice(1)));
      return ["v", "e"].flatMap((topic) => {
        const kind = topic === "e" ? EVENT : {};
        const from = Number(known.get(topic) ?? -1);
        if (from < 0 && !(topic === "e" && last)) return now[topic] ? [snapshot(topic, now[topic], kind)] : [];
        const first = Math.max(1, from < 0 ? now[topic] - last + 1 : from + 1); // where a cursor names a place, `last` means nothing
        return [...Array.from({ length: Math.max(0, now[topic] - first + 1) }, (_, i) => update(topic, first + i, kind)), { type: "status", topic, seq: now[topic], status: "live", ...kind }];
      });
    };
    const pages = new Map();
    let union = new Union();
    const join = () => {
      const page = { following: following(["v", "e"]), states: { v: new TopicState(), e: new TopicState() } };
      page.states.e.event = true;
      pages.set(`page ${pages.size}`, page);
    };
    const run = () => {
      for (const [name, page] of pages) union.set(name, page.following.wish());
      const request = union.request("epoch");
      union.answered(request.numbers);
      const { numbers } = request;
      for (const [name, number] of numbers) pages.get(name)?.following.answers([{ topic: "v" }, { topic: "e" }], number);
      const sent = { ...now };
      const stream = answer(request);
      for (let i = int(20); i > 0; i--) publish();
      for (const topic of ["v", "e"]) for (let seq = sent[topic] + 1; seq <= now[topic]; seq++) stream.push(update(topic, seq, topic === "e" ? EVENT : {}));
      for (const message of stream.slice(0, stream.length - int(3))) {
        union.pass(message);
        for (const { following: mine, states } of pages.values()) for (const told of mine.take(message)) assert.ok(states[told.topic].apply(told), `seed ${seed}: ${JSON.stringify(told)} after ${states[told.topic].seq}`);
      }
    };
    join();
    for (let step = 0; step < 12; step++) {
      if (int(3) === 0) join();
      if (int(4) === 0) union = new Union(); // another leads
      run();
    }
    // At last each page gets all that the server has.
    for (const { following: mine, states } of pages.values()) for (const message of answer({ query: { cursor: "e,v=0,e=0" } })) for (const told of mine.take(message)) assert.ok(states[told.topic].apply(told));
    for (const { states } of pages.values()) assert.deepEqual([states.v.seq, states.e.seq], [now.v, now.e], `seed ${seed}`);
  }
});
