// A session over HTTP that takes the commands of a WebSocket, and gives the messages of one, for networks where no WebSocket gets
// through. It is fetched only there.
//
// What it follows is a stream of events, or polls, which the tabs of an origin share (road_tabs.js); what of that concerns this
// page, road_follow.js knows. Every other command is a request of its own. A token is sent as a header, never in an address.
import { Following } from "./road_follow.js";
import { ANSWER_MS_MAX, errorOf } from "./road_stream.js";
import { Tabs } from "./road_tabs.js";

/** @import { End, Told } from "./road_stream.js" */
/** @import { Message } from "./topic.js" */

export const HEARTBEAT_S = 60; // the road itself watches what it follows; a client's own ping each minute shows that HTTP answers
export const NAMES_BYTES_MAX = 12_000; // in one request's address

/** What a token says, without when: the tabs of one user share a stream, each with a token of its own. @param {string} token */
function rightsOf(token) {
  try {
    const claims = JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    return JSON.stringify({ ...claims, iat: 0, nbf: 0, exp: 0, jti: 0 });
  } catch {
    return token;
  }
}

/** @param {string} text */
async function digest(text) {
  const bytes = await globalThis.crypto?.subtle?.digest("SHA-256", new TextEncoder().encode(text));
  return bytes ? Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("") : "";
}

export class HttpRoad {
  /** @type {((event: {data: Message}) => void) | null} */
  onmessage = null;
  /** @type {((event: {code: number, reason: string}) => void) | null} */
  onclose = null;
  /** @type {"sse" | "poll"} */
  transport = "sse";
  #base;
  #token;
  #epoch = "";
  #following = new Following();
  /** @type {Tabs | undefined} */
  #tabs;
  #ending = new AbortController();
  #judging = /** @type {Promise<unknown>} */ (Promise.resolve()); // a token; until then nothing is followed
  #due = false;

  /** @param {string} url as of a WebSocket */
  constructor(url) {
    const { origin, pathname, searchParams } = new URL(url.replace("ws", "http"));
    this.#base = origin + pathname.replace(/[^/]*$/, "");
    this.#token = searchParams.get("token") ?? "";
    this.#open();
  }

  /** @param {string} text */
  send(text) {
    const command = JSON.parse(text);
    if (command.type === "subscribe") this.#following.subscribe(command);
    else if (command.type === "unsubscribe") this.#say(this.#following.unsubscribe(command));
    else return void this.#answer(command);
    this.#follow();
  }

  close() {
    this.#ending.abort();
    this.#tabs?.close();
  }

  async #open() {
    try {
      const { epoch, server, ts } = await this.#get("health", {});
      this.#epoch = epoch;
      this.#say({ type: "welcome", epoch, server, ts, heartbeat_s: HEARTBEAT_S });
      if (this.#token) await this.#answer({ type: "auth", token: this.#token });
    } catch (error) {
      this.#close({ code: 1006, reason: error instanceof Error ? error.message : String(error) });
    }
  }

  /** @param {Message} message */
  #say(message) {
    this.onmessage?.({ data: message });
  }

  /** @param {End} end */
  #close({ code, reason, retryMs = 0 }) {
    const { onclose } = this;
    if (this.#ending.signal.aborted) return;
    if (retryMs) this.#say({ type: "drain", reconnect_after_ms: retryMs });
    this.close();
    onclose?.({ code, reason });
  }

  // --- what is followed ---------------------------------------------------------------------------

  /** Commands that come together are one wish. */
  async #follow() {
    if (this.#due) return;
    this.#due = true;
    await this.#judging;
    const key = this.#tabs ? "" : await digest(JSON.stringify([this.#base, rightsOf(this.#token)]));
    this.#due = false;
    if (this.#ending.signal.aborted) return;
    this.#tabs ??= new Tabs(`tickwire ${key}`, {
      base: this.#base,
      epoch: this.#epoch,
      wish: () => this.#following.wish(),
      authorization: () => this.#authorization(),
      onTold: (told, number) => this.#onTold(told, number),
      onEnd: (end) => this.#close(end),
    });
    this.#tabs.changed();
  }

  /** @param {Told} told @param {number} number */
  #onTold({ transport, epoch = this.#epoch, results, refused, messages = [] }, number) {
    this.transport = transport;
    if (epoch !== this.#epoch) return this.#close({ code: 1001, reason: "the server began a new epoch" });
    this.#say({ type: "heartbeat" });
    for (const message of results ? this.#following.answers(results, number) : []) this.#say(message);
    for (const message of messages) for (const mine of this.#following.take(message)) this.#say(mine);
    if (!refused || !number) return;
    const answers = this.#following.refused(refused, number);
    for (const answer of answers) this.#say(answer);
    if (answers.length) this.#follow();
  }

  // --- other commands -----------------------------------------------------------------------------

  /** @param {Message} command */
  async #answer({ id, ...command }) {
    try {
      this.#say({ type: "ack", id, ...(await this.#do(command)) });
    } catch (error) {
      const told = error instanceof Error ? { code: "unavailable", message: error.message, retryable: true } : /** @type {Message} */ (error);
      this.#say({ ...told, type: "error", id });
    }
  }

  /** @param {Message} command @returns {Promise<Message>} @throws {Message} the error of the server's answer */
  async #do({ type, topic, data, once, topics, token }) {
    if (type === "publish") return { results: [await this.#get("v1/publish", {}, { method: "POST", body: JSON.stringify({ topic, data, once }), headers: { "Content-Type": "application/json" } })] };
    if (type === "get") return { results: await this.#states(topics), next: "" };
    if (type === "auth") {
      const judged = this.#judge(token);
      this.#judging = judged.catch(() => {});
      return judged;
    }
    const { ts } = await this.#get("health", {});
    return { type: "pong", ts };
  }

  /** @param {string[]} names */
  async #states(names) {
    const states = [];
    for (let at = 0; at < names.length; ) {
      let topics = names[at++];
      while (at < names.length && topics.length + names[at].length < NAMES_BYTES_MAX) topics += `,${names[at++]}`;
      let after = "";
      do {
        const { results, next } = await this.#get("v1/snapshot", { topics, after });
        states.push(...results);
        after = next ?? "";
      } while (after);
    }
    return states;
  }

  /** A token that is refused, or that nobody can judge, is not sent with what comes next. @param {string} token */
  async #judge(token) {
    const before = this.#token;
    this.#token = token;
    try {
      await this.#get("v1/topics", { limit: "1" });
    } catch (error) {
      this.#token = "";
      throw error instanceof Error ? error : { .../** @type {Message} */ (error), field: "token" };
    } finally {
      if (this.#tabs && this.#token !== before) this.#rejoin();
    }
    return {};
  }

  /** Other rights, other tabs to share with. */
  #rejoin() {
    this.#tabs?.close();
    this.#tabs = undefined;
    this.#follow();
  }

  #authorization() {
    return /** @type {Record<string, string>} */ (this.#token ? { Authorization: `Bearer ${this.#token}` } : {});
  }

  /** @param {string} path @param {Record<string, string>} query @param {RequestInit} [init] @returns {Promise<Message>} */
  async #get(path, query, { headers, ...init } = {}) {
    const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
    const rights = path === "health" ? {} : this.#authorization();
    const response = await fetch(`${this.#base}${path}?${asked}`, { ...init, headers: { ...headers, ...rights }, signal: AbortSignal.timeout(ANSWER_MS_MAX), cache: "no-store" });
    if (!response.ok) throw await errorOf(response);
    return response.json();
  }
}
