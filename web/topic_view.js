// What is shown of one topic: its figures, and one word for what must be known of them. It draws nothing.
import { clock, localize, showAge } from "./format.js";
import { Quote, parts, show } from "./quote.js";

/** @import { Client } from "./client.js" */
/** @import { Style } from "./format.js" */
/** @import { Fields } from "./quote.js" */
/** @import { Image } from "./topic.js" */

const QUIET_MS = 60_000; // a live topic says how long its price rests

/** @type {Record<string, string>} */
const WORDS = { none: "no data yet", live: "" };

/** What a change is from, in words; "" where nobody knows. @param {string} base the name of a field */
export const baseWords = (base) => (base === "open_24h" ? "in 24 h" : base && base !== "change" ? `since ${base}` : "");

export class TopicView {
  /** live, quiet, stale, halted, closed, refused, unavailable, none (no data yet) or connecting. */
  state = "connecting";
  status = "unknown"; // as the client says it
  words = ""; // of the state, short; live needs none
  reason = ""; // of a refusal
  hasData = false;
  old = false; // there is a price, and nobody vouches for it
  fresh = false;
  event = false;
  last = show();
  zeros = ""; // those that a tiny price begins with
  change = "";
  trend = 0;
  moved = 0; // sign of the move since the last render
  place = ""; // the venue, or what tells it from another topic of the same symbol
  #image = /** @type {Image | undefined} */ (undefined);

  /** @param {Client} client @param {string} topic @param {{fields?: Fields, style?: Style}} [options] */
  constructor(client, topic, { fields, style = {} } = {}) {
    this.client = client;
    this.topic = topic;
    this.style = style;
    this.parts = parts(topic);
    this.place = this.parts.venue;
    this.quote = new Quote(fields);
  }

  /** Takes what the client knows now. */
  render() {
    const { client, topic } = this;
    const image = client.images.get(topic);
    this.#look(client.status(topic), Boolean(image));
    this.moved = 0;
    if (!image || image === this.#image) return;
    const had = this.#image;
    this.#image = image;
    this.#take(image);
    if (had && this.fresh) this.moved = this.quote.tick;
  }

  /** Another figure, in the reader's writing; the zeros of a tiny one are counted: 0.0₇1225. @param {string} meaning */
  figure(meaning) {
    return this.hasData ? localize(this.quote.figure(meaning), this.style).replace(/(^\D?0[.,]0)(0{5,})(?=\d)/, (_, head, zeros) => head + String(zeros.length + 1).replace(/\d/g, (digit) => String.fromCharCode(0x2080 + Number(digit)))) : show();
  }

  /** All that is known, as a sentence: for a title and for a screen reader. */
  get sentence() {
    const figures = this.hasData ? [this.zeros + this.last, this.change, baseWords(this.quote.base)] : [];
    return [this.topic, ...figures, this.words || "live", this.reason || this.client.status(this.topic).halt?.reason].filter(Boolean).join(" ");
  }

  /** @param {Image} image */
  #take(image) {
    const { quote, parts: { channel, venue } } = this;
    quote.take(image);
    const text = localize(quote.last, this.style);
    [, this.zeros, this.last] = /** @type {string[]} */ (/^(\D?0[.,]0{3,})?(.*)$/s.exec(text)).map((part = "") => part);
    const side = quote.figure("side");
    if (this.event) this.place = [clock(this.client.status(this.topic).ts, this.style, true), channel, venue].filter(Boolean).join(" · ");
    this.trend = this.event ? Number(side === "buy") - Number(side === "sell") : quote.trend;
    this.change = this.event ? this.figure("size") : localize(quote.percent.replace("%", ""), { ...this.style, currency: undefined }) + (quote.percent && "%") || quote.change;
  }

  /** @param {import("./subscription.js").Standing} standing @param {boolean} hasData */
  #look({ status, fresh, ageMs, since, reason, event }, hasData) {
    const refused = reason !== "";
    let state = /** @type {string} */ (status);
    if (!refused && (!hasData || status === "unknown")) state = hasData || fresh ? "none" : "connecting";
    else if (status === "live" && ageMs !== null && ageMs >= QUIET_MS && !event) state = "quiet";
    const age = ageMs !== null && ageMs >= 1000 && /stale|quiet/.test(state) ? ` ${showAge(ageMs)}` : "";
    const at = since && /halted|closed/.test(state) ? ` ${clock(since, this.style)}` : "";
    Object.assign(this, { state, status, fresh, event, reason, hasData: hasData && !refused, old: hasData && !fresh && !refused, words: (WORDS[state] ?? state) + age + at });
  }
}
