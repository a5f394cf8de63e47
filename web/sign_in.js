// The token of a client: where it comes from, and that the server learns of it with every connection.
import { backoffMs } from "./connection.js";
import { RETRY_FIRST } from "./demand.js";
import { TickwireError } from "./subscription.js";

/** @import { Message } from "./topic.js" */
/** @typedef {string | (() => string | Promise<string>)} Token a token, or a function that gets one for each connection */

export const TOKEN_BYTES_MAX = 8_192;

/**
 * @typedef {object} Owner What signing in works on.
 * @property {() => boolean} isOpen whether there is a connection
 * @property {() => string} url of the connection, which may hold a token, too
 * @property {(command: Message) => Promise<Message>} ask sends a command
 * @property {() => void} onAccepted the token was accepted
 * @property {(error: unknown) => void} onRefused the token was refused, and nobody waits for this
 */

export class SignIn {
  #owner;
  /** @type {Token | undefined} */
  #source;
  #token = /** @type {string | undefined} */ (undefined); // the last one of the source
  #timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);

  /** @param {Owner} owner */
  constructor(owner) {
    this.#owner = owner;
  }

  /** Takes a new source of tokens. @param {Token} [source] @throws {TickwireError} a token that is too long */
  use(source) {
    if (typeof source === "string") this.#check(source);
    this.#source = source;
    this.#token = typeof source === "string" ? source : undefined;
  }

  /** Whether a token has to be fetched before a connection is made. */
  get fetches() {
    return typeof this.#source === "function";
  }

  /** Asks the source for a token, for a connection that is about to be made, or in place of one that expired. */
  async fetch() {
    if (typeof this.#source !== "function") return;
    const token = await this.#source();
    this.#check(token);
    this.#token = token;
  }

  /** A connection ended. */
  stop() {
    clearTimeout(this.#timer);
  }

  /** A connection is open: the token is sent first. */
  start() {
    if (this.#token !== undefined) this.#sendAgain();
  }

  /** @returns {Promise<{judged: boolean}>} */
  async send(tries = 0) {
    const token = this.#token ?? new URL(this.#owner.url()).searchParams.get("token");
    clearTimeout(this.#timer);
    let answer;
    try {
      answer = await this.#owner.ask({ type: "auth", token });
    } catch (error) {
      if (error instanceof TickwireError && error.retryable) this.later(tries + 1, error.retryAfterMs);
      throw error;
    }
    this.#owner.onAccepted();
    return { judged: answer.judged ?? true };
  }

  /** Nobody could judge the token: it is sent again after a pause. */
  later(tries = 0, toldMs = 0) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#owner.isOpen() && this.#sendAgain(tries), backoffMs(RETRY_FIRST + tries, toldMs));
  }

  /** @param {number} [tries] */
  #sendAgain(tries) {
    this.send(tries).catch((error) => this.#owner.onRefused(error));
  }

  /** @param {string} token */
  #check(token) {
    if (typeof token === "string" && new TextEncoder().encode(token).length <= TOKEN_BYTES_MAX) return;
    throw new TickwireError({ code: "bad_message", field: "token", message: `token: must be a string of at most ${TOKEN_BYTES_MAX} bytes` });
  }
}
