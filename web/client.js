// A subscriber: topics over one connection, each fresh or known to be stale.
//
// What is wanted (subscriptions and repairs) and what the server was asked for meet in #reconcile(); nothing else subscribes.
import { Connection } from "./connection.js";
import { TopicState, isPattern, matches } from "./topic.js";

export const TOPICS_PER_COMMAND = 4_000; // and as many seqs, of any length, are within the server's limit
export const REPAIR_MS = 250; // the holes of this time are repaired by one command
export const RETRY_MS = 5_000; // then a refused topic is asked for again, if that can help
export const TOPICS_MAX = 100_000;
const NEVER_SEEN = new TopicState();

export class TickwireError extends Error {
  constructor({ code = "internal", message = code, topic, retryable = false }) {
    super(message);
    Object.assign(this, { name: "TickwireError", code, topic, retryable });
  }
}

class Subscription {
  constructor(topics, { onUpdate = () => {}, maxRate = 0 } = {}, close) {
    Object.assign(this, { topics: new Set(topics), patterns: topics.filter(isPattern), onUpdate, maxRate, close });
  }

  matches(topic) {
    return this.topics.has(topic) || this.patterns.some((pattern) => matches(pattern, topic));
  }

  // Those keys of a Map that it matches.
  among(map) {
    return [...(this.patterns.length ? map.keys() : this.topics)].filter((topic) => map.has(topic) && this.matches(topic));
  }
}

export class Client extends EventTarget {
  images = new Map(); // topic -> image; read only
  ignored = 0; // messages of topics past topicsMax
  epoch = "";
  server = "";
  #topicsMax;
  #connection;
  #subscriptions = new Set();
  #topics = new Map(); // topic -> TopicState
  #listeners = new Map(); // topic -> its subscriptions, until those change
  #asked = new Map(); // topic or pattern -> max_rate that the server was asked for
  #refused = new Set(); // of those
  #repairs = new Set(); // topics that had a hole: asked for by name, even under a pattern
  #repairTimer;
  #clockOffset = 0; // server time - local time

  // `url`: a string, or a function called for each connection (to renew a token in it).
  constructor(url, { topicsMax = TOPICS_MAX } = {}) {
    super();
    this.#topicsMax = topicsMax;
    this.#connection = new Connection(url, (message) => this.#onMessage(message), (change) => this.#onState(change));
  }

  // connecting | open | away (will connect again at retryAt) | closed (will not)
  get state() {
    return this.#connection.state;
  }
  get retryAt() {
    return this.#connection.retryAt;
  }

  // `handler`: a function of an update, or {onUpdate, maxRate}. An update: see #update; from and to are a gap's.
  subscribe(topics, handler = {}) {
    const options = typeof handler === "function" ? { onUpdate: handler } : handler;
    const subscription = new Subscription([topics].flat().map(String), options, () => this.unsubscribe(subscription));
    this.#subscriptions.add(subscription);
    this.#listeners.clear();
    queueMicrotask(() => {
      for (const topic of subscription.among(this.images)) this.#hand(subscription, this.#update("snapshot", topic));
      this.#reconcile();
    });
    return subscription;
  }

