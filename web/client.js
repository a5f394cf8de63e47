// A subscriber: topics over one connection, each fresh or known to be stale.
//
// What is wanted (subscriptions and repairs) and what the server was asked for meet in #reconcile(); nothing else subscribes.
import { Connection, backoffMs } from "./connection.js";
import { TopicState, isPattern, matches } from "./topic.js";

export const TOPICS_PER_COMMAND = 4_000; // and as many seqs, of any length, are within the server's limit
export const REPAIR_MS = 250; // the holes of this time are repaired by one command
export const SUBSCRIBED_MS_MAX = 60_000; // its ack waits behind the snapshots of the commands before it
export const RETRY_FIRST = 2; // attempt of backoffMs() that a refused topic begins with
export const TOKEN_BYTES_MAX = 8_192;
export const TOPICS_MAX = 100_000;
const NEVER_SEEN = new TopicState();

export class TickwireError extends Error {
  constructor({ code = "internal", message = code, topic, field, retryable = false }) {
    super(message);
    Object.assign(this, { name: "TickwireError", code, topic, field, retryable });
  }
}

// Why a name cannot be asked for: beside others in one command it would take them down, too.
function faultOf(name, maxRate) {
  if (!/^[\w:.*>-]{1,200}$/.test(name)) return { code: "bad_topic", field: "topics", message: "not a topic or pattern of 1 to 200 bytes" };
  if (maxRate === 0 || (maxRate >= 0.02 && maxRate <= 1000)) return undefined;
  return { code: "bad_message", field: "max_rate", message: `max_rate: must be 0, or 0.02 to 1000, not ${maxRate}` };
}

class Subscription {
  constructor(names, { onUpdate = () => {}, maxRate = 0 } = {}, close) {
    const faults = new Map(names.map((name) => [name, faultOf(name, maxRate)]).filter(([, fault]) => fault));
    const topics = names.filter((name) => !faults.has(name));
    Object.assign(this, { topics: new Set(topics), patterns: topics.filter(isPattern), faults, onUpdate, maxRate, close });
  }

  matches(topic) {
    return this.topics.has(topic) || this.patterns.some((pattern) => matches(pattern, topic));
  }

  // The keys of a Map that it matches.
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
  #refused = new Map(); // topic or pattern -> TickwireError
  #retryTimer;
  #retries = 0;
  #authTimer;
  #token; // of auth()
  #repairs = new Set(); // topics that had a hole: asked for by name, even under a pattern
  #repairTimer;

  // `url`: a string, or a function called for each connection (to renew a token in it).
  constructor(url, { topicsMax = TOPICS_MAX } = {}) {
    super();
    this.#topicsMax = topicsMax;
    this.#connection = new Connection(url, (message) => this.#onMessage(message), (change) => this.#onState(change));
  }

  // connecting | open | away (will connect again in retryMs) | closed (will not)
  get state() {
    return this.#connection.state;
  }
  get retryMs() {
    return this.#connection.retryMs;
  }
  // Topics and patterns that were refused -> TickwireError; what is retryable is asked for again.
  get refused() {
    return new Map(this.#refused);
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
      this.#unconfirm(subscription, this.#wantedRates());
      for (const topic of subscription.among(this.#topics)) if (!this.#listenersOf(topic).length) this.#forget(topic);
      this.#reconcile();
    });
  }

  // {status: live | stale | halted | closed | unknown | refused | unavailable, fresh, seq, ts, ageMs: by the server's clock}
  // ageMs is null while the server's time is not known.
  status(topic) {
    let { seq, ts, confirmed, status } = this.#topics.get(topic) ?? NEVER_SEEN;
    const refusal = this.#refused.get(topic);
    confirmed &&= !refusal && this.#connection.sure;
    if (seq > 0 && !confirmed) status = "stale";
    if (refusal && !refusal.retryable) status = "refused";
    else if (refusal && !seq) status = "unavailable";
    const age = this.#connection.serverNow - ts;
    return { status, fresh: confirmed && status !== "stale", seq, ts, ageMs: ts && (Number.isNaN(age) ? null : Math.max(0, age)) };
  }

  // Resolves with {topic, seq} or rejects with a TickwireError: at once while not connected, and for what the server would refuse.
  async publish(topic, data) {
    const limits = await import("./limits.js").catch(({ message }) => {
      throw new TickwireError({ code: "unavailable", message, topic, retryable: true });
    });
    const fault = limits.faultOf(topic, data);
    if (fault) throw new TickwireError({ ...fault, topic });
    const { results: [result = {}] = [] } = await this.#ask({ type: "publish", topic, data });
    if (result.error) throw new TickwireError({ ...result.error, topic });
    return result;
  }

  // Hands over a token, now and for each later connection (an "error" event says when a later one is refused). Resolves when it
  // is accepted, or at once while not connected; what was refused is asked for again then. `judged` of what it resolves to is
  // false where the server has no authenticator, and nothing to say of any token.
  async auth(token) {
    if (new TextEncoder().encode(token).length > TOKEN_BYTES_MAX) {
      throw new TickwireError({ code: "bad_message", field: "token", message: `token: at most ${TOKEN_BYTES_MAX} bytes` });
    }
    this.#token = token;
    return this.state === "open" ? this.#authenticate() : { judged: false };
  }

  close() {
    this.#connection.close();
  }

  #ask(command) {
    return new Promise((resolve, reject) => {
      const settle = (answer) => (answer.type === "error" ? reject(new TickwireError({ ...answer, topic: command.topic })) : resolve(answer));
      if (this.state === "open") this.#connection.send(command, settle);
      else settle({ type: "error", code: "unavailable", message: "not connected", retryable: true });
    });
  }

