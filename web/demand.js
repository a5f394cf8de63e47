// What a server was asked for, and what it refused. What is wanted (subscriptions and repairs) and what was asked for meet in
// reconcile(); nothing else subscribes.
import { TOLD_MS_MAX, backoffMs } from "./connection.js";
import { Subscription, TickwireError } from "./subscription.js";

/** @import { Audience } from "./audience.js" */
/** @import { Connection } from "./connection.js" */
/** @import { Failure } from "./subscription.js" */
/** @import { Message, TopicState } from "./topic.js" */

export const TOPICS_PER_COMMAND = 4_000; // and as many seqs, of any length, are within the server's limit
export const REPAIR_MS = 250; // the holes of this time are repaired by one command
export const SUBSCRIBED_MS_MAX = 60_000; // its ack waits behind the snapshots of the commands before it
export const RETRY_FIRST = 2; // attempt of backoffMs() that a refused topic begins with

/**
 * @typedef {object} Owner What a demand works on.
 * @property {Audience} audience who wants what
 * @property {Map<string, TopicState>} topics what is known of each topic
 * @property {() => Connection} connection the way to the server
 * @property {() => string} epoch the history that `seq` belongs to
 * @property {(topic: string) => void} standsEmpty the server has nothing of this topic
 * @property {(type: "error" | "resume" | "partial", fields: object) => void} emit an event of the client
 */

export class Demand {
  /** @type {Map<string, TickwireError>} */
  refused = new Map();
  #owner;
  #asked = /** @type {Map<string, number>} */ (new Map()); // topic or pattern -> max_rate that the server was asked for
  #repairs = /** @type {Set<string>} */ (new Set()); // topics that had a hole: asked for by name, even under a pattern
  #repairTimer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  #retryTimer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  #retries = 0;
  #retryDue = 0; // monotonic time of the timer's end
  #left = /** @type {Set<string>} */ (new Set()); // names whose unsubscribe was refused for now

  /** @param {Owner} owner */
  constructor(owner) {
    this.#owner = owner;
  }

