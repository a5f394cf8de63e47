import assert from "node:assert/strict";
import test from "node:test";
import "../../../web/publish.js"; // so that a publish does not wait for it
import { connected } from "./connected.mjs";
import { FakeSocket, clock, settle } from "./fakes.mjs";

const wire = (type) => FakeSocket.last.commands(type);

test("a publish with a name is sent again after a lost connection, and a duplicate is a success", async () => {
  const { client, server } = await connected();
  const sent = client.publish("chat.lobby", { text: "hi" }, { once: "n1" });
  const lost = client.publish("chat.lobby", { text: "hi" });
  await settle();
  server.drop();
  await assert.rejects(lost, { message: "the connection was lost" });
  await clock.advance(1_000);
  FakeSocket.last.welcome();
  await clock.advance(200);
  const again = wire("publish");
  assert.deepEqual(again.map(({ once }) => once), ["n1"]);
  FakeSocket.last.say({ type: "ack", id: again[0].id, results: [{ topic: "chat.lobby", seq: 9, duplicate: true }] });
  assert.deepEqual(await sent, { topic: "chat.lobby", seq: 9, duplicate: true });
});

test("a publish with a name is not tried again for ever, nor after what is final", async () => {
  const { client, server } = await connected();
  const publish = (once) => client.publish("a.1", {}, { once });
  const refused = publish("n1");
  await settle();
  server.say({ type: "error", id: wire("publish")[0].id, code: "too_many", message: "slower", retryable: true });
  await assert.rejects(refused, { code: "too_many" }, "a newer update may have gone before it");
  await assert.doesNotReject(() => Promise.race([publish("x".repeat(64)), settle()]));
  for (const bad of ["", "x".repeat(65), "é".repeat(33), 7, null, "\ud800"]) await assert.rejects(publish(bad), { code: "bad_message", field: "once" });
  server.drop();
  const late = assert.rejects(publish("n2"), { code: "unavailable", message: "not connected" });
  await clock.advance(31_000);
  await late;
  const closed = assert.rejects(publish("n3"), { code: "unavailable" });
  client.close();
  await clock.advance(200);
  await closed;
});