  async #authenticate(tries = 0) {
    const token = this.#token ?? new URL(this.#connection.url).searchParams.get("token");
    clearTimeout(this.#authTimer);
    let answer;
    try {
      answer = await this.#ask({ type: "auth", token });
    } catch (error) {
      if (error.retryable) this.#authenticateLater(tries + 1);
      throw error;
    }
    for (const name of this.#refused.keys()) this.#asked.delete(name);
    this.#reconcile();
    return { judged: answer.judged ?? true };
  }

  #authenticateLater(tries = 0) {
    clearTimeout(this.#authTimer);
    this.#authTimer = setTimeout(() => this.state === "open" && this.#reauthenticate(tries), backoffMs(RETRY_FIRST + tries));
  }

  #reauthenticate(tries) {
    this.#authenticate(tries).catch((error) => this.#emit("error", { error }));
  }

  #onState(change) {
    for (const state of this.#topics.values()) state.confirmed = false;
    for (const map of [this.#asked, this.#refused, this.#repairs]) map.clear();
    this.#retries = 0;
    for (const timer of [this.#retryTimer, this.#authTimer]) clearTimeout(timer);
    this.#retryTimer = undefined;
    this.#emit("state", change);
  }

  #onMessage(message) {
    const { type, topic } = message;
    if (type === "welcome") this.#resume(message);
    else if (type === "error") this.#onError(message);
    else if (typeof topic === "string" && /^(snapshot|update|status|gap)$/.test(type)) this.#onTopic(message);
  }

  #resume({ epoch, server }) {
    const held = new Map([...this.#topics].map(([topic, { seq }]) => [topic, seq]));
    const anew = epoch !== this.epoch;
    if (anew) for (const state of this.#topics.values()) state.forget();
    Object.assign(this, { epoch, server });
    if (this.#token !== undefined) this.#reauthenticate();
    this.#reconcile(anew ? undefined : held);
    if (held.size) this.#emit("resume", { recovered: false });
  }

  // With an id it answers a command that nobody waits for any more.
  #onError({ id, topic, ...failure }) {
    if (id !== undefined) return;
    if (this.#asked.has(topic)) return this.#refuse([[topic, failure]]);
    if (failure.field === "token" && failure.retryable) this.#authenticateLater();
    this.#emit("error", { error: new TickwireError({ ...failure, topic }) });
  }

  #onTopic(message) {
    const { type, topic } = message;
    const state = this.#stateOf(topic);
    if (!state) return;
    const awaitsRepair = this.#repairs.has(topic) && !state.confirmed;
    if (state.apply(message)) {
      this.#refused.delete(topic); // it flows
      this.#tell(topic, type, message);
    } else if (!awaitsRepair) this.#repair(topic);
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
    const faults = new Map([...this.#subscriptions].flatMap((subscription) => [...subscription.faults]));
    this.#asked = wanted;
    this.#send({ type: "unsubscribe" }, [...asked.keys()].filter((name) => !wanted.has(name) && (this.#refused.get(name)?.retryable ?? true)));
    for (const name of this.#refused.keys()) if (!wanted.has(name) && !faults.has(name)) this.#refused.delete(name);
    this.#refuse([...faults].filter(([name]) => !wanted.has(name) && !this.#refused.has(name)));
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
      const onAnswer = (answer) => command.type === "subscribe" && this.#onAck(answer, topics);
      this.#connection.send({ ...command, topics, ...resume }, onAnswer, SUBSCRIBED_MS_MAX);
    }
  }

  #onAck({ type, results = [], ...failure }, names) {
    if (this.state !== "open") return;
    const failures = type === "error" ? names.map((name) => [name, failure]) : [];
    for (const { topic, seq, error, recovered, missed } of results) {
      if (error) failures.push([topic, error]);
      else this.#refused.delete(topic);
      if (seq === 0) this.#standsEmpty(topic);
      if (recovered !== undefined) this.#emit("resume", { topic, recovered, missed });
    }
    this.#refuse(failures.filter(([name]) => this.#asked.has(name)));
    if (![...this.#refused.values()].some(({ retryable }) => retryable)) this.#retries = 0;
  }

  #standsEmpty(topic) {
    const state = this.#stateOf(topic);
    const hadData = state?.ts > 0; // in another epoch
    state?.confirmEmpty();
    if (hadData) this.#tell(topic, "snapshot", { data: state.image });
  }

  // `failures`: [name, failure] of each. What can succeed later is asked for again, all together.
  #refuse(failures) {
    const errors = failures.map(([topic, failure]) => new TickwireError({ ...failure, topic }));
    for (const error of errors) this.#refused.set(error.topic, error);
    if (errors.length) this.#unconfirm(new Subscription(errors.map(({ topic }) => topic)), this.#asked);
    if (errors.some(({ retryable }) => retryable)) this.#retryTimer ??= setTimeout(() => this.#retry(), backoffMs(RETRY_FIRST + this.#retries++));
    for (const error of errors) this.#emit("error", { error });
  }

  #retry() {
    this.#retryTimer = undefined;
    for (const [name, { retryable }] of this.#refused) if (retryable) this.#asked.delete(name);
    this.#reconcile();
  }

  // What `subscription` brought is not up to date, unless another of `names` that the server serves brings it, too.
  #unconfirm(subscription, names) {
    const served = new Subscription([...names.keys()].filter((name) => this.#asked.has(name) && !this.#refused.has(name)));
    for (const topic of subscription.among(this.#topics)) if (!served.matches(topic)) this.#topics.get(topic).confirmed = false;
  }

  // "state" {state, code, reason}, "error" {error: TickwireError}, "resume" {topic, recovered, missed}
  #emit(type, fields) {
    this.dispatchEvent(Object.assign(new Event(type), fields));
  }
}

export const connect = (url, options) => new Client(url, options);
