// The client that all of a page shares for one server.
import { connect } from "./client.js";
import { socketUrl } from "./connection.js";

/** @import { Client, Options } from "./client.js" */

/**
 * @typedef {object} Shared A client that a page shares.
 * @property {Client} client the client, which is connected or connects
 * @property {() => void} release to be called once, when the client is not needed any more
 */

const LINGER_MS = 1_000; // an element that moves comes back
/** @type {Map<string, {client: Client, count: number}>} */
const holders = new Map(); // by URL

/**
 * The client that all of a page shares for one server. It is closed after the last one has called `release`; a client that was
 * closed for good is replaced.
 * @param {string} [src] http(s)://host, ws(s)://host/ws or a path; by default the server that this module came from
 * @param {Options} [options] as for {@link connect}; only those of the first call count
 * @returns {Shared}
 */
export function share(src = socketUrl(), options) {
  const url = socketUrl(src, globalThis.document?.baseURI);
  const found = holders.get(url);
  const held = found && found.client.state !== "closed" ? found : { client: connect(url, options), count: 0 };
  holders.set(url, held);
  held.count++;
  const closeUnused = () => {
    if (held.count) return;
    if (holders.get(url) === held) holders.delete(url);
    held.client.close();
  };
  let release = () => {
    release = () => {};
    if (!--held.count) setTimeout(closeUnused, LINGER_MS);
  };
  return { client: held.client, release: () => release() };
}
