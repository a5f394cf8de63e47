// A subscriber: topics over one connection, each fresh or known to be stale.
//
// What is wanted (subscriptions and repairs) and what the server was asked for meet in #reconcile(); nothing else subscribes.
import { Connection, backoffMs } from "./connection.js";
import { Subscription, TickwireError } from "./subscription.js";
import { TopicState } from "./topic.js";

/** @import { Address, Change } from "./connection.js" */
/** @import { Failure, Handler, Kind, Standing, Update } from "./subscription.js" */
/** @import { Image, Message } from "./topic.js" */

export const TOPICS_PER_COMMAND = 4_000; // and as many seqs, of any length, are within the server's limit
export const REPAIR_MS = 250; // the holes of this time are repaired by one command
export const SUBSCRIBED_MS_MAX = 60_000; // its ack waits behind the snapshots of the commands before it
export const RETRY_FIRST = 2; // attempt of backoffMs() that a refused topic begins with
export const TOKEN_BYTES_MAX = 8_192;
export const TOPICS_MAX = 100_000;
const NEVER_SEEN = new TopicState();

/**
 * A client of one server, made by {@link connect}. It connects again by itself, and continues where it was.
 *
 * It emits events: `state` with `state`, `code` and `reason`; `error` with `error`, a {@link TickwireError}; and `resume` with
 * `topic`, `recovered` and `missed` after a lost connection.
 */
export class Client extends EventTarget {
  /** Topic to its current image. Do not change it. @type {Map<string, Image>} */
  images = new Map();
  /** The number of messages of topics beyond `topicsMax`. */
  ignored = 0;
  /** The name of the unbroken history that every `seq` belongs to. */
  epoch = "";
  /** The server's name and version. */
  server = "";
  #topicsMax;
  #connection;
  #subscriptions = /** @type {Set<Subscription>} */ (new Set());
  #topics = /** @type {Map<string, TopicState>} */ (new Map());
  #listeners = /** @type {Map<string, Subscription[]>} */ (new Map()); // topic -> its subscriptions, until those change
  #asked = /** @type {Map<string, number>} */ (new Map()); // topic or pattern -> max_rate that the server was asked for
  #refused = /** @type {Map<string, TickwireError>} */ (new Map());
  #retryTimer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  #retries = 0;
  #authTimer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  #token = /** @type {string | undefined} */ (undefined); // of auth()
  #repairs = /** @type {Set<string>} */ (new Set()); // topics that had a hole: asked for by name, even under a pattern
  #repairTimer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);

  /** @param {Address} url @param {{topicsMax?: number}} [options] */
  constructor(url, { topicsMax = TOPICS_MAX } = {}) {
    super();
    this.#topicsMax = topicsMax;
    this.#connection = new Connection(url, (message) => this.#onMessage(message), (change) => this.#onState(change));
  }

