// One WebSocket that comes back, and commands with their answers. It knows no topics.
//
// connecting -> open (the welcome came) -> away (lost, a timer runs) -> connecting ...; any -> paused (the page is hidden; no timer
// runs) -> connecting; any -> closed, for good.
//
// The monotonic clock measures. Where the wall clock parts from it, the computer slept or a clock was set: nobody knows what was
// missed, or for how long, so the connection is given up and all is confirmed over a new one.
import { shouldReconnect } from "./codes.js";
import { followPage } from "./lifecycle.js";

/** @import { HttpRoad } from "./road.js" */
/** @typedef {import("./topic.js").Message} Message */
/** @typedef {string | (() => string | Promise<string>)} Address an address, or a function that makes one for each connection */
/** @typedef {"connecting" | "open" | "away" | "paused" | "closed"} State away: lost, and connects again; paused: the page is hidden; closed: for good */
/** @typedef {{code?: number, reason?: string}} Why of a state: the close code and its reason */
/** @typedef {{state: State} & Why} Change */

export const WELCOME_MS_MAX = 10_000;
export const BACKOFF_MS_FIRST = 250;
export const BACKOFF_MS_MAX = 20_000;
export const TOLD_MS_MAX = 60_000; // the longest wait that a server can ask for
export const STEADY_MS = 5_000; // a connection that held this long forgets failed attempts
export const WATCH_MS = 1_000;
export const PARTING_MS_MAX = 1_000;
export const SYNC_MS = 60_000; // where no heartbeat is due, the server's time is asked for this often
export const ANSWER_MS_MAX = 10_000;
export const PROBE_MS_MAX = 3_000;
const HEARTBEAT_S = 15;
const ONE_MESSAGE = [1007, 1009]; // close codes about one message of ours: others of the page share the next connection

const now = () => performance.now();
const parting = () => Date.now() - now();

/**
 * The WebSocket address of a server: of the one that this module came from, or of http(s)://host, ws(s)://host or a path.
 * @param {string} [src]
 * @param {string} [base] what a path is relative to
 * @throws {SyntaxError | TypeError} an address that can never work
 */
export function socketUrl(src = "/ws", base = import.meta.url) {
  const url = new URL(src, base);
  url.protocol = url.protocol.replace("http", "ws");
  if (!/^wss?:/.test(url.protocol)) throw new SyntaxError(`${src}: not a server's address, as ws://host/ws, https://host or a path`);
  url.pathname = url.pathname.replace(/\/+$/, "") || "/ws";
  url.hash = "";
  return url.href;
}

/**
 * The pause before attempt 0, 1, ... in milliseconds. It doubles, with jitter of up to a half, so that a crowd spreads out.
 * @param {number} attempt
 * @param {number} [toldMs] the server's own wish, which is added
 */
export function backoffMs(attempt, toldMs = 0) {
  return Math.min(toldMs, TOLD_MS_MAX) + Math.min(BACKOFF_MS_MAX, BACKOFF_MS_FIRST * 2 ** attempt) * (0.5 + Math.random() / 2);
}

/** @param {string} message */
const failure = (message) => ({ type: "error", code: "unavailable", message, retryable: true });

export class Connection {
  /** @type {State} */
  state = "connecting";
  url = ""; // of this connection, or the last one
  #retryAt = 0; // when away: monotonic time of the next attempt
  #source;
  #onMessage;
  #onState;
  /** @type {WebSocket | HttpRoad | null} */
  #socket = null;
  /** @type {typeof HttpRoad | undefined} */
  #Road; // how to connect where no WebSocket gets through
  #blocked = 0; // WebSockets in a row that did not get through where HTTP did
  #turn = {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #attempt = 0;
  #openedAt = 0;
  #seenAt = 0;
  #heartbeatMs = 0;
  #drainMs = 0;
  #parting = parting();
  #ahead = NaN; // server time - monotonic time
  #syncedAt = 0;
  /** @type {Map<number, (answer: Message) => void>} */
  #answers = new Map(); // id of a command -> function of its answer
  #nextId = 1;
  #unfollow;

