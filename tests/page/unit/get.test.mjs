// The state of topics, once.
import assert from "node:assert/strict";
import test from "node:test";
import "../../../web/get.js"; // so that a get does not wait for it
import { connected } from "./connected.mjs";
import { FakeSocket, settle } from "./fakes.mjs";

const wire = (type) => FakeSocket.last.commands(type);

test("get follows the pages, leaves out what nobody published, and rejects what is refused", async () => {
  const { client, server } = await connected();
  const sent = client.get(["a.*", "none"]);
  await settle();
  const state = (topic) => ({ topic, seq: 3, ts: 5, status: "live", data: { last: "1.00" } });
  const [first] = wire("get");
  assert.deepEqual([first.topics, first.after], [["a.*", "none"], ""]);
  server.say({ type: "ack", id: first.id, epoch: "e1", results: [state("a.1")], next: "0:a.1" });
  await settle();
  const second = wire("get").at(-1);
  assert.equal(second.after, "0:a.1");
  server.say({ type: "ack", id: second.id, epoch: "e1", results: [state("a.2"), { topic: "none", error: { code: "unknown_topic", message: "none", retryable: false } }] });
  const states = await sent;
  assert.deepEqual([...states.keys()], ["a.1", "a.2"]);
  assert.deepEqual(states.get("a.1"), { kind: "snapshot", ...state("a.1"), image: { last: "1.00" } });
  const denied = client.get("secret");
  await settle();
  server.say({ type: "ack", id: wire("get").at(-1).id, epoch: "e1", results: [{ topic: "secret", error: { code: "denied", message: "no", retryable: false } }] });
  await assert.rejects(denied, { name: "TickwireError", code: "denied", topic: "secret" });
  assert.equal(client.status("a.1").status, "unknown");
});
