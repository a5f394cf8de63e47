// One stream of messages over HTTP: a stream of events (/sse), or polls where that brings nothing, as behind a proxy that holds
// back what is not complete. A request follows all that is wanted; another begins where that changes.
//
// A proxy's or a network's silence ends the stream after two heartbeats; whoever follows it then connects anew.

/** @import { Message } from "./topic.js" */
/** @import { Request } from "./road_union.js" */
/** @typedef {{code: number, reason: string, retryMs?: number}} End why a stream ended, with the code that a WebSocket would close with */

export const BEGIN_MS_MAX = 5_000; // to the first bytes of a stream of events; then it is polls,
export const QUIET_MS = 600_000; // for so long
export const ANSWER_MS_MAX = 10_000;
export const POLL_WAIT_S = 20; // and the answer's own time: silent no longer than for two heartbeats of 15 s
export const POLL_MS_MIN = 250; // from news to the next poll, and no less than max_rate says
export const POLL_PAUSE_MS = 1_000; // where a cursor does not hold all: each poll brings the rest again
export const TOGETHER_MS = 20; // what changes within this time is one request
const HEARTBEAT_S = 15;
const WHOLE = [400, 413, 414, 431]; // the request as such cannot be answered

/**
 * @typedef {object} Told What a stream has said.
 * @property {number} silenceMs after which time without another the stream is lost
 * @property {"sse" | "poll"} transport
 * @property {string} [epoch]
 * @property {Message[]} [messages]
 * @property {Message[]} [results] of what was asked for, before the messages
 * @property {Message} [refused] the request as a whole is
 */

const quiet = /** @type {Map<string, number>} */ (new Map()); // server whose stream of events brought nothing -> until when it is polled

/** The error that an answer over HTTP carries. @param {Response} response @returns {Promise<Message>} */
export async function errorOf(response) {
  const { error } = await response.json().catch(() => ({}));
  return { code: "unavailable", message: `HTTP ${response.status}`, retryable: true, ...error };
}

export class Stream {
  #base;
  #request;
  #authorization;
  #onTold;
  #onEnd;
  #under = new AbortController(); // the request under way
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #silenceMs = 2_000 * HEARTBEAT_S;

  /**
   * @param {string} base the server's address, which ends with /
   * @param {() => Request | undefined} request what is wanted now
   * @param {() => Record<string, string>} authorization headers
   * @param {(told: Told, numbers: [string, number][]) => void} onTold
   * @param {(end: End) => void} onEnd called once
   */
  constructor(base, request, authorization, onTold, onEnd) {
    this.#base = base;
    this.#request = request;
    this.#authorization = authorization;
    this.#onTold = onTold;
    this.#onEnd = onEnd;
  }

  /** Something else is wanted than before. */
  restart() {
    this.#stop();
    this.#timer = setTimeout(() => this.#run(), TOGETHER_MS);
  }

  close() {
    this.#stop();
    this.#onEnd = () => {};
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#under.abort();
  }

  /** @param {End} end */
  #end(end) {
    this.#stop();
    const onEnd = this.#onEnd;
    this.#onEnd = () => {};
    onEnd(end);
  }

  async #run() {
    const { signal } = (this.#under = new AbortController());
    try {
      for (;;) {
        const request = this.#request();
        if (!request) return;
        if (!(await (this.#transport === "poll" ? this.#poll(request, signal) : this.#events(request, signal)))) return;
      }
    } catch (error) {
      if (!signal.aborted) this.#end({ code: 1006, reason: String(error) });
    }
  }

  /** @param {string} path @param {Record<string, string>} query @param {AbortSignal} signal */
  #fetch(path, query, signal) {
    return fetch(`${this.#base}${path}?${new URLSearchParams(query)}`, { headers: this.#authorization(), signal, cache: "no-store" });
  }

  /** Calls `late` unless something comes in time. @param {number} ms @param {() => void} [late] */
  #expect(ms, late = () => this.#end({ code: 4002, reason: "silent for two heartbeats" })) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(late, ms);
  }

  /** @returns {"sse" | "poll"} */
  get #transport() {
    return (quiet.get(this.#base) ?? 0) > performance.now() ? "poll" : "sse";
  }

  /** Whether to ask again: never. @param {Request} request @param {AbortSignal} signal */
  async #events(request, signal) {
    const { query, numbers } = request;
    this.#expect(BEGIN_MS_MAX, () => {
      quiet.set(this.#base, performance.now() + QUIET_MS);
      this.restart();
    });
    const response = await this.#fetch("sse", query, signal);
    if (!response.ok) return this.#refused(response, request, signal);
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (signal.aborted) return false;
      if (done) return this.#end({ code: 1006, reason: "the stream of events ended" }), false;
      const lines = (rest + value).split("\n");
      rest = /** @type {string} */ (lines.pop());
      if (!this.#heard(lines.filter((line) => line.startsWith("data: ")).map((line) => JSON.parse(line.slice(6))), numbers)) return false;
    }
  }

  /** Whether the stream goes on. @param {Message[]} all @param {[string, number][]} numbers */
  #heard(all, numbers) {
    const one = (/** @type {string} */ type) => all.find((message) => message.type === type);
    const welcome = one("welcome"), close = one("close");
    const { results } = all.find((message) => message.type === "ack" && message.results) ?? {}; // a token is acknowledged, too
    const error = all.find(({ type, topic, field }) => type === "error" && topic === undefined && field !== "token");
    if (welcome?.heartbeat_s > 0) this.#silenceMs = 2_000 * welcome?.heartbeat_s;
    this.#expect(this.#silenceMs);
    const messages = all.filter((message) => !/^(welcome|ack|close)$/.test(message.type) && message !== error);
    this.#onTold({ silenceMs: this.#silenceMs, transport: "sse", epoch: welcome?.epoch, results, refused: error, messages }, numbers);
    if (close) this.#end({ code: close.code, reason: close.reason });
    return !close;
  }

  /** @param {Request} request @param {AbortSignal} signal */
  async #poll(request, signal) {
    const { query, numbers, asks, cut } = request;
    const waitS = asks || cut ? 0 : POLL_WAIT_S;
    const silenceMs = waitS * 1000 + ANSWER_MS_MAX;
    this.#expect(silenceMs);
    const response = await this.#fetch("poll", { ...query, wait: String(waitS) }, signal);
    if (!response.ok) return this.#refused(response, request, signal);
    const { results, messages, cursor } = await response.json();
    if (signal.aborted) return false;
    this.#onTold({ silenceMs: POLL_WAIT_S * 1000 + ANSWER_MS_MAX, transport: "poll", epoch: cursor?.split(",")[0].replace("!", ""), results, messages }, numbers);
    const pauseMs = cut ? POLL_PAUSE_MS : asks || !messages.length ? 0 : Math.max(POLL_MS_MIN, 1_000 / Number(query.max_rate ?? Infinity));
    if (pauseMs) await new Promise((resolve) => this.#expect(pauseMs, () => resolve(undefined)));
    return true;
  }

  /** @param {Response} response @param {Request} request @param {AbortSignal} signal */
  async #refused(response, { asks, numbers }, signal) {
    const refused = await errorOf(response);
    if (signal.aborted) return false;
    if (WHOLE.includes(response.status) && asks) {
      clearTimeout(this.#timer);
      refused.retryable ||= numbers.length > 1; // it may be another page that asks for too much
      this.#onTold({ silenceMs: this.#silenceMs, transport: this.#transport, refused }, numbers);
    } else this.#end({ code: refused.retryable ? 1013 : 4500, reason: refused.message, retryMs: refused.retry_after_ms });
    return false;
  }
}
