// One WebSocket that comes back, and commands with their answers. It knows no topics.
//
// connecting -> open (the welcome came) -> away (lost, a timer runs) -> connecting ...; any -> closed, for good.
import { shouldReconnect } from "./codes.js";

export const WELCOME_MS_MAX = 10_000;
export const BACKOFF_MS_FIRST = 250;
export const BACKOFF_MS_MAX = 20_000;
export const DRAIN_MS_MAX = 60_000;
export const STEADY_MS = 5_000; // a connection that held this long forgets failed attempts
const HEARTBEAT_S = 15;

// Before attempt 0, 1, ...: doubling, less up to half of it, so that a crowd spreads out.
export function backoffMs(attempt) {
  return Math.min(BACKOFF_MS_MAX, BACKOFF_MS_FIRST * 2 ** attempt) * (0.5 + Math.random() / 2);
}

export class Connection {
  state = "connecting";
  retryAt = 0; // when away: local time of the next attempt
  #url;
  #onMessage;
  #onState;
  #socket;
  #timer;
  #attempt = 0;
  #openedAt = 0;
  #seenAt = 0;
  #heartbeatMs = 0;
  #drainMs = 0;
  #answers = new Map(); // id of a command -> function of its answer
  #nextId = 1;
  #retryNow = () => this.state === "away" && this.#connect();

  // onMessage(message) while open, the welcome first; onState({state, code, reason}) at each change.
  constructor(url, onMessage, onState) {
    this.#url = url;
    this.#onMessage = onMessage;
    this.#onState = onState;
    this.#connect(); // throws when the URL can never work
    globalThis.addEventListener?.("online", this.#retryNow);
  }

  // While open. `onAnswer` is called once, with an error when the connection is lost.
  send(command, onAnswer) {
    const id = this.#nextId++;
    this.#answers.set(id, onAnswer);
    this.#socket.send(JSON.stringify({ ...command, id }));
  }

  close() {
    this.#end({ code: 1000, reason: "closed by this side" });
  }

  #connect() {
    this.#openedAt = this.#drainMs = 0;
    this.#after(WELCOME_MS_MAX, () => this.#lost({ code: 1006, reason: "no welcome in time" }));
    this.#socket = new WebSocket(typeof this.#url === "function" ? this.#url() : this.#url, ["tickwire.v1.json"]);
    this.#socket.onmessage = ({ data }) => this.#receive(data);
    this.#socket.onclose = (close) => this.#lost(close);
    this.#become("connecting");
  }

  #receive(text) {
    this.#seenAt = Date.now();
    let message;
    try {
      message = JSON.parse(text) ?? {};
    } catch {
      return this.#lost({ code: 1006, reason: "a message that is not JSON" });
    }
    if (this.state === "connecting" && message.type === "welcome") this.#open(message);
    if (this.state !== "open") return;
    if (message.type === "drain") this.#drainMs = Math.min(message.reconnect_after_ms || 0, DRAIN_MS_MAX);
    const onAnswer = this.#answers.get(message.id);
    this.#answers.delete(message.id);
    (onAnswer ?? this.#onMessage)(message);
  }

  #open({ heartbeat_s }) {
    this.#heartbeatMs = (heartbeat_s > 0 ? heartbeat_s : HEARTBEAT_S) * 1000;
    this.#openedAt = this.#seenAt;
    this.#watch();
    this.#become("open");
  }

  #watch() {
    const left = this.#seenAt + 2 * this.#heartbeatMs - Date.now();
    if (left <= 0) this.#lost({ code: 4002, reason: "silent for two heartbeats" });
    else this.#after(left, () => this.#watch());
  }

  #lost({ code, reason }) {
    if (!shouldReconnect(code)) return this.#end({ code, reason });
    this.#release();
    if (this.#openedAt && Date.now() - this.#openedAt >= STEADY_MS) this.#attempt = 0;
    const wait = this.#drainMs + backoffMs(this.#attempt++);
    this.retryAt = Date.now() + wait;
    this.#after(wait, () => this.#connect());
    this.#become("away", { code, reason });
  }

  #end(why) {
    this.#release();
    clearTimeout(this.#timer);
    globalThis.removeEventListener?.("online", this.#retryNow);
    this.#become("closed", why);
  }

  // Lets go of the socket: whatever it still says is not for us.
  #release() {
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
  }

  #after(ms, work) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(work, ms);
  }

  #become(state, why = {}) {
    if (this.state === "closed" || this.state === state) return;
    this.state = state;
    const answers = this.#answers;
    this.#answers = new Map();
    for (const [, onAnswer] of answers) onAnswer({ type: "error", message: "the connection was lost", retryable: true });
    this.#onState({ state, ...why });
  }
}
