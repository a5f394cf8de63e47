// What a client knows of one topic, and how messages change it. Pure.
//
// `image` is never changed in place. `confirmed`: nothing is missing up to now; without it, up to `seq`.

/**
 * The fields of a topic: any JSON object.
 * @typedef {Record<string, any>} Image
 */

/**
 * A message of the server, parsed. What it holds depends on its `type`; docs/PROTOCOL.md lists the types.
 * @typedef {Record<string, any>} Message
 */

/**
 * RFC 7396 at the top level: null deletes. Spread defines own properties, so that a field named __proto__ is only a field.
 * @param {Image} image
 * @param {Image} data
 */
export function merge(image, data) {
  /** @type {Image} */
  const merged = { ...image, ...data };
  for (const key of Object.keys(data)) if (data[key] === null) delete merged[key];
  return merged;
}

/**
 * Whether a pattern matches a topic: `*` stands for one token, a final `>` for one or more.
 * @param {string} pattern
 * @param {string} topic
 */
export function matches(pattern, topic) {
  if (pattern === topic) return true;
  const want = pattern.split("."), have = topic.split(".");
  const open = want.at(-1) === ">" && want.pop();
  if (open ? have.length <= want.length : have.length !== want.length) return false;
  return want.every((token, i) => token === "*" || token === have[i]);
}

/** @param {string} name */
export const isPattern = (name) => /(^|\.)(\*(\.|$)|>$)/.test(name);

/** @param {unknown} value */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

export class TopicState {
  /** @type {Image} */
  image = {};
  seq = 0;
  ts = 0;
  /** @type {import("./subscription.js").TopicStatus} */
  status = "unknown";
  #told = "unknown"; // status of the last message
  halt = /** @type {{reason: string, until?: number} | undefined} */ (undefined); // an operator's
  since = 0; // the server's Unix time of the status in milliseconds; 0: nobody said
  confirmed = false;
  event = false; // its image is the last message, not all merged

  /** The topic exists for this connection, and nothing has been published to it yet. */
  confirmEmpty() {
    Object.assign(this, { image: {}, seq: 0, ts: 0, status: "unknown", confirmed: true });
  }

  /** Something may be missing. */
  doubt() {
    this.confirmed = false;
  }

  /** `seq` has lost its meaning, because the epoch has changed; the image is the last known one. */
  forget() {
    if (this.seq) Object.assign(this, { seq: 0, status: "stale", confirmed: false });
  }

  /**
   * Applies a message. Returns false when it does not fit what came before; then nothing changes.
   * @param {Message} message
   */
  apply(message) {
    if (message.delivery === "event") this.event = true;
    return this.#fits(message) ? this.#take(message) : (this.confirmed = false);
  }

  /** @param {Message} message */
  #fits({ type, seq, from, to, data }) {
    if ((type === "snapshot" || type === "update") && !isObject(data)) return false;
    if (type === "snapshot") return true;
    const follows = (/** @type {number} */ first) => first === this.seq + 1 || (this.event && !this.seq && !this.confirmed); // the last messages begin anywhere
    if (type === "update") return follows(seq);
    if (type === "gap") return follows(from) && to >= from;
    return seq === this.seq; // status
  }

  /** @param {Message} message */
  #take({ type, seq, to, ts, status, data, reason, until }) {
    if (!this.seq) this.confirmEmpty();
    if (type === "gap") this.event = true;
    if (data) this.image = type === "snapshot" || this.event ? data : merge(this.image, data);
    if (type === "update" && !/halted|closed/.test(this.status)) this.status = "live";
    if (type === "status" || (status ?? this.status) !== this.#told) this.since = type === "status" ? ts : 0;
    this.status = this.#told = status ?? this.status;
    if (status) this.halt = reason && { reason, until };
    this.seq = type === "gap" ? to : seq;
    if (data) this.ts = ts; // a status does not make the data younger
    return (this.confirmed = true);
  }
}
