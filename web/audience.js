// Who of a page wants what: the subscriptions of a client, and which of them a topic concerns. It asks no server.

/** @import { Failure, Subscription, Update } from "./subscription.js" */

export class Audience {
  #subscriptions = /** @type {Set<Subscription>} */ (new Set());
  #listeners = /** @type {Map<string, Subscription[]>} */ (new Map()); // topic -> its subscriptions, until those change

  #known;

  /** @param {{has(topic: string): boolean}} known the topics that a client keeps: only what is found for these is remembered */
  constructor(known) {
    this.#known = known;
  }

  /** @param {Subscription} subscription */
  add(subscription) {
    this.#subscriptions.add(subscription);
    this.#listeners.clear();
  }

  /** Whether it was there. @param {Subscription} subscription */
  delete(subscription) {
    this.#listeners.clear();
    return this.#subscriptions.delete(subscription);
  }

  /** The subscriptions that cover a topic. @param {string} topic */
  of(topic) {
    const found = this.#listeners.get(topic) ?? [...this.#subscriptions].filter((subscription) => subscription.matches(topic));
    if (this.#known.has(topic)) this.#listeners.set(topic, found);
    return found;
  }

  /** Forgets what was found for a topic that nobody gets any more. @param {string} topic */
  forget(topic) {
    this.#listeners.delete(topic);
  }

  /** Names that cannot be asked for, each with why. @returns {Map<string, Failure>} */
  get faults() {
    return new Map([...this.#subscriptions].flatMap(({ faults }) => [...faults]));
  }

  /**
   * For each name the fastest rate that anyone wants; 0 is every update, the fastest of all.
   * @param {Iterable<string>} repairs topics that are wanted by name, at the rates of those that they concern
   */
  wantedRates(repairs) {
    /** @type {Map<string, number>} */
    const wanted = new Map();
    const want = (/** @type {string} */ name, /** @type {Subscription} */ { maxRate }) => {
      const other = wanted.get(name) ?? maxRate;
      wanted.set(name, maxRate && other && Math.max(maxRate, other));
    };
    for (const subscription of this.#subscriptions) for (const name of subscription.topics) want(name, subscription);
    for (const topic of repairs) for (const subscription of this.of(topic)) want(topic, subscription);
    return wanted;
  }

  /** The number of last messages that anyone wants a name to begin with. @param {string} name */
  last(name) {
    return Math.max(...[...this.#subscriptions].map(({ topics, last }) => (topics.has(name) ? last : 0)), 0);
  }

  /** Tells one subscription, if it did not end. @param {Subscription} subscription @param {Update} update */
  hand(subscription, update) {
    if (!this.#subscriptions.has(subscription)) return;
    try {
      subscription.onUpdate(update);
    } catch (error) {
      (globalThis.reportError ?? console.error)(error); // one handler's fault must not reach another
    }
  }

  /** Tells all that a topic concerns. @param {Update} update */
  tell(update) {
    for (const subscription of this.of(update.topic)) this.hand(subscription, update);
  }
}