  /** `connecting`, `open`, `away` (it connects again in `retryMs`) or `closed` for good. */
  get state() {
    return this.#connection.state;
  }
  /** Milliseconds to the next attempt to connect, while `away`. */
  get retryMs() {
    return this.#connection.retryMs;
  }
  /** The topics and patterns that were refused, each with its error. Those that are retryable are asked for again. */
  get refused() {
    return new Map(this.#refused);
  }

  /**
   * Subscribes to topics and patterns. A topic that the client has already begins with a snapshot of that.
   * @param {string | string[]} topics
   * @param {Handler | ((update: Update) => void)} handler
   * @returns {Subscription} end it with its `close()`
   */
  subscribe(topics, handler = {}) {
    const options = typeof handler === "function" ? { onUpdate: handler } : handler;
    /** @type {Subscription} */
    const subscription = new Subscription([topics].flat().map(String), options, () => this.unsubscribe(subscription));
    this.#subscriptions.add(subscription);
    this.#listeners.clear();
    queueMicrotask(() => {
      for (const topic of subscription.among(this.images)) this.#hand(subscription, this.#update("snapshot", topic));
      this.#reconcile();
    });
    return subscription;
  }

  /**
   * Ends a subscription.
   * @param {Subscription} subscription
   */
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

  /**
   * How a topic stands.
   * @param {string} topic
   * @returns {Standing}
   */
  status(topic) {
    const { seq, ts, confirmed: known, status: told } = this.#topics.get(topic) ?? NEVER_SEEN;
    const refusal = this.#refused.get(topic);
    const confirmed = known && !refusal && this.#connection.sure;
    let status = seq > 0 && !confirmed ? "stale" : told;
    if (refusal && !refusal.retryable) status = "refused";
    else if (refusal && !seq) status = "unavailable";
    const age = this.#connection.serverNow - ts;
    return { status, fresh: confirmed && status !== "stale", seq, ts, ageMs: ts && (Number.isNaN(age) ? null : Math.max(0, age)) };
  }

  /**
   * Publishes an update. It always settles: it rejects with a {@link TickwireError} for what the server refuses or would refuse,
   * and with `unavailable` while there is no connection, when the connection is lost, or when no answer comes in time.
   * @param {string} topic
   * @param {Image} data
   * @returns {Promise<{topic: string, seq: number}>}
   */
  async publish(topic, data) {
    const limits = await import("./limits.js").catch(({ message }) => {
      throw new TickwireError({ code: "unavailable", message, topic, retryable: true });
    });
    const fault = limits.faultOf(topic, data);
    if (fault) throw new TickwireError({ ...fault, topic });
    const { results: [result = /** @type {any} */ ({})] = [] } = await this.#ask({ type: "publish", topic, data });
    if (result.error) throw new TickwireError({ ...result.error, topic });
    return result;
  }

  /**
   * Sends a token, now and with each later connection; an `error` event says when it is refused later. Resolves when the token is
   * accepted, or at once while there is no connection. Then the client asks again for what was refused.
   * @param {string} token
   * @returns {Promise<{judged: boolean}>} judged: false without a connection, and where the server has no authenticator
   * @throws {TickwireError} denied or unavailable
   */
  async auth(token) {
    if (new TextEncoder().encode(token).length > TOKEN_BYTES_MAX) {
      throw new TickwireError({ code: "bad_message", field: "token", message: `token: at most ${TOKEN_BYTES_MAX} bytes` });
    }
    this.#token = token;
    return this.state === "open" ? this.#authenticate() : { judged: false };
  }

  /** Closes the client for good. */
  close() {
    this.#connection.close();
  }

  /** @param {Message} command @returns {Promise<Message>} */
  #ask(command) {
    return new Promise((resolve, reject) => {
      const settle = (/** @type {Message} */ answer) => (answer.type === "error" ? reject(new TickwireError({ ...answer, topic: command.topic })) : resolve(answer));
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
      if (error instanceof TickwireError && error.retryable) this.#authenticateLater(tries + 1);
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

  /** @param {number} [tries] */
  #reauthenticate(tries) {
    this.#authenticate(tries).catch((error) => this.#emit("error", { error }));
  }

  /** @param {Change} change */
  #onState(change) {
    for (const state of this.#topics.values()) state.confirmed = false;
    for (const map of [this.#asked, this.#refused, this.#repairs]) map.clear();
    this.#retries = 0;
    for (const timer of [this.#retryTimer, this.#authTimer]) clearTimeout(timer);
    this.#retryTimer = undefined;
    this.#emit("state", change);
  }

  /** @param {Message} message */
  #onMessage(message) {
    const { type, topic } = message;
    if (type === "welcome") this.#resume(message);
    else if (type === "error") this.#onError(message);
    else if (typeof topic === "string" && /^(snapshot|update|status|gap)$/.test(type)) this.#onTopic(message);
  }

  /** @param {Message} welcome */
  #resume({ epoch, server }) {
    const held = new Map([...this.#topics].map(([topic, { seq }]) => [topic, seq]));
    const anew = epoch !== this.epoch;
    if (anew) for (const state of this.#topics.values()) state.forget();
    Object.assign(this, { epoch, server });
    if (this.#token !== undefined) this.#reauthenticate();
    this.#reconcile(anew ? undefined : held);
    if (held.size) this.#emit("resume", { recovered: false });
  }

  /** An error with an id answers a command that nobody waits for any more. @param {Message} error */
  #onError({ id, topic, ...failure }) {
    if (id !== undefined) return;
    if (this.#asked.has(topic)) return this.#refuse([[topic, failure]]);
    if (failure.field === "token" && failure.retryable) this.#authenticateLater();
    this.#emit("error", { error: new TickwireError({ ...failure, topic }) });
  }

  /** @param {Message} message */
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

  /** Undefined when nobody here wants the topic, or it is beyond topicsMax. @param {string} topic */
  #stateOf(topic) {
    if (!this.#topics.has(topic) && this.#listenersOf(topic).length) {
      if (this.#topics.size < this.#topicsMax) this.#topics.set(topic, new TopicState());
      else this.ignored++;
    }
    return this.#topics.get(topic);
  }

  /** @param {Kind} kind @param {string} topic @param {Message} told @returns {Update} */
  #update(kind, topic, { data, from, to } = { data: this.images.get(topic) }) {
    const { image } = this.#topics.get(topic) ?? NEVER_SEEN;
    const { status, seq, ts } = this.status(topic);
    return { kind, topic, seq, ts, status, data, image, from, to };
  }

  /** @param {string} topic @param {Kind} kind @param {Message} message */
  #tell(topic, kind, message) {
    this.images.set(topic, (this.#topics.get(topic) ?? NEVER_SEEN).image);
    const update = this.#update(kind, topic, message);
    for (const subscription of this.#listenersOf(topic)) this.#hand(subscription, update);
  }

  /** @param {Subscription} subscription @param {Update} update */
  #hand(subscription, update) {
    if (!this.#subscriptions.has(subscription)) return;
    try {
      subscription.onUpdate(update);
    } catch (error) {
      (globalThis.reportError ?? console.error)(error); // one handler's fault must not reach another
    }
  }

  /** @param {string} topic */
  #listenersOf(topic) {
    const found = this.#listeners.get(topic) ?? [...this.#subscriptions].filter((subscription) => subscription.matches(topic));
    if (this.#topics.has(topic)) this.#listeners.set(topic, found);
    return found;
  }

  /** @param {string} topic */
  #forget(topic) {
    for (const map of [this.#topics, this.images, this.#listeners, this.#repairs]) map.delete(topic);
  }

  /** @param {string} topic */
  #repair(topic) {
    this.#repairs.add(topic);
    this.#asked.delete(topic);
    if (this.#repairTimer !== undefined) return;
    this.#repairTimer = setTimeout(() => {
      this.#repairTimer = undefined;
      this.#reconcile();
    }, REPAIR_MS);
  }

  /** @param {Map<string, number>} [held] topic -> seq that the subscriptions continue with, each in one command */
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

  /** For each name the fastest rate that anyone wants; 0 is every update, the fastest of all. */
  #wantedRates() {
    /** @type {Map<string, number>} */
    const wanted = new Map();
    const want = (/** @type {string} */ name, /** @type {Subscription} */ { maxRate }) => {
      const other = wanted.get(name) ?? maxRate;
      wanted.set(name, maxRate && other && Math.max(maxRate, other));
    };
    for (const subscription of this.#subscriptions) for (const name of subscription.topics) want(name, subscription);
    for (const topic of this.#repairs) for (const subscription of this.#listenersOf(topic)) want(topic, subscription);
    return wanted;
  }

  /** @param {Message} command @param {string[]} names @param {Map<string, number>} held */
  #send(command, names, held = new Map()) {
    for (let i = 0; i < names.length; i += TOPICS_PER_COMMAND) {
      const topics = names.slice(i, i + TOPICS_PER_COMMAND);
      const resumed = new Subscription(topics).among(held).slice(0, TOPICS_PER_COMMAND);
      const since = Object.fromEntries(resumed.map((topic) => [topic, held.get(topic)]));
      for (const topic of resumed) held.delete(topic);
      const resume = resumed.length ? { since, epoch: this.epoch } : {};
      const onAnswer = (/** @type {Message} */ answer) => command.type === "subscribe" && this.#onAck(answer, topics);
      this.#connection.send({ ...command, topics, ...resume }, onAnswer, SUBSCRIBED_MS_MAX);
    }
  }

  /** @param {Message} answer @param {string[]} names */
  #onAck({ type, results = [], ...failure }, names) {
    if (this.state !== "open") return;
    /** @type {[string, Failure][]} */
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

  /** @param {string} topic */
  #standsEmpty(topic) {
    const state = this.#stateOf(topic);
    if (!state) return;
    const hadData = state.ts > 0; // in another epoch
    state.confirmEmpty();
    if (hadData) this.#tell(topic, "snapshot", { data: state.image });
  }

  /** What can succeed later is asked for again, all together. @param {[string, Failure][]} failures names, each with its failure */
  #refuse(failures) {
    const errors = failures.map(([topic, failure]) => new TickwireError({ ...failure, topic }));
    errors.forEach((error, i) => this.#refused.set(failures[i][0], error));
    if (errors.length) this.#unconfirm(new Subscription(failures.map(([name]) => name)), this.#asked);
    if (errors.some(({ retryable }) => retryable)) this.#retryTimer ??= setTimeout(() => this.#retry(), backoffMs(RETRY_FIRST + this.#retries++));
    for (const error of errors) this.#emit("error", { error });
  }

  #retry() {
    this.#retryTimer = undefined;
    for (const [name, { retryable }] of this.#refused) if (retryable) this.#asked.delete(name);
    this.#reconcile();
  }

  /**
   * What `subscription` brought is not up to date, unless another of `names` that the server serves brings it, too.
   * @param {Subscription} subscription
   * @param {ReadonlyMap<string, unknown>} names
   */
  #unconfirm(subscription, names) {
    const served = new Subscription([...names.keys()].filter((name) => this.#asked.has(name) && !this.#refused.has(name)));
    for (const topic of subscription.among(this.#topics)) if (!served.matches(topic)) this.#topics.get(topic)?.doubt();
  }

  /** @param {"state" | "error" | "resume"} type @param {object} fields */
  #emit(type, fields) {
    this.dispatchEvent(Object.assign(new Event(type), fields));
  }
}

/**
 * Makes a client, which connects in the background.
 * @param {Address} url http(s)://host, ws(s)://host/ws or a path; or a function that returns one, called for each connection
 * @param {{topicsMax?: number}} [options] topicsMax: the number of topics that the client keeps, 100,000 by default
 * @throws {SyntaxError | TypeError} an address that can never work
 */
export const connect = (url, options) => new Client(url, options);
