// One stream for all tabs of an origin. A browser gives one host six connections over HTTP/1.1, so the seventh tab with a stream of
// its own would get nothing, and no page could fetch anything more.
//
//   leader: holds the lock `key`; has the stream, and tells every tab what it says      (BroadcastChannel `key`)
//   others: wait for that lock, so that one of them leads at once when the leader is gone, however it went; they tell the leader
//           what they want (a Wish: all of it, each time), and a new leader asks for that
//
// Each tab holds a lock of its own, too: who gets that lock knows that the tab is gone. A leader that hangs says nothing; then a
// tab that waits takes the lock from it. What a tab gets twice, or of two leaders, it tells apart by sequence numbers.
//
// Without locks (they need https, or this computer), each tab has a stream of its own.
import { Stream } from "./road_stream.js";
import { Union } from "./road_union.js";

/** @import { Wish } from "./road_follow.js" */
/** @import { End, Told } from "./road_stream.js" */
/** @typedef {Told & {numbers: [string, number][]}} Heard of the leader; `numbers`: which wishes of which tabs it answers */

export const LEADER_MS_MAX = 12_000; // for the leader's first word
export const HANG_MS_MAX = 2_000; // for a leader's next word, beyond its stream's own silence

/**
 * @typedef {object} Tab What sharing works on.
 * @property {string} base the server's address
 * @property {string} epoch of this tab's session
 * @property {() => Wish} wish what this tab wants now
 * @property {() => Record<string, string>} authorization headers
 * @property {(told: Told, number: number) => void} onTold `number`: the wish of this tab that it answers; 0: none
 * @property {(end: End) => void} onEnd
 */

export class Tabs {
  #tab;
  #key;
  #id = String(Math.random());
  #union = new Union();
  /** @type {Stream | undefined} */
  #stream; // while it leads
  #isKnown = false; // it holds the lock by which the leader knows that it is there
  #ending = new AbortController();
  /** @type {BroadcastChannel | undefined} */
  #channel;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {string} key what tabs must have in common to share @param {Tab} tab */
  constructor(key, tab) {
    this.#key = key;
    this.#tab = tab;
    if (globalThis.navigator?.locks && globalThis.document) this.#share();
    else this.#lead();
  }

  #share() {
    this.#channel = new BroadcastChannel(this.#key);
    this.#channel.onmessage = ({ data }) => this.#onMessage(data);
    this.#hold(`${this.#key} ${this.#id}`, () => {
      this.#isKnown = true;
      this.changed();
    });
    this.#hold(this.#key, () => this.#lead());
  }

  /** This tab wants something else than before. */
  changed() {
    const wish = this.#tab.wish();
    if (this.#stream) this.#take(this.#id, wish);
    else if (this.#isKnown) {
      this.#channel?.postMessage({ from: this.#id, wish });
      this.#expect(LEADER_MS_MAX, wish);
    }
  }

  close() {
    clearTimeout(this.#timer);
    this.#ending.abort();
    this.#stream?.close();
    this.#channel?.close();
    this.#stream = this.#channel = undefined;
  }

  /** Holds a lock until the end, or until another takes it away. @param {string} name @param {() => void} onHeld @param {LockOptions} [options] */
  #hold(name, onHeld, options = { signal: this.#ending.signal }) {
    const held = () => {
      onHeld();
      return new Promise((resolve) => this.#ending.signal.addEventListener("abort", resolve));
    };
    navigator.locks.request(name, options, () => (this.#ending.signal.aborted ? undefined : held())).catch(() => this.#ending.signal.aborted || this.#yield());
  }

  #lead() {
    clearTimeout(this.#timer);
    this.#stream = new Stream(
      this.#tab.base,
      () => this.#union.request(this.#tab.epoch),
      this.#tab.authorization,
      (told, numbers) => this.#tell({ ...told, numbers }),
      (end) => {
        this.#channel?.postMessage({ end });
        this.#tab.onEnd(end);
      },
    );
    this.#channel?.postMessage({ leads: this.#id });
    if (this.#channel) this.changed();
  }

  /** Another took the lead, because this tab hung. */
  #yield() {
    this.#stream?.close();
    this.#stream = undefined;
    this.#union = new Union();
    this.#hold(this.#key, () => this.#lead());
    this.changed();
  }

  /** @param {any} message of another tab */
  #onMessage({ from, wish, leads, told, end }) {
    if (wish && this.#stream) this.#take(from, wish);
    if (leads) this.changed();
    if (told) this.#hear(told);
    if (end) this.#tab.onEnd(end);
  }

  /** @param {string} from @param {Wish} wish */
  #take(from, wish) {
    if (from !== this.#id && !this.#union.has(from)) this.#watch(from);
    this.#union.set(from, wish);
    this.#stream?.restart();
  }

  /** Forgets a tab that is gone. @param {string} from */
  #watch(from) {
    const gone = () => {
      this.#union.delete(from);
      this.#stream?.restart();
    };
    navigator.locks.request(`${this.#key} ${from}`, { signal: this.#ending.signal }, gone).catch(() => {});
  }

  /** @param {Heard} told */
  #tell(told) {
    if (told.results || told.refused) this.#union.answered(told.numbers, told.results);
    for (const message of told.messages ?? []) this.#union.pass(message);
    this.#channel?.postMessage({ told });
    this.#hear(told);
  }

  /** @param {Heard} told */
  #hear({ numbers, ...told }) {
    if (!this.#stream) this.#expect(told.silenceMs + HANG_MS_MAX, this.#tab.wish());
    this.#tab.onTold(told, new Map(numbers).get(this.#id) ?? 0);
  }

  /** Leads in place of a leader that says nothing for this long. @param {number} ms @param {Wish} wish */
  #expect(ms, { names }) {
    clearTimeout(this.#timer);
    if (this.#channel && names.length) this.#timer = setTimeout(() => this.#hold(this.#key, () => this.#lead(), { steal: true }), ms);
  }
}
