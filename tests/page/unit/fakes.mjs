// A clock, chance and sockets under the test's control, in place of the browser's.
import { afterEach, beforeEach } from "node:test";

const real = { setTimeout, clearTimeout, now: Date.now, monotonic: performance.now, random: Math.random, WebSocket: globalThis.WebSocket, fetch: globalThis.fetch };

// Lets promises and microtasks run.
export const settle = () => new Promise((resolve) => setImmediate(resolve));

class Clock {
  now = 1_000_000; // the wall clock, which a test may set
  monotonic = 5_000;
  #timers = new Map();
  #next = 1;

  set(work, ms = 0, ...args) {
    this.#timers.set(this.#next, { at: this.monotonic + ms, work: () => work(...args) });
    return this.#next++;
  }
  clear(id) {
    this.#timers.delete(id);
  }
  get timers() {
    return this.#timers.size;
  }
  #to(at) {
    this.now += Math.max(0, at - this.monotonic);
    this.monotonic = Math.max(at, this.monotonic);
  }
  async advance(ms) {
    const end = this.monotonic + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.#to(due[1].at);
      due[1].work();
      await settle();
    }
    this.#to(end);
    await settle();
  }
}

export class FakeSocket {
  static all = [];
  static get last() {
    return FakeSocket.all.at(-1);
  }
  sent = [];
  closed = false;

  constructor(url, protocols) {
    if (!/^wss?:/.test(url)) throw new SyntaxError(`bad url: ${url}`);
    Object.assign(this, { url, protocols });
    FakeSocket.all.push(this);
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.closed = true;
  }

  // The server's side.
  say(message) {
    this.onmessage?.({ data: typeof message === "string" ? message : JSON.stringify(message) });
  }
  welcome(fields = {}) {
    this.say({ type: "welcome", session: "s", epoch: "e1", heartbeat_s: 10, server: "tickwire/test", ts: clock.now, ...fields });
  }
  drop(code = 1006, reason = "") {
    this.onclose?.({ code, reason });
  }
  commands(type) {
    return this.sent.filter((command) => command.type === type);
  }
}

export let clock;

beforeEach(() => {
  clock = new Clock();
  FakeSocket.all = [];
  globalThis.setTimeout = (work, ms, ...args) => clock.set(work, ms, ...args);
  globalThis.clearTimeout = (id) => clock.clear(id);
  Date.now = () => clock.now;
  performance.now = () => clock.monotonic;
  Math.random = () => 1;
  globalThis.WebSocket = FakeSocket;
  globalThis.fetch = () => Promise.reject(new TypeError("nothing is there"));
});

afterEach(() => {
  Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout, WebSocket: real.WebSocket, fetch: real.fetch });
  Date.now = real.now;
  performance.now = real.monotonic;
  Math.random = real.random;
});

// Repeatable chance for property tests (mulberry32).
export function chance(seed) {
  const next = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const int = (below) => Math.floor(next() * below);
  return { next, int, pick: (list) => list[int(list.length)] };
}
