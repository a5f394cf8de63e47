import assert from "node:assert/strict";
import test from "node:test";
import { TopicState, isPattern, matches, merge } from "../../../web/topic.js";
import { chance } from "./fakes.mjs";

test("fields merge, null deletes, nested values are replaced whole", () => {
  assert.deepEqual(merge({ a: 1, b: { x: 1 }, c: 3 }, { b: { y: null }, c: null, d: [] }), { a: 1, b: { y: null }, d: [] });
});

test("merging leaves both as they were", () => {
  const [image, data] = [Object.freeze({ a: 1 }), Object.freeze({ a: 2, b: null })];
  assert.deepEqual(merge(image, data), { a: 2 });
});

test("a field named __proto__ is a field like any other", () => {
  const merged = merge(JSON.parse('{"__proto__": {"polluted": 1}}'), { last: "1" });
  assert.equal(merged.polluted, undefined);
  assert.deepEqual(Object.keys(merged), ["__proto__", "last"]);
  assert.deepEqual(Object.keys(merge(merged, JSON.parse('{"__proto__": null}'))), ["last"]);
  assert.equal({}.polluted, undefined);
});

test("patterns", () => {
  const yes = [["a.b", "a.b"], ["*", "a"], ["a.*", "a.b"], ["a.>", "a.b"], ["a.>", "a.b.c"], [">", "a"], [">", "a.b"], ["*.b", "a.b"], ["*.*.>", "a.b.c"]];
  const no = [["a.b", "a.c"], ["*", "a.b"], ["a.*", "a"], ["a.>", "a"], ["a.*", "a.b.c"], ["*.b", "a.c"], ["b.>", "a.b"], ["*.*.>", "a.b"]];
  for (const [pattern, topic] of yes) assert.ok(matches(pattern, topic), `${pattern} ${topic}`);
  for (const [pattern, topic] of no) assert.ok(!matches(pattern, topic), `${pattern} ${topic}`);
  for (const name of ["*", ">", "a.*", "a.>", "*.b", "a.*.c"]) assert.ok(isPattern(name), name);
  for (const name of ["a", "a.b", "a-*.b", "a>.b"]) assert.ok(!isPattern(name), name);
});

const update = (seq, data = { last: String(seq) }) => ({ type: "update", seq, ts: seq, data });
const snapshot = (seq, data = {}, status = "live") => ({ type: "snapshot", seq, ts: seq, status, data });

test("an update must follow the one before it; after a hole what follows, or a snapshot", () => {
  const state = new TopicState();
  assert.ok(!state.apply(update(5)), "never heard of before");
  assert.ok(state.apply(snapshot(5, { last: "5", bid: 1 })));
  assert.ok(state.apply(update(6)));
  assert.ok(!state.apply(update(6)), "twice");
  assert.ok(!state.confirmed);
  assert.ok(!state.apply(update(8)), "the hole is not forgotten");
  assert.deepEqual([state.image, state.seq], [{ last: "6", bid: 1 }, 6]);
  assert.ok(state.apply(update(7)));
  assert.ok(state.apply(snapshot(9, { last: "9" })));
  assert.ok(!state.apply(update(11)));
  assert.ok(state.apply(snapshot(3, { last: "3" })), "another epoch may stand lower");
});

test("a topic that appears begins with update 1", () => {
  const state = new TopicState();
  assert.ok(state.apply(update(1, { last: "1", gone: null })));
  assert.deepEqual([state.image, state.status, state.confirmed], [{ last: "1" }, "live", true]);
});

test("update 1 of a new epoch does not inherit the image of the old one", () => {
  const state = new TopicState();
  state.apply(snapshot(40, { last: "40", old: true }));
  state.forget();
  assert.deepEqual([state.image, state.status, state.confirmed], [{ last: "40", old: true }, "stale", false], "it is shown until then");
  assert.ok(!state.apply(update(41)));
  assert.ok(state.apply(update(1)));
  assert.deepEqual(state.image, { last: "1" });
});

