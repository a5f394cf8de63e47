// The state of topics, asked for once. The client fetches this with its first get().
import { TOPICS_PER_COMMAND } from "./demand.js";
import { TickwireError } from "./subscription.js";

/** @typedef {import("./subscription.js").Update} Update */
/** @typedef {import("./topic.js").Message} Message */

/**
 * @param {(command: Message) => Promise<Message>} ask sends a command, and gets its answer
 * @param {string[]} topics
 * @returns {Promise<Map<string, Update>>}
 */
export async function get(ask, topics) {
  const states = /** @type {Map<string, Update>} */ (new Map());
  for (let at = 0; at < topics.length; at += TOPICS_PER_COMMAND) {
    let after = "";
    do {
      const { results = [], next = "" } = await ask({ type: "get", topics: topics.slice(at, at + TOPICS_PER_COMMAND), after });
      for (const { topic, seq, ts, status, data, error } of /** @type {Message[]} */ (results)) {
        if (error && error.code !== "unknown_topic") throw new TickwireError({ ...error, topic });
        if (!error && !states.has(topic)) states.set(topic, { kind: "snapshot", topic, seq, ts, status, data, image: data });
      }
      after = next;
    } while (after);
  }
  return states;
}
