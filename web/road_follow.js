// What one page follows over HTTP, where each request says all of it, and what a stream that others share says to this page.
//
// A page subscribes as over a WebSocket, and gets such messages. What it wants is a `Wish`: all of it, each time. What comes may
// have been asked for by another page, or come a second time: it passes here only if it goes on where this page is. Pure.
import { isPattern, matches } from "./topic.js";

/** @import { Message } from "./topic.js" */
/** @typedef {{seq: number, letter: string, event: boolean}} Place where a topic is; `letter` is its status as in a cursor, "?" if unknown */
/** @typedef {{topics: string[], number: number, id: number, since: Record<string, number>, last: number}} Asked a subscribe without its answer */

/**
 * @typedef {object} Wish What a page wants of a stream.
 * @property {number} number rises with each wish of a page, so that an answer names it
 * @property {[string, number][]} names topics and patterns, each with the most messages a second; 0: every update
 * @property {[string, Place][]} places what the page has of topics, and goes on from
 * @property {number} last the number of last messages that event topics are to begin with
 * @property {boolean} asks whether a command waits for its answer
 */

const LETTERS = /** @type {Record<string, string>} */ ({ live: "", stale: "s", halted: "h", closed: "c" });

/** @param {Iterable<string>} names @param {string} topic */
export function covers(names, topic) {
  for (const name of names) if (name === topic || (isPattern(name) && matches(name, topic))) return true;
  return false;
}

/** The topics that nothing was published to yet, of the results of a request: they go on from 0. @param {Message[]} results @returns {string[]} */
export const emptyOf = (results) => results.filter(({ seq, error }) => seq === 0 && !error).map(({ topic }) => topic);

/**
 * Where a topic is behind a message.
 * @param {Place | undefined} place
 * @param {Message} message
 * @returns {Place}
 */
export function behind(place = { seq: 0, letter: "?", event: false }, { type, seq, to, status, delivery }) {
  const event = place.event || type === "gap" || delivery === "event";
  if (type === "gap") return { ...place, event, seq: to };
  if (type === "update") return { seq, event, letter: /[hc]/.test(place.letter) ? place.letter : "" };
  return { seq, event, letter: LETTERS[status] ?? "?" };
}

export class Following {
  #names = /** @type {Map<string, number>} */ (new Map());
  #places = /** @type {Map<string, Place>} */ (new Map());
  #again = /** @type {Set<string>} */ (new Set()); // value topics whose snapshots are wanted, though they are known
  #asked = /** @type {Asked[]} */ ([]);
  #number = 0;

  /** @param {Message} command */
  subscribe({ id, topics, max_rate = 0, last = 0, since = {} }) {
    for (const name of topics) this.#names.set(name, max_rate);
    for (const [topic, seq] of Object.entries(since)) this.#places.set(topic, { seq, letter: "?", event: false });
    for (const [topic, place] of this.#places) {
      if (topic in since || !covers(topics, topic)) continue;
      if (place.event) place.letter = "?"; // it goes on where it is, and its status says so
      else this.#again.add(topic);
    }
    this.#asked.push({ id, topics, since, last, number: ++this.#number });
  }

  /** @param {Message} command @returns {Message} the answer */
  unsubscribe({ id, topics }) {
    this.#number++;
    this.#drop(topics);
    return { type: "ack", id, results: topics.map((/** @type {string} */ topic) => ({ topic })) };
  }

  /** Whether anything is followed. */
  get any() {
    return this.#names.size > 0;
  }

