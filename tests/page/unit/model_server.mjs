// The server's half of docs/PROTOCOL.md over FakeSockets: enough of it to judge a client by. It keeps the last RING updates of each topic.
import { matches, merge } from "../../../web/topic.js";
import { FakeSocket, clock } from "./fakes.mjs";

export const RING = 4;

export class ModelServer {
  topics = new Map(); // topic -> {seq, image, status, history}
  epoch = 1;
  #seen = new Map(); // socket -> {read, names: Map, wire: messages under way}

  publish(topic, data) {
    const { seq = 0, image = {}, history = [] } = this.topics.get(topic) ?? {};
    this.topics.set(topic, { seq: seq + 1, image: merge(image, data), status: "live", history: [...history, data] });
    this.#tell(topic, { type: "update", topic, seq: seq + 1, ts: clock.now, data });
  }

  setStatus(topic, status) {
    const state = this.topics.get(topic);
    if (!state) return;
    state.status = status;
    this.#tell(topic, { type: "status", topic, seq: state.seq, ts: clock.now, status });
  }

  restartEmpty() {
    this.topics.clear();
    this.epoch++;
  }

  // Reads what clients sent, and lets their messages through; `lossy(message)` may eat one.
  run(lossy = () => false) {
    for (const socket of FakeSocket.all) {
      if (!socket.onmessage) this.#seen.delete(socket);
      else this.#serve(socket, lossy);
    }
  }

  #serve(socket, lossy) {
    let session = this.#seen.get(socket);
    if (!session) {
      this.#seen.set(socket, (session = { read: 0, names: new Map(), wire: [] }));
      socket.welcome({ epoch: `e${this.epoch}` });
    }
    for (; session.read < socket.sent.length; session.read++) this.#obey(session, socket.sent[session.read]);
    for (const message of session.wire.splice(0)) if (!lossy(message)) socket.say(message);
  }

  #obey({ names, wire }, { type, id, topics = [], since = {}, epoch }) {
    const known = epoch === `e${this.epoch}` ? since : {};
    const results = topics.map((topic) => ({ ...this.#one(type, names, topic), ...this.#recovery(topic, since, known) }));
    wire.push({ type: "ack", id, results });
    if (type !== "subscribe") return;
    for (const [topic, state] of this.topics) {
      if (topics.some((name) => names.has(name) && matches(name, topic))) this.#begin(wire, topic, state, known[topic]);
    }
  }

  #behind = (topic, seq) => (this.topics.get(topic)?.seq ?? 0) - seq;

  #recovery(name, since, known) {
    const wanted = Object.keys(since).filter((topic) => matches(name, topic));
    if (!wanted.length) return {};
    const missed = wanted.map((topic) => this.#behind(topic, known[topic]));
    const recovered = missed.every((count) => count >= 0 && count <= RING);
    return { recovered, missed: missed.every((count) => count >= 0) ? missed.reduce((a, b) => a + b) : undefined };
  }

  #begin(wire, topic, { seq, image, status, history }, since) {
    if (!(this.#behind(topic, since) >= 0 && this.#behind(topic, since) <= RING)) {
      wire.push({ type: "snapshot", topic, seq, ts: clock.now, status, data: image });
      return;
    }
    for (let at = since; at < seq; at++) wire.push({ type: "update", topic, seq: at + 1, ts: clock.now, data: history[at] });
    wire.push({ type: "status", topic, seq, ts: clock.now, status });
  }

  #one(type, names, topic) {
    if (topic.startsWith("secret")) return { topic, error: { code: "denied", message: `${topic}: no`, retryable: false } };
    if (type === "unsubscribe") return names.delete(topic) ? { topic } : { topic, error: { code: "not_subscribed" } };
    names.set(topic, true);
    return /[*>]/.test(topic) ? { topic } : { topic, seq: this.topics.get(topic)?.seq ?? 0 };
  }

  #tell(topic, message) {
    for (const { names, wire } of this.#seen.values()) {
      if ([...names.keys()].some((name) => matches(name, topic))) wire.push(message);
    }
  }
}
