import assert from "node:assert/strict";
import test from "node:test";
import { TopicState } from "../../../web/topic.js";
import { connected } from "./connected.mjs";
import { clock, settle } from "./fakes.mjs";

const message = (seq) => ({ type: "update", topic: "chat.a", seq, ts: clock.now, delivery: "event", data: { text: String(seq) } });

test("an event topic begins with the last messages that were asked for", async () => {
  const { client, server } = await connected();
  const texts = [];
  client.subscribe("chat.a", { last: 2, onUpdate: ({ kind, data }) => texts.push(`${kind} ${data?.text}`) });
  client.subscribe("chat.b", {});
  await settle();
  assert.deepEqual(server.commands("subscribe").map(({ topics, last }) => [topics, last]), [[["chat.a"], 2], [["chat.b"], undefined]]);
  for (const seq of [41, 42, 43]) server.say(message(seq));
  assert.deepEqual(texts, ["update 41", "update 42", "update 43"]);
  assert.ok(client.status("chat.a").fresh);
});

test("with what the client has it goes on, and asks for no last messages", async () => {
  const { client, server } = await connected();
  client.subscribe("chat.*", { last: 5 });
  await settle();
  server.say(message(7));
  server.say({ type: "ack", id: 1, results: [{ topic: "chat.*" }] });
  client.subscribe("chat.a", { last: 9 });
  await settle();
  assert.deepEqual(server.commands("subscribe").map(({ last }) => last), [5, undefined]);
});

test("the first of the last messages may have any number, and a hole after it is a hole", () => {
  const state = new TopicState();
  assert.ok(state.apply({ type: "gap", from: 3, to: 4, delivery: "event" }));
  assert.ok(state.apply(message(5)));
  assert.ok(!state.apply(message(7)));
  const value = new TopicState();
  assert.ok(!value.apply({ type: "update", seq: 5, data: {} }), "a value topic begins with its image");
});

test("a number of last messages that the server would refuse is refused alone", async () => {
  const { client, server } = await connected();
  for (const last of [-1, 0.5, 65_537]) client.subscribe(`chat.${String(last).replace(/\W/g, "_")}`, { last });
  client.subscribe("chat.a", { last: 65_536 });
  await settle();
  assert.deepEqual(server.commands("subscribe").map(({ topics }) => topics), [["chat.a"]]);
  assert.deepEqual([...client.refused.values()].map(({ field }) => field), ["last", "last", "last"]);
});
