// A subscriber: topics over one connection, each fresh or known to be stale.
//
// audience.js knows who wants what, demand.js what the server was asked for, sign_in.js the token. This file joins them: what a
// message does to a topic, and who is told.
import { Audience } from "./audience.js";
import { Connection, socketUrl } from "./connection.js";
import { Demand, TOPICS_PER_COMMAND } from "./demand.js";
import { SignIn } from "./sign_in.js";
import { Subscription, TickwireError } from "./subscription.js";
import { TopicState } from "./topic.js";

/** @import { Address, Change } from "./connection.js" */
/** @import { Token } from "./sign_in.js" */
/** @import { Handler, Kind, Standing, Update } from "./subscription.js" */
/** @import { Image, Message } from "./topic.js" */

export const TOPICS_MAX = 100_000;
const NEVER_SEEN = new TopicState();

/**
 * A module that is fetched when it is first needed.
 * @template T
 * @param {Promise<T>} module
 * @param {string} [topic] what it is needed for
 */
const fetched = (module, topic) =>
  module.catch(({ message }) => {
    throw new TickwireError({ code: "unavailable", message, topic, retryable: true });
  });

/**
 * @typedef {object} Options What {@link connect} takes beside the address.
 * @property {number} [topicsMax] the number of topics that the client keeps, 100,000 by default
 * @property {Token} [token] a token, or a function that gets one, which may be async; it is called for each connection
 * @property {boolean} [pauseHidden] whether the client pauses while its page is hidden for 30 s or longer; true by default
 */

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
  /** @type {Connection} */
  #connection;
  #topics = /** @type {Map<string, TopicState>} */ (new Map());
  #audience = new Audience(this.#topics);
  #demand = new Demand({
    audience: this.#audience,
    topics: this.#topics,
    connection: () => this.#connection,
    epoch: () => this.epoch,
    standsEmpty: (topic) => this.#standsEmpty(topic),
    emit: (type, fields) => this.#emit(type, fields),
  });
  /** @type {SignIn} */
  #signIn = new SignIn({
    isOpen: () => this.state === "open",
    url: () => this.#connection.url,
    ask: (command) => this.#ask(command),
    onAccepted: () => this.#demand.askAgain(),
    onRefused: (error) => this.#emit("error", { error }),
  });
  #paused = false; // since the last connection

  /** @param {Address} url @param {Options} [options] */
  constructor(url, { topicsMax = TOPICS_MAX, token, pauseHidden = true } = {}) {
    super();
    this.#topicsMax = topicsMax;
    this.#signIn.use(token);
    this.#connection = new Connection(() => this.#address(url), (message) => this.#onMessage(message), (change) => this.#onState(change), pauseHidden);
  }

  /** @param {Address} url @returns {string | Promise<string>} */
  #address(url) {
    const make = () => (typeof url === "function" ? url() : url);
    if (!this.#signIn.fetches) return make();
    if (typeof url === "string") socketUrl(url, globalThis.document?.baseURI); // an address that can never work is said at once
    return this.#signIn.fetch().then(make);
  }

  /** `connecting`, `open`, `away` (it connects again in `retryMs`), `paused` (the page is hidden) or `closed` for good. */
  get state() {
    return this.#connection.state;
  }
  /** How it is connected: `websocket`, or `sse` or `poll` where no WebSocket gets through; empty while it is not. */
  get transport() {
    return this.#connection.transport;
  }
  /** Milliseconds to the next attempt to connect, while `away`. */
  get retryMs() {
    return this.#connection.retryMs;
  }
  /** The topics and patterns that were refused, each with its error. Those that are retryable are asked for again. */
  get refused() {
    return new Map(this.#demand.refused);
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
    this.#audience.add(subscription);
    queueMicrotask(() => {
      for (const topic of subscription.among(this.images)) this.#audience.hand(subscription, this.#update("snapshot", topic));
      this.#demand.reconcile();
    });
    return subscription;
  }

  /**
   * Ends a subscription.
   * @param {Subscription} subscription
   */
  unsubscribe(subscription) {
    if (!this.#audience.delete(subscription)) return;
    // Another may have taken its topics over by then.
    queueMicrotask(() => {
      this.#demand.ended(subscription);
      for (const topic of subscription.among(this.#topics)) if (!this.#audience.of(topic).length) this.#forget(topic);
      this.#demand.reconcile();
    });
  }

  /**
   * How a topic stands.
   * @param {string} topic
   * @returns {Standing}
   */
  status(topic) {
    const { seq, ts, since, event, halt, confirmed: known, status: told } = this.#topics.get(topic) ?? NEVER_SEEN;
    const refusal = this.#demand.refused.get(topic);
    const confirmed = known && !refusal && this.#connection.sure;
    let status = seq > 0 && !confirmed ? "stale" : told;
    if (refusal && !refusal.retryable) status = "refused";
    else if (refusal && !seq) status = "unavailable";
    const age = this.#connection.serverNow - ts;
    return { status, fresh: confirmed && status !== "stale", seq, ts, since: status === told ? since : 0, reason: refusal?.message.replace(`${topic}: `, "") ?? "", event, halt, ageMs: ts && (Number.isNaN(age) ? null : Math.max(0, age)) };
  }

  /**
   * Publishes an update. It always settles: it rejects with a {@link TickwireError} for what the server refuses or would refuse,
   * and with `unavailable` while there is no connection, when the connection is lost, or when no answer comes in time.
   * With `once`, a name of 1 to 64 bytes that no other update has (`crypto.randomUUID()`), the server takes it only once within a minute,
   * so while there is no connection, or none can say what became of it, the client sends it again, for 30 s.
   * @param {string} topic
   * @param {Image} data
   * @param {{once?: string}} [options]
   * @returns {Promise<{topic: string, seq: number, duplicate?: boolean}>} duplicate: it was published before under this name
   */
  async publish(topic, data, { once } = {}) {
    return (await fetched(import("./publish.js"), topic)).publish(this, (command) => this.#ask(command), topic, data, once, TickwireError);
  }

  /**
   * The state of topics, and of all topics that match patterns, once: nothing is subscribed. It always settles, as `publish` does;
   * it rejects when one of `topics` is refused.
   * @param {string | string[]} topics
   * @returns {Promise<Map<string, Update>>} updates of the kind `snapshot`, by topic; without the topics to which nothing was published
   */
  async get(topics) {
    return (await fetched(import("./get.js"))).get((command) => this.#ask(command), [topics].flat(), TOPICS_PER_COMMAND, TickwireError);
  }

  /**
   * Sends a token, now and with each later connection; an `error` event says when it is refused later. Resolves when the token is
   * accepted, or at once while there is no connection. Then the client asks again for what was refused.
   * @param {Token} [token] a token, or a function that gets one; without it the function is asked again that the client has
   * @returns {Promise<{judged: boolean}>} judged: false without a connection, and where the server has no authenticator
   * @throws {TickwireError} denied or unavailable
   */
  async auth(token) {
    if (token !== undefined) this.#signIn.use(token);
    if (this.#signIn.fetches) await this.#signIn.fetch();
    return this.state === "open" ? this.#signIn.send() : { judged: false };
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

  /** @param {Change} change */
  #onState(change) {
    for (const state of this.#topics.values()) state.doubt();
    this.#demand.clear();
    this.#signIn.stop();
    this.#paused ||= change.state === "paused";
    this.#emit("state", change);
  }

  /** @param {Message} message */
  #onMessage(message) {
    const { type, topic } = message;
    if (type === "welcome") this.#resume(message);
    else if (type === "epoch") this.epoch = message.epoch; // what is held goes on in it
    else if (type === "error") this.#onError(message);
    else if (typeof topic === "string" && /^(snapshot|update|status|gap)$/.test(type)) this.#onTopic(message);
  }

  /**
   * Continues where the topics were. After a pause a value topic begins with a snapshot: nobody saw the page meanwhile.
   * @param {Message} welcome
   */
  #resume({ epoch, server }) {
    const held = new Map([...this.#topics].filter(([, { event }]) => event || !this.#paused).map(([topic, { seq }]) => [topic, seq]));
    const anew = epoch !== this.epoch;
    if (anew) for (const state of this.#topics.values()) state.forget();
    Object.assign(this, { epoch, server });
    this.#paused = false;
    this.#signIn.start();
    this.#demand.reconcile(anew ? undefined : held);
    if (held.size) this.#emit("resume", { recovered: false });
  }

  /** An error with an id answers a command that nobody waits for any more. @param {Message} error */
  #onError({ id, topic, ...failure }) {
    if (id !== undefined) return;
    if (this.#demand.has(topic)) return this.#demand.refuse([[topic, failure]]);
    if (failure.field === "token" && failure.retryable) this.#signIn.later();
    this.#emit("error", { error: new TickwireError({ ...failure, topic }) });
  }

  /** @param {Message} message */
  #onTopic(message) {
    const { type, topic } = message;
    const state = this.#stateOf(topic);
    if (!state) return;
    const awaitsRepair = this.#demand.repairs(topic) && !state.confirmed;
    if (state.apply(message)) {
      this.#demand.refused.delete(topic); // it flows
      this.#tell(topic, type, message);
    } else if (!awaitsRepair) this.#demand.repair(topic);
  }

  /** Undefined when nobody here wants the topic, or it is beyond topicsMax. @param {string} topic */
  #stateOf(topic) {
    if (!this.#topics.has(topic) && this.#audience.of(topic).length) {
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
    this.#audience.tell(this.#update(kind, topic, message));
  }

  /** @param {string} topic */
  #forget(topic) {
    for (const map of [this.#topics, this.images]) map.delete(topic);
    for (const part of [this.#audience, this.#demand]) part.forget(topic);
  }

  /** @param {string} topic */
  #standsEmpty(topic) {
    const state = this.#stateOf(topic);
    if (!state) return;
    const hadData = state.ts > 0; // in another epoch
    state.confirmEmpty();
    if (hadData) this.#tell(topic, "snapshot", { data: state.image });
  }

  /** @param {"state" | "error" | "resume" | "partial"} type @param {object} fields */
  #emit(type, fields) {
    this.dispatchEvent(Object.assign(new Event(type), fields));
  }
}

/**
 * Makes a client, which connects in the background.
 * @param {Address} url http(s)://host, ws(s)://host/ws or a path; or a function that returns one, called for each connection
 * @param {Options} [options]
 * @throws {SyntaxError | TypeError} an address that can never work
 */
export const connect = (url, options) => new Client(url, options);