  /** @returns {Wish} */
  wish() {
    const places = [...this.#places].filter(([topic]) => !this.#again.has(topic));
    return { number: this.#number, names: [...this.#names], places, last: Math.max(0, ...this.#asked.map(({ last }) => last)), asks: this.#asked.length > 0 };
  }

  /**
   * What the results of a request say to this page.
   * @param {Message[]} results
   * @param {number} number of the wish that the request was made of
   * @returns {Message[]}
   */
  answers(results, number) {
    const found = new Map(results.map((result) => [result.topic, result]));
    const answered = this.#asked.filter((asked) => asked.number <= number);
    this.#asked = this.#asked.filter((asked) => asked.number > number);
    const acks = answered.map(({ id, topics, since }) => {
      // Whether it goes on concerns only a command that asked for that.
      const told = ({ recovered, missed, ...result } = /** @type {Message} */ ({})) => (Object.keys(since).some((topic) => covers([result.topic], topic)) ? { ...result, recovered, missed } : result);
      return { type: "ack", id, results: topics.filter((name) => found.has(name)).map((name) => told(found.get(name))) };
    });
    for (const topic of emptyOf(results)) if (this.#names.has(topic) && !this.#places.has(topic)) this.#places.set(topic, behind(undefined, { seq: 0 }));
    const waiting = new Set([...answered, ...this.#asked].flatMap(({ topics }) => topics));
    const ended = results.filter(({ topic, error }) => error && this.#names.has(topic) && !waiting.has(topic));
    this.#drop(results.filter(({ topic, error }) => error && !this.#asked.some(({ topics }) => topics.includes(topic))).map(({ topic }) => topic));
    return [...acks, ...ended.map(({ topic, error }) => ({ type: "error", topic, ...error }))];
  }

  /** The request as a whole is refused: what it asked for anew is. @param {Message} error @param {number} number @returns {Message[]} */
  refused(error, number) {
    const answered = this.#asked.filter((asked) => asked.number <= number);
    this.#asked = this.#asked.filter((asked) => asked.number > number);
    this.#drop(answered.flatMap(({ topics }) => topics));
    return answered.map(({ id }) => ({ ...error, type: "error", id }));
  }

  /**
   * What a message of the stream is to this page.
   * @param {Message} message
   * @returns {Message[]}
   */
  take(message) {
    const { type, topic, seq, from } = message;
    if (topic === undefined) return [message];
    if (!covers(this.#names.keys(), topic)) return [];
    if (type === "error") return this.#doubt(topic), [message];
    const place = this.#places.get(topic);
    const next = behind(place, message);
    const told = place ? this.#goesOn(place, next, message) : this.#begins(next, message);
    if (!told) return [];
    const hole = type === "update" && place && seq > place.seq + 1; // the client asks again
    if (!hole) this.#places.set(topic, next);
    if (type === "snapshot") this.#again.delete(topic);
    if (!place || !next.event) return [message];
    if (type === "gap") return [{ ...message, from: Math.max(from, place.seq + 1) }];
    if (type === "snapshot" && seq > place.seq + 1) return [{ type: "gap", topic, from: place.seq + 1, to: seq - 1 }, message];
    return [message];
  }

  /** Whether a message is the first of a topic, and not one behind a snapshot that is still to come. @param {Place} next @param {Message} message */
  #begins({ event }, { type, topic, seq }) {
    if (type === "snapshot") return true;
    if (event) return !this.#asked.some(({ topics }) => covers(topics, topic));
    return seq === (type === "update" ? 1 : 0);
  }

  /** Whether a message says something new of a topic that is known. @param {Place} place @param {Place} next @param {Message} message */
  #goesOn(place, next, { type, topic }) {
    if (next.seq !== place.seq) return next.seq > place.seq;
    return type !== "update" && type !== "gap" && (next.letter !== place.letter || this.#again.has(topic));
  }

  /** What comes next of these topics says how they stand, also where that is as before. @param {string} name */
  #doubt(name) {
    for (const [topic, place] of this.#places) if (covers([name], topic)) place.letter = "?";
  }

  /** @param {string[]} names */
  #drop(names) {
    if (!names.length) return;
    for (const name of names) this.#names.delete(name);
    for (const topic of this.#places.keys()) {
      if (covers(this.#names.keys(), topic)) continue;
      this.#places.delete(topic);
      this.#again.delete(topic);
    }
  }
}
