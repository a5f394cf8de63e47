// What a page may publish: refused here, by field and limit, before it can take the connection down for others.
import assert from "node:assert/strict";
import test from "node:test";
import { connect } from "../../../web/client.js";
import { DEPTH_MAX, PAYLOAD_BYTES_MAX, faultOf } from "../../../web/limits.js";
import { FakeSocket, settle } from "./fakes.mjs";

const deep = (levels) => (levels === 1 ? {} : { a: deep(levels - 1) });
const wide = (bytes) => ({ a: "x".repeat(bytes - '{"a":""}'.length) });
const circle = {};
circle.self = circle;

const refused = {
  "an infinity": [{ p: { last: Infinity } }, /^data\.p\.last: Infinity/],
  "NaN in a list": [{ p: [1, NaN] }, /^data\.p\[1\]: NaN/],
  "NaN in a list of objects": [{ a: { b: [[], { c: NaN }] } }, /^data\.a\.b\[1\]\.c: NaN/],
  "a BigInt": [{ n: 10n }, /^data\.n: a BigInt/],
  "half of a surrogate pair": [{ text: "\ud800" }, /^data\.text: .*surrogate/],
  "half of one in a name": [{ "\udc00": 1 }, /surrogate/],
  "one level too many": [deep(DEPTH_MAX + 1), /at most 16 levels deep, not 17/],
  "far too deep": [deep(9_000), /at most 16 levels/],
  "a circle": [circle, /without circles/],
  "one byte too many": [wide(PAYLOAD_BYTES_MAX + 1), /at most 1048576 bytes, not 1048577/],
  "characters of several bytes": [{ a: "é".repeat(600_000) }, /at most 1048576 bytes/],
  "a text": ["{}", /must be an object/],
  "a list": [[1], /must be an object/],
  "null": [null, /must be an object/],
  "nothing": [undefined, /must be an object/],
  "what says it is a text": [new Date(0), /must be an object/],
};

for (const [name, [data, message]] of Object.entries(refused)) {
  test(`refused: ${name}`, () => {
    const fault = faultOf("a.1", data);
    assert.equal(fault.code, "bad_data");
    assert.match(fault.field, /^data/);
    assert.match(fault.message, message);
  });
}

test("what is within the limits passes", () => {
  for (const data of [{}, deep(DEPTH_MAX), wide(PAYLOAD_BYTES_MAX), { text: "😀 \\ud800 [[[[[[[[[[[[[[[[[[[[ \" {" }, { at: new Date(0) }, { a: undefined }, { n: -0 }]) {
    assert.equal(faultOf("a.1", data), undefined);
  }
});

test("bad topics", () => {
  for (const topic of ["", "no such", "a.*", "a.>", "x".repeat(201), "\ud800", undefined, 1, Symbol("a"), { toString: null }]) assert.equal(faultOf(topic, {})?.code, "bad_topic");
  assert.equal(faultOf("x".repeat(200), {}), undefined);
});

test("a publish to what is no text rejects with a TickwireError", async () => {
  const client = connect("ws://h/ws");
  await assert.rejects(client.publish(Symbol("a"), {}), { name: "TickwireError", code: "bad_topic", field: "topic" });
});

test("a refused publish sends nothing, and the connection goes on", async () => {
  const client = connect("ws://h/ws");
  FakeSocket.last.welcome();
  await assert.rejects(client.publish("a.1", wide(3_000_000)), { name: "TickwireError", code: "bad_data", field: "data", topic: "a.1", retryable: false });
  assert.deepEqual([FakeSocket.last.sent, client.state], [[], "open"]);
  const sent = client.publish("a.1", { last: "1" });
  await settle();
  FakeSocket.last.say({ type: "ack", id: FakeSocket.last.sent[0].id, results: [{ topic: "a.1", seq: 1 }] });
  assert.deepEqual(await sent, { topic: "a.1", seq: 1 });
});