  /** A connection came or went: nothing is asked for there. */
  clear() {
    for (const map of [this.#asked, this.refused, this.#repairs, this.#left]) map.clear();
    this.#retries = 0;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
  }

  /** Whether the server was asked for a name. @param {string} name */
  has(name) {
    return this.#asked.has(name);
  }

  /** Whether a topic waits for the answer to a repair. @param {string} topic */
  repairs(topic) {
    return this.#repairs.has(topic);
  }

  /** @param {string} topic */
  forget(topic) {
    this.#repairs.delete(topic);
  }

  /** Asks for a topic again, soon. @param {string} topic */
  repair(topic) {
    this.#repairs.add(topic);
    this.#asked.delete(topic);
    if (this.#repairTimer !== undefined) return;
    this.#repairTimer = setTimeout(() => {
      this.#repairTimer = undefined;
      this.reconcile();
    }, REPAIR_MS);
  }

  /** Asks again for what was refused: all of it, or what can succeed later. @param {(error: TickwireError) => boolean} [which] */
  askAgain(which = () => true) {
    const waits = this.#retryTimer !== undefined; // what the server takes only later comes with the timer
    for (const [name, error] of this.refused) if (which(error) && !(waits && error.retryAfterMs)) this.#asked.delete(name);
    this.reconcile();
  }

  /** @param {Map<string, number>} [held] topic -> seq that the subscriptions continue with, each in one command */
  reconcile(held) {
    if (this.#owner.connection().state !== "open") return;
    const { audience } = this.#owner;
    const wanted = audience.wantedRates(this.#repairs);
    const asked = this.#asked;
    const { faults } = audience;
    this.#asked = wanted;
    this.#send({ type: "unsubscribe" }, [...asked.keys()].filter((name) => !wanted.has(name) && (this.refused.get(name)?.retryable ?? true)));
    for (const name of this.refused.keys()) if (!wanted.has(name) && !faults.has(name)) this.refused.delete(name);
    this.refuse([...faults].filter(([name]) => !wanted.has(name) && !this.refused.has(name)));
    for (const max_rate of new Set(wanted.values())) {
      const news = [...wanted.keys()].filter((name) => wanted.get(name) === max_rate && asked.get(name) !== max_rate);
      for (const last of new Set(news.map((name) => this.#last(name)))) this.#send({ type: "subscribe", max_rate, last }, news.filter((name) => this.#last(name) === last), held);
    }
  }

  /** The last messages to ask for with a name: what the client has continues, and begins with none. @param {string} name */
  #last(name) {
    const last = this.#owner.audience.last(name), { topics } = this.#owner;
    const known = last && new Subscription([name]).among(topics).some((topic) => topics.get(topic)?.seq);
    return (!known && last) || undefined;
  }

  /** What can succeed later is asked for again, all together. @param {[string, Failure][]} failures names, each with its failure */
  refuse(failures) {
    const errors = failures.map(([topic, failure]) => new TickwireError({ ...failure, topic }));
    errors.forEach((error, i) => this.refused.set(failures[i][0], error));
    if (errors.length) this.#unconfirm(new Subscription(failures.map(([name]) => name)), this.#asked);
    if (errors.some(({ retryable }) => retryable)) this.#retryLater(Math.max(...errors.map(({ retryAfterMs }) => retryAfterMs)));
    for (const error of errors) this.#owner.emit("error", { error });
  }

  /** What a subscription that ended brought is not up to date, unless another brings it, too. @param {Subscription} subscription */
  ended(subscription) {
    this.#unconfirm(subscription, this.#owner.audience.wantedRates(this.#repairs));
  }

  /** After a pause, and not before the server's wish. @param {number} toldMs */
  #retryLater(toldMs) {
    const waits = this.#retryTimer !== undefined, wish = performance.now() + Math.min(toldMs, TOLD_MS_MAX);
    if (waits && this.#retryDue >= wish) return;
    clearTimeout(this.#retryTimer);
    this.#retryDue = waits ? wish : performance.now() + backoffMs(RETRY_FIRST + this.#retries++, toldMs);
    this.#retryTimer = setTimeout(() => this.#retry(), this.#retryDue - performance.now());
  }

  #retry() {
    this.#retryTimer = undefined;
    for (const name of this.#left) if (!this.#asked.has(name)) this.#asked.set(name, NaN); // no rate, so that it differs from any
    this.#left.clear();
    this.askAgain(({ retryable }) => retryable);
  }

  /** @param {Message} command @param {string[]} names @param {Map<string, number>} held */
  #send(command, names, held = new Map()) {
    for (let i = 0; i < names.length; i += TOPICS_PER_COMMAND) {
      const topics = names.slice(i, i + TOPICS_PER_COMMAND);
      const resumed = new Subscription(topics).among(held).slice(0, TOPICS_PER_COMMAND);
      const since = Object.fromEntries(resumed.map((topic) => [topic, held.get(topic)]));
      for (const topic of resumed) held.delete(topic);
      const resume = resumed.length ? { since, epoch: this.#owner.epoch() } : {};
      const onAnswer = (/** @type {Message} */ answer) => (command.type === "subscribe" ? this.#onAck(answer, topics) : this.#onLeft(answer, topics));
      this.#owner.connection().send({ ...command, topics, ...resume }, onAnswer, SUBSCRIBED_MS_MAX);
    }
  }

  /** @param {Message} answer @param {string[]} names */
  #onAck({ type, results = [], ...failure }, names) {
    if (this.#owner.connection().state !== "open") return;
    /** @type {[string, Failure][]} */
    const failures = type === "error" ? names.map((name) => [name, failure]) : [];
    for (const { topic, seq, error, recovered, missed, partial } of results) {
      if (error) failures.push([topic, error]);
      else this.refused.delete(topic);
      if (seq === 0) this.#owner.standsEmpty(topic);
      if (recovered !== undefined) this.#owner.emit("resume", { topic, recovered, missed });
      if (partial) this.#owner.emit("partial", { topic });
    }
    this.refuse(failures.filter(([name]) => this.#asked.has(name)));
    if (![...this.refused.values()].some(({ retryable }) => retryable)) this.#retries = 0;
  }

  /** @param {Message} answer @param {string[]} names */
  #onLeft({ type, ...failure }, names) {
    const { retryable, retryAfterMs } = new TickwireError(failure);
    if (type !== "error" || !retryable || this.#owner.connection().state !== "open") return;
    for (const name of names) this.#left.add(name);
    this.#retryLater(retryAfterMs);
  }

  /**
   * What `subscription` brought is not up to date, unless another of `names` that the server serves brings it, too.
   * @param {Subscription} subscription
   * @param {ReadonlyMap<string, unknown>} names
   */
  #unconfirm(subscription, names) {
    const served = new Subscription([...names.keys()].filter((name) => this.#asked.has(name) && !this.refused.has(name)));
    const { topics } = this.#owner;
    for (const topic of subscription.among(topics)) if (!served.matches(topic)) topics.get(topic)?.doubt();
  }
}