test("an update makes a stale topic live, a halted one stays halted", () => {
  const state = new TopicState();
  state.apply(snapshot(1, {}, "stale"));
  state.apply(update(2));
  assert.equal(state.status, "live");
  for (const status of ["halted", "closed"]) {
    assert.ok(state.apply({ type: "status", seq: state.seq, ts: 99, status }));
    state.apply(update(state.seq + 1));
    assert.equal(state.status, status);
  }
  assert.notEqual(state.ts, 99, "a status does not make the data younger");
  assert.ok(!state.apply({ type: "status", seq: state.seq + 1, status: "live" }));
});

test("an operator's halt has a reason until the topic has another status", () => {
  const state = new TopicState();
  state.apply({ ...snapshot(1, {}, "halted"), reason: "news", until: 9 });
  assert.deepEqual(state.halt, { reason: "news", until: 9 });
  state.apply(update(2));
  assert.deepEqual([state.status, state.halt?.reason], ["halted", "news"], "what was withheld comes before the end");
  state.apply({ type: "status", seq: 2, ts: 3, status: "halted", reason: "an auction" });
  assert.equal(state.halt.reason, "an auction");
  state.apply({ type: "status", seq: 2, ts: 4, status: "live" });
  assert.equal(state.halt, undefined);
});

test("the messages of an event topic replace each other, and a gap says what is lost", () => {
  const state = new TopicState();
  state.apply({ ...snapshot(1, { id: 1, side: "buy" }), delivery: "event" });
  assert.ok(state.apply({ ...update(2, { id: 2, note: null }), delivery: "event" }));
  assert.deepEqual(state.image, { id: 2, note: null });
  assert.ok(state.apply({ type: "gap", from: 3, to: 7 }));
  assert.ok(state.apply(update(8, { id: 8 })));
  assert.deepEqual(state.image, { id: 8 });
  assert.ok(!state.apply({ type: "gap", from: 10, to: 12 }));
});

test("data that is no object does not fit", () => {
  for (const data of [null, [], "x", 1, undefined]) {
    const state = new TopicState();
    assert.ok(!state.apply(update(1, data === undefined ? null : data)));
    assert.ok(!state.apply({ type: "snapshot", seq: 1, status: "live", data }));
    assert.deepEqual(state.image, {});
  }
});

// A topic of the server, and a channel that loses, repeats and swaps messages. Whatever arrives: a confirmed state is one that
// the topic really went through, and a message is only refused when the channel did wrong.
test("property: a confirmed image is the server's image at its seq", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const { next, int, pick } = chance(seed);
    const history = [{}]; // image at each seq
    const state = new TopicState();
    const wrong = seed % 3 === 0 ? 0 : 0.15;
    let inFlight = [];
    for (let step = 0; step < 60; step++) {
      if (next() < 0.15) {
        inFlight.push({ type: "snapshot", seq: history.length - 1, ts: 1, status: "live", data: history.at(-1) });
      } else {
        const data = Object.fromEntries(Array.from({ length: int(3) + 1 }, () => [pick(["a", "b", "c", "d"]), pick([null, 1, "0.10", { n: null }])]));
        history.push(merge(history.at(-1), data));
        inFlight.push({ type: "update", seq: history.length - 1, ts: 1, data });
      }
      if (next() < wrong) inFlight.splice(int(inFlight.length), 1);
      if (next() < wrong) inFlight.push(pick(inFlight) ?? inFlight.pop());
      if (next() < wrong) inFlight = inFlight.reverse();
      inFlight = inFlight.filter(Boolean);
      while (inFlight.length && next() < 0.7) {
        const fits = state.apply(inFlight.shift());
        assert.equal(fits, state.confirmed, `seed ${seed} step ${step}`);
        if (wrong === 0) assert.ok(fits, `seed ${seed} step ${step}: nothing was lost`);
        if (fits) assert.deepEqual(state.image, history[state.seq], `seed ${seed} step ${step}`);
      }
    }
  }
});
