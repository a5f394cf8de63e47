// What several pages follow over one stream: what to ask the server for, so that each of them goes on where it is. Pure.
//
// A topic goes on from the page that is furthest behind; the others skip what they have (road_follow.js). A page that has nothing
// of a topic needs its snapshot, so the request does not name a place of it; of an event topic it needs the last messages, so the
// request goes back by as many, and leaves out none for the others.
import { behind, covers, emptyOf } from "./road_follow.js";

/** @import { Place, Wish } from "./road_follow.js" */
/** @import { Message } from "./topic.js" */
/** @typedef {{query: Record<string, string>, asks: boolean, cut: boolean, numbers: [string, number][]}} Request `cut`: not all places had room */

export const CURSOR_BYTES_MAX = 4_096;
export const QUERY_BYTES_MAX = 15_000; // of the 16,384 of a request's head

export class Union {
  #wishes = /** @type {Map<string, {wish: Wish, has: Set<string>}>} */ (new Map()); // by page; the topics that it has something of
  #places = /** @type {Map<string, Place>} */ (new Map());

  /** A page wants something else than before. @param {string} page @param {Wish} wish */
  set(page, wish) {
    this.#wishes.set(page, { wish, has: new Set(wish.places.map(([topic]) => topic)) });
    for (const [topic, place] of wish.places) {
      const held = this.#places.get(topic);
      if (!held || place.seq < held.seq || place.letter === "?") this.#places.set(topic, { ...place, seq: Math.min(place.seq, held?.seq ?? place.seq), event: place.event || (held?.event ?? false) });
    }
  }

  /** @param {string} page */
  has(page) {
    return this.#wishes.has(page);
  }

  /** A page is gone. @param {string} page */
  delete(page) {
    this.#wishes.delete(page);
  }

  /** The commands behind these wishes have their answers. @param {[string, number][]} numbers @param {Message[]} [results] */
  answered(numbers, results = []) {
    for (const topic of emptyOf(results)) {
      if (!this.#places.has(topic)) this.#places.set(topic, behind(undefined, { seq: 0 }));
      for (const { has } of this.#wishes.values()) has.add(topic);
    }
    for (const [page, number] of numbers) {
      const { wish } = this.#wishes.get(page) ?? {};
      if (wish?.number === number) Object.assign(wish, { asks: false, last: 0 });
    }
  }

  /** A message of the stream goes to the pages. @param {Message} message */
  pass({ topic, ...message }) {
    if (!/snapshot|update|status|gap/.test(message.type)) return;
    this.#places.set(topic, behind(this.#places.get(topic), message));
    for (const { has } of this.#wishes.values()) has.add(topic);
  }

  /** What to ask for now; undefined where nobody wants anything. @param {string} epoch @returns {Request | undefined} */
  request(epoch) {
    const wishes = [...this.#wishes.values()];
    const names = new Map(wishes.flatMap(({ wish }) => wish.names));
    if (!names.size) return undefined;
    const rates = wishes.flatMap(({ wish }) => wish.names.map(([, rate]) => rate));
    const last = Math.max(...wishes.map(({ wish }) => wish.last));
    for (const [topic, { event, seq }] of this.#places) {
      const need = wishes.filter(({ wish, has }) => !has.has(topic) && covers(wish.names.map(([name]) => name), topic));
      if (!covers(names.keys(), topic) || (need.length && !event)) this.#places.delete(topic);
      else if (need.length) this.#places.set(topic, { event, letter: "?", seq: Math.max(0, seq - Math.max(1, ...need.map(({ wish }) => wish.last))) });
    }
    const topics = [...names.keys()].join();
    const { cursor, cut } = this.#cursor(epoch, names, Math.min(CURSOR_BYTES_MAX, QUERY_BYTES_MAX - topics.length));
    /** @type {Record<string, string>} */
    const query = { topics };
    if (cursor) query.cursor = cursor;
    if (rates.every((rate) => rate > 0)) query.max_rate = String(Math.max(...rates));
    if (last) query.last = String(last);
    return { query, cut, asks: wishes.some(({ wish }) => wish.asks), numbers: [...this.#wishes].map(([page, { wish }]) => [page, wish.number]) };
  }

  /** Event topics go first, since they would lose messages, and then what is named. @param {string} epoch @param {Map<string, number>} names @param {number} bytesMax */
  #cursor(epoch, names, bytesMax) {
    const rank = (/** @type {[string, Place]} */ [topic, { event }]) => Number(!event) * 2 + Number(!names.has(topic));
    const places = [...this.#places].sort((a, b) => rank(a) - rank(b));
    let entries = "";
    let cut = false;
    for (const [topic, { seq, letter }] of places) {
      const entry = `,${topic}=${seq}${letter}`;
      if (epoch.length + 1 + entries.length + entry.length > bytesMax) cut = true;
      else entries += entry;
    }
    return { cursor: entries && epoch + (cut ? "!" : "") + entries, cut };
  }
}
