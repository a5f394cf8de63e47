// When a client takes HTTP in place of a WebSocket, and when it goes back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../../web/client.js";
import "../../../web/road.js"; // so that it is there when it is wanted
import { FakeSocket, clock, settle } from "./fakes.mjs";

// HTTP that answers, or does not: `up` may be changed.
function http(up = true) {
  const asked = [];
  const state = { up, asked };
  globalThis.fetch = async (url) => {
    asked.push(String(url));
    if (!state.up) throw new TypeError("nothing is there");
    return { ok: true, json: async () => ({ epoch: "e1", server: "tickwire/test", ts: clock.now }) };
  };
  return state;
}

async function turns() {
  for (let i = 0; i < 20; i++) await settle(); // a module is fetched
}

async function fail(client, times) {
  for (let i = 0; i < times; i++) {
    FakeSocket.last.drop();
    await turns();
    await clock.advance(client.retryMs);
    await turns();
  }
}

test("one WebSocket that fails is followed by another", async () => {
  http();
  const client = connect("ws://h/ws");
  await fail(client, 1);
  assert.deepEqual([FakeSocket.all.length, client.state], [2, "connecting"]);
  FakeSocket.last.welcome();
  assert.equal(client.transport, "websocket");
});

test("two that fail while HTTP answers are followed by HTTP", async () => {
  const { asked } = http();
  const client = connect("ws://h/plant/ws?token=secret");
  assert.equal(client.transport, "");
  await fail(client, 2);
  assert.deepEqual([FakeSocket.all.length, client.state, client.transport], [2, "open", "sse"]);
  assert.ok(asked.every((url) => url.startsWith("http://h/plant/") && !url.includes("secret")), String(asked));
});

test("where HTTP does not answer either, the next is a WebSocket", async () => {
  http(false);
  const client = connect("ws://h/ws");
  await fail(client, 5);
  assert.equal(FakeSocket.all.length, 6);
});

test("failures with a success between are no reason", async () => {
  http();
  const client = connect("ws://h/ws");
  for (let i = 0; i < 4; i++) {
    await fail(client, 1);
    FakeSocket.last.welcome();
    await settle();
    assert.equal(client.transport, "websocket");
  }
});

test("when HTTP fails as well, a WebSocket is tried again", async () => {
  const state = http();
  const client = connect("ws://h/ws");
  await fail(client, 2);
  assert.equal(client.transport, "sse");
  state.up = false;
  const before = FakeSocket.all.length;
  client.subscribe("a"); // the stream cannot be had
  for (let i = 0; i < 5_000 && FakeSocket.all.length === before; i++) await clock.advance(10);
  assert.ok(FakeSocket.all.length > before);
});