  unsubscribe(subscription) {
    if (!this.#subscriptions.delete(subscription)) return;
    this.#listeners.clear();
    // Another may have taken its topics over by then.
    queueMicrotask(() => {
      const wanted = this.#wantedRates();
      const kept = new Subscription([...this.#asked.keys()].filter((name) => wanted.has(name) && !this.#refused.has(name)));
      for (const topic of subscription.among(this.#topics)) {
        if (!kept.matches(topic)) this.#topics.get(topic).confirmed = false;
        if (!this.#listenersOf(topic).length) this.#forget(topic);
      }
      this.#reconcile();
    });
  }

  // {status: live | stale | halted | closed | unknown | refused, fresh, seq, ts, ageMs: by the server's clock}
  status(topic) {
    let { seq, ts, confirmed, status } = this.#topics.get(topic) ?? NEVER_SEEN;
    if (seq > 0 && !confirmed) status = "stale";
    if (this.#refused.has(topic)) status = "refused";
    const fresh = confirmed && status !== "stale" && status !== "refused";
    return { status, fresh, seq, ts, ageMs: ts && Math.max(0, Date.now() + this.#clockOffset - ts) };
  }

  // Resolves with {topic, seq} or rejects with a TickwireError: at once while not connected.
  async publish(topic, data) {
    if (this.state !== "open") throw new TickwireError({ message: "not connected", topic, retryable: true });
    return new Promise((resolve, reject) => {
      this.#connection.send({ type: "publish", topic, data }, ({ results = [], type, ...rest }) => {
        const failure = type === "error" ? rest : results[0]?.error;
        if (failure) reject(new TickwireError({ ...failure, topic }));
        else resolve(results[0]);
      });
    });
  }

  close() {
    this.#connection.close();
  }

  #onState(change) {
    for (const state of this.#topics.values()) state.confirmed = false;
    for (const map of [this.#asked, this.#refused, this.#repairs]) map.clear();
    this.#emit("state", change);
  }

  #onMessage(message) {
    const { type, topic, ts } = message;
    if (ts > 0 && /welcome|heartbeat/.test(type)) this.#clockOffset = ts - Date.now();
    if (type === "welcome") this.#resume(message);
    else if (type === "error") this.#refuse(topic, message);
    else if (typeof topic === "string" && /^(snapshot|update|status|gap)$/.test(type)) this.#onTopic(message);
  }

  #resume({ epoch, server }) {
    const held = new Map([...this.#topics].map(([topic, { seq }]) => [topic, seq]));
    const anew = epoch !== this.epoch;
    if (anew) for (const state of this.#topics.values()) state.forget();
    Object.assign(this, { epoch, server });
    this.#reconcile(anew ? undefined : held);
    if (held.size) this.#emit("resume", { recovered: false });
  }

  #onTopic(message) {
    const { type, topic } = message;
    const state = this.#stateOf(topic);
    if (!state) return;
    const awaitsRepair = this.#repairs.has(topic) && !state.confirmed;
    if (state.apply(message)) this.#tell(topic, type, message);
    else if (!awaitsRepair) this.#repair(topic);
  }

  // Undefined when nobody here wants it, or it is one too many.
  #stateOf(topic) {
    if (!this.#topics.has(topic) && this.#listenersOf(topic).length) {
      if (this.#topics.size < this.#topicsMax) this.#topics.set(topic, new TopicState());
      else this.ignored++;
    }
    return this.#topics.get(topic);
  }

  #update(kind, topic, { data, from, to } = { data: this.images.get(topic) }) {
    const { image } = this.#topics.get(topic);
    const { status, seq, ts } = this.status(topic);
    return { kind, topic, seq, ts, status, data, image, from, to };
  }

  #tell(topic, kind, message) {
    this.images.set(topic, this.#topics.get(topic).image);
    const update = this.#update(kind, topic, message);
    for (const subscription of this.#listenersOf(topic)) this.#hand(subscription, update);
  }

  #hand(subscription, update) {
    if (!this.#subscriptions.has(subscription)) return;
    try {
      subscription.onUpdate(update);
    } catch (error) {
      (globalThis.reportError ?? console.error)(error); // one handler's fault must not reach another
    }
  }

  #listenersOf(topic) {
    const found = this.#listeners.get(topic) ?? [...this.#subscriptions].filter((subscription) => subscription.matches(topic));
    if (this.#topics.has(topic)) this.#listeners.set(topic, found);
    return found;
  }

  #forget(topic) {
    for (const map of [this.#topics, this.images, this.#listeners, this.#repairs]) map.delete(topic);
  }

  #repair(topic) {
    this.#repairs.add(topic);
    this.#asked.delete(topic);
    this.#repairTimer ??= setTimeout(() => (this.#repairTimer = this.#reconcile()), REPAIR_MS);
  }

  // `held`: topic -> seq that the subscriptions go on with, each in one command.
  #reconcile(held) {
    if (this.state !== "open") return;
    const wanted = this.#wantedRates();
    const asked = this.#asked;
    this.#asked = wanted;
    this.#send({ type: "unsubscribe" }, [...asked.keys()].filter((name) => !wanted.has(name) && !this.#refused.delete(name)));
    for (const max_rate of new Set(wanted.values())) {
      const news = [...wanted.keys()].filter((name) => wanted.get(name) === max_rate && asked.get(name) !== max_rate);
      this.#send({ type: "subscribe", max_rate }, news, held);
    }
  }

  // For each name the fastest rate that anyone wants; 0 is every update, the fastest of all.
  #wantedRates() {
    const wanted = new Map();
    const want = (name, { maxRate }) => {
      const other = wanted.get(name) ?? maxRate;
      wanted.set(name, maxRate && other && Math.max(maxRate, other));
    };
    for (const subscription of this.#subscriptions) for (const name of subscription.topics) want(name, subscription);
    for (const topic of this.#repairs) for (const subscription of this.#listenersOf(topic)) want(topic, subscription);
    return wanted;
  }

  #send(command, names, held = new Map()) {
    for (let i = 0; i < names.length; i += TOPICS_PER_COMMAND) {
      const topics = names.slice(i, i + TOPICS_PER_COMMAND);
      const since = new Subscription(topics).among(held).slice(0, TOPICS_PER_COMMAND).map((topic) => [topic, held.get(topic)]);
      for (const [topic] of since) held.delete(topic);
      const resume = since.length && { since: Object.fromEntries(since), epoch: this.epoch };
      this.#connection.send({ ...command, topics, ...resume }, (answer) => command.type === "subscribe" && this.#onAck(answer, topics));
    }
  }

  #onAck({ type, results = [], ...failure }, names) {
    if (this.state !== "open") return;
    if (type === "error") for (const name of names) this.#refuse(name, failure);
    for (const { topic, seq, error, recovered, missed } of results) {
      if (error) this.#refuse(topic, error);
      else if (seq === 0) this.#standsEmpty(topic);
      if (recovered !== undefined) this.#emit("resume", { topic, recovered, missed });
    }
  }

  #standsEmpty(topic) {
    const state = this.#stateOf(topic);
    const hadData = state?.ts > 0; // in another epoch
    state?.confirmEmpty();
    if (hadData) this.#tell(topic, "snapshot", { data: state.image });
  }

  #refuse(topic, failure) {
    const error = new TickwireError({ ...failure, topic });
    if (this.#asked.has(topic)) {
      this.#refused.add(topic);
      const askAgain = () => this.#refused.delete(topic) && this.#asked.delete(topic) && this.#reconcile();
      if (error.retryable) setTimeout(askAgain, RETRY_MS);
    }
    this.#emit("error", { error });
  }

  // "state" {state, code, reason}, "error" {error: TickwireError}, "resume" {topic, recovered, missed}
  #emit(type, fields) {
    this.dispatchEvent(Object.assign(new Event(type), fields));
  }
}

export const connect = (url, options) => new Client(url, options);
