// A publish: what the server would refuse is said before it is sent, and one with a name is sent again after a lost connection.
// The client fetches this with its first publish.
import { faultOf } from "./limits.js";

/** @import { TickwireError } from "./subscription.js" */
/** @import { Image, Message } from "./topic.js" */

/** How long an update with a `once` is sent again; the server knows it for a minute. */
export const ONCE_MS = 30_000;
export const ONCE_BYTES_MAX = 64;
const PAUSE_MS = 100;

/** @param {unknown} once */
function faultOfName(once) {
  if (once === undefined) return;
  const fault = { code: "bad_message", field: "once" };
  if (typeof once !== "string" || /\p{Surrogate}/u.test(once)) return { ...fault, message: "once: must be a string" };
  const bytes = new TextEncoder().encode(once).length;
  if (bytes < 1 || bytes > ONCE_BYTES_MAX) return { ...fault, message: `once: ${bytes} bytes, must have 1 to ${ONCE_BYTES_MAX}` };
}

/**
 * @param {{state: string}} client
 * @param {(command: Message) => Promise<Message>} ask
 * @param {string} topic
 * @param {Image} data
 * @param {string | undefined} once
 * @param {typeof TickwireError} Refusal
 * @returns {Promise<{topic: string, seq: number, duplicate?: boolean}>}
 */
export async function publish(client, ask, topic, data, once, Refusal) {
  const fault = faultOf(topic, data) ?? faultOfName(once);
  if (fault) throw new Refusal({ ...fault, topic });
  const until = performance.now() + ONCE_MS;
  for (;;) {
    try {
      const { results: [result = /** @type {any} */ ({})] = [] } = await ask({ type: "publish", topic, data, once });
      if (result.error) throw new Refusal({ ...result.error, topic });
      return result;
    } catch (error) {
      const { code, retryable } = /** @type {TickwireError} */ (error);
      if (once === undefined || code !== "unavailable" || !retryable || client.state === "closed" || performance.now() >= until) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