  /**
   * @param {Address} url
   * @param {(message: Message) => void} onMessage called while open, with the welcome first
   * @param {(change: Change) => void} onState
   * @param {boolean} [pauses] whether a hidden page pauses it
   */
  constructor(url, onMessage, onState, pauses = true) {
    this.#source = url;
    this.#onMessage = onMessage;
    this.#onState = onState;
    this.#open(); // throws when the URL can never work
    this.#unfollow = followPage(this, pauses);
  }

  /** Open, heard lately, and no clock has jumped since. */
  get sure() {
    return this.state === "open" && !this.#doubt();
  }

  /** The server's Unix time in milliseconds. NaN while it is unknown: at the start, and after a jump of a clock. */
  get serverNow() {
    return this.#jumped() ? NaN : this.#ahead + now();
  }

  /** `websocket`, `sse` or `poll`; empty while there is no connection. */
  get transport() {
    return this.state === "open" ? (/** @type {HttpRoad} */ (this.#socket).transport ?? "websocket") : "";
  }

  /** Milliseconds to the next attempt, when away. */
  get retryMs() {
    return Math.max(0, this.#retryAt - now());
  }

  /**
   * Sends a command, while open. `onAnswer` is called once: with an error if the connection is lost or no answer comes in time.
   * @param {Message} command
   * @param {(answer: Message) => void} onAnswer
   */
  send(command, onAnswer, ms = ANSWER_MS_MAX) {
    const id = this.#nextId++;
    const text = JSON.stringify({ ...command, id });
    const answer = (/** @type {Message} */ message) => {
      clearTimeout(timer);
      this.#answers.delete(id);
      onAnswer(message);
    };
    const timer = setTimeout(answer, ms, failure(`no answer in ${ms / 1000} s`));
    this.#answers.set(id, answer);
    this.#socket?.send(text);
  }

  close() {
    this.#end({ code: 1000, reason: "closed by this side" });
  }

  /** Lets go of the connection until wake(). */
  pause() {
    this.#release();
    clearTimeout(this.#timer);
    this.#become("paused");
  }

  /** Connects at once, when paused or away. */
  wake() {
    if (this.state === "paused") this.#attempt = 0;
    if (this.state === "paused" || this.state === "away") this.#connect();
  }

  /** Gives the connection up unless the server answers soon: the network has changed. */
  probe() {
    const socket = this.#socket;
    const judge = (/** @type {Message} */ { type }) => type === "error" && socket === this.#socket && this.#lost({ code: 1006, reason: "no answer after the network has changed" });
    if (this.state === "open") this.send({ type: "ping" }, judge, PROBE_MS_MAX);
    this.#tryWebSocket();
  }

  #connect() {
    try {
      this.#open();
    } catch (error) {
      this.#failed(error);
    }
  }

  #open() {
    const url = typeof this.#source === "function" ? this.#source() : this.#source;
    this.#openedAt = this.#drainMs = 0;
    if (typeof url === "string") this.#dial(url);
    this.#after(this.#blocked === 1 ? PROBE_MS_MAX : WELCOME_MS_MAX, () => this.#lost({ code: 1006, reason: "no welcome in time" }));
    this.#become("connecting");
    if (typeof url !== "string") this.#dialLater(url);
  }

  /** @param {Promise<string>} url */
  async #dialLater(url) {
    const turn = (this.#turn = {}); // another attempt, a pause or the end takes it away
    try {
      const made = await url;
      if (turn === this.#turn) this.#dial(made);
    } catch (error) {
      if (turn === this.#turn) this.#failed(error);
    }
  }

  /** @param {string} url */
  #dial(url) {
    this.url = socketUrl(url, globalThis.document?.baseURI);
    const socket = this.#Road ? new this.#Road(this.url) : new WebSocket(this.url, ["tickwire.v1.json"]);
    this.#socket = socket;
    socket.onmessage = (/** @type {{data: string | Message}} */ { data }) => this.#receive(data);
    socket.onclose = (/** @type {{code: number, reason: string}} */ close) => this.#lost(close);
  }

  /** What makes the address or the token failed. @param {unknown} error */
  #failed(error) {
    (globalThis.reportError ?? console.error)(error);
    this.#lost({ code: 1006, reason: error instanceof Error ? error.message : String(error) });
  }

  /** @param {string | Message} data text of a WebSocket, or a message */
  #receive(data) {
    if (this.state === "open" && this.#gaveUp()) return;
    this.#seenAt = now();
    let message;
    try {
      message = typeof data === "string" ? (JSON.parse(data) ?? {}) : data;
    } catch {
      return this.#lost({ code: 1006, reason: "a message that is not JSON" });
    }
    if (message.ts > 0 && /welcome|heartbeat|pong/.test(message.type)) {
      this.#ahead = message.ts - this.#seenAt;
      this.#syncedAt = this.#seenAt;
    }
    if (this.state === "connecting" && message.type === "welcome") this.#welcome(message);
    if (this.state !== "open") return;
    if (message.type === "drain") {
      this.#drainMs = message.reconnect_after_ms > 0 ? Math.min(+message.reconnect_after_ms, TOLD_MS_MAX) : 0;
    }
    (this.#answers.get(message.id) ?? this.#onMessage)(message);
  }

  /** @param {Message} welcome */
  #welcome({ heartbeat_s }) {
    this.#heartbeatMs = (heartbeat_s > 0 ? heartbeat_s : HEARTBEAT_S) * 1000;
    this.#openedAt = this.#seenAt;
    this.#parting = parting();
    if (!this.#Road) this.#blocked = 0;
    this.#watch();
    this.#become("open");
  }

  // The clocks creep apart by themselves, a little at a time.
  #jumped() {
    const apart = parting();
    if (Math.abs(apart - this.#parting) > PARTING_MS_MAX) return true;
    this.#parting = apart;
    return false;
  }

  #doubt() {
    if (this.#jumped()) return "a clock was set, or the computer slept";
    return now() - this.#seenAt >= 2 * this.#heartbeatMs ? "silent for two heartbeats" : "";
  }

  #gaveUp() {
    const reason = this.#doubt();
    if (reason) this.#lost({ code: 4002, reason });
    return reason;
  }

  #watch() {
    if (this.#gaveUp()) return;
    if (this.state === "open" && now() - this.#syncedAt >= SYNC_MS) {
      this.#syncedAt = now();
      this.send({ type: "ping" }, () => {});
    }
    this.#after(Math.min(WATCH_MS, this.#seenAt + 2 * this.#heartbeatMs - now()), () => this.#watch());
  }

  /** @param {{code: number, reason: string}} why */
  #lost({ code, reason }) {
    if (!shouldReconnect(code) && !ONE_MESSAGE.includes(code)) return this.#end({ code, reason });
    if (this.state === "connecting") this.#tryHttp();
    this.#release();
    if (this.#openedAt && now() - this.#openedAt >= STEADY_MS) this.#attempt = 0;
    const wait = this.#drainMs + backoffMs(this.#attempt++);
    this.#retryAt = now() + wait;
    this.#after(wait, () => this.#connect());
    this.#become("away", { code, reason });
  }

  /** The next connection is a WebSocket, and over HTTP again if that does not get through. */
  #tryWebSocket() {
    this.#Road = undefined;
    this.#blocked &&= 1;
  }

  /** The next connection is over HTTP if that answers where twice in a row a WebSocket did not get through. */
  async #tryHttp() {
    if (this.#Road) return this.#tryWebSocket();
    try {
      const { ok } = await fetch(new URL("health", this.url.replace("ws", "http")), { signal: AbortSignal.timeout(PROBE_MS_MAX) });
      if (ok && this.state !== "open" && ++this.#blocked > 1) this.#Road = (await import("./road.js")).HttpRoad;
    } catch {
      // The server is not there either.
    }
  }

  /** @param {Why} why */
  #end(why) {
    this.#release();
    clearTimeout(this.#timer);
    this.#unfollow?.();
    this.#become("closed", why);
  }

  /** Drops the socket; whatever it still receives is ignored. */
  #release() {
    this.#turn = {};
    if (!this.#socket) return;
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }

  /** @param {number} ms @param {() => void} work */
  #after(ms, work) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(work, ms);
  }

  /** @param {State} state @param {Why} why */
  #become(state, why = {}) {
    if (this.state === "closed" || this.state === state) return;
    this.state = state;
    const answers = this.#answers;
    this.#answers = new Map();
    for (const answer of answers.values()) answer(failure("the connection was lost"));
    this.#onState({ state, ...why });
  }
}
