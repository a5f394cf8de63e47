// What one caller of subscribe() wants, and what a client tells of it.
import { isPattern, matches } from "./topic.js";

const LAST_MAX = 65_536;

/** @typedef {import("./topic.js").Image} Image */
/** @typedef {"live" | "stale" | "halted" | "closed" | "unknown" | "refused" | "unavailable"} TopicStatus */
/** @typedef {"snapshot" | "update" | "status" | "gap"} Kind */

/**
 * @typedef {object} Update One message about a topic.
 * @property {Kind} kind what happened
 * @property {string} topic the topic's name
 * @property {number} seq the topic's sequence number; it rises by one with each update, and a jump means conflated updates
 * @property {number} ts the server's Unix time of the data in milliseconds
 * @property {TopicStatus} status the topic's status after this message
 * @property {Image | undefined} data what was published with this update; in a snapshot, the whole image
 * @property {Image} image the image after this update; it is never changed later
 * @property {number} [from] in a gap: the first message that is lost
 * @property {number} [to] in a gap: the last message that is lost
 */

/**
 * @typedef {object} Standing How a topic stands.
 * @property {TopicStatus} status what the feed or the server says of the topic; `unknown` before anything came
 * @property {boolean} fresh whether every update up to now is in the image
 * @property {number} seq the topic's sequence number
 * @property {number} ts the server's Unix time of the data in milliseconds
 * @property {number} since the server's Unix time in milliseconds when the status began; 0 when nobody said
 * @property {string} reason why it is refused or unavailable; else empty
 * @property {{reason: string, until?: number} | undefined} halt why an operator halts it, and until when (the server's Unix time in milliseconds)
 * @property {boolean} event whether each message matters (a trade, a line of a chat), and not only the latest value
 * @property {number | null} ageMs the age of the data by the server's clock; null while the server's time is unknown
 */

/**
 * @typedef {object} Handler What subscribe() takes instead of a function.
 * @property {(update: Update) => void} [onUpdate] called with each update
 * @property {number} [maxRate] at most this number of updates a second for each topic, 0.02 to 1000; 0, the default: every one
 * @property {number} [last] begin event topics that the client has nothing of with this number of their last messages, 0 (the default: with a snapshot) to 65,536
 */

/**
 * @typedef {object} Failure What went wrong, as the server says it in an error.
 * @property {string} [code] one of the codes of docs/PROTOCOL.md
 * @property {string} [message] one sentence for a person
 * @property {string} [topic] the topic that it is about
 * @property {string} [field] the field with the fault
 * @property {boolean} [retryable] whether the same can succeed later
 * @property {number} [retry_after_ms] after which time the server takes the same
 */

/** An error of the server, or one that it would answer with. */
export class TickwireError extends Error {
  /** @param {Failure} failure */
  constructor({ code = "internal", message = code, topic, field, retryable = false, retry_after_ms = 0 }) {
    super(message);
    /** @internal */
    this.name = "TickwireError";
    /** One of the codes of docs/PROTOCOL.md. */
    this.code = code;
    /** The topic that it is about. */
    this.topic = topic;
    /** The field with the fault. */
    this.field = field;
    /** Whether the same can succeed later. */
    this.retryable = retryable;
    /** After how many milliseconds the server takes the same; 0: it did not say. */
    this.retryAfterMs = retry_after_ms > 0 ? +retry_after_ms : 0;
  }
}

/**
 * Why a name cannot be asked for: in one command with others it would take them down, too.
 * @param {string} name
 * @param {number} maxRate
 * @param {number} last
 */
function faultOf(name, maxRate, last) {
  if (!/^[\w:.*>-]{1,200}$/.test(name)) return { code: "bad_topic", field: "topics", message: "not a topic or pattern of 1 to 200 bytes" };
  if (!(Number.isInteger(last) && last >= 0 && last <= LAST_MAX)) return { code: "bad_message", field: "last", message: `last: must be 0 to ${LAST_MAX}, not ${last}` };
  if (maxRate === 0 || (maxRate >= 0.02 && maxRate <= 1000)) return undefined;
  return { code: "bad_message", field: "max_rate", message: `max_rate: must be 0, or 0.02 to 1000, not ${maxRate}` };
}

/** Some topics and patterns, and who is told of them; `Client.subscribe` makes it. */
export class Subscription {
  /** Names that cannot be asked for, each with why. @internal @type {Map<string, Failure>} */
  faults = new Map();

  /**
   * @param {string[]} names
   * @param {Handler} [handler]
   * @param {() => void} [close]
   */
  constructor(names, { onUpdate = () => {}, maxRate = 0, last = 0 } = {}, close = () => {}) {
    for (const name of names) {
      const fault = faultOf(name, maxRate, last);
      if (fault) this.faults.set(name, fault);
    }
    /** The names and patterns that the server is asked for. */
    this.topics = new Set(names.filter((name) => !this.faults.has(name)));
    /** @internal */
    this.patterns = [...this.topics].filter(isPattern);
    /** @internal */
    this.onUpdate = onUpdate;
    /** At most this number of updates a second for each topic; 0: every one. */
    this.maxRate = maxRate;
    /** The number of last messages that event topics begin with. */
    this.last = last;
    /** Ends the subscription. */
    this.close = close;
  }

  /** Whether the subscription covers a topic. @param {string} topic */
  matches(topic) {
    return this.topics.has(topic) || this.patterns.some((pattern) => matches(pattern, topic));
  }

  /**
   * The keys of a Map that it matches.
   * @internal
   * @param {ReadonlyMap<string, unknown>} map
   */
  among(map) {
    return [...(this.patterns.length ? map.keys() : this.topics)].filter((topic) => map.has(topic) && this.matches(topic));
  }
}
