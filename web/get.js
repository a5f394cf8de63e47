// The state of topics, asked for once. The client fetches this with its first get(), so it imports nothing of the client.

/** @typedef {import("./subscription.js").Update} Update */
/** @typedef {import("./topic.js").Message} Message */

/**
 * @param {(command: Message) => Promise<Message>} ask sends a command, and gets its answer
 * @param {string[]} topics
 * @param {number} most names of one command
 * @param {typeof import("./subscription.js").TickwireError} Refusal what is thrown where one of `topics` is refused
 * @returns {Promise<Map<string, Update>>}
 */
export async function get(ask, topics, most, Refusal) {
  const states = /** @type {Map<string, Update>} */ (new Map());
  for (let at = 0; at < topics.length; at += most) {
    let after = "";
    do {
      const { results = [], next = "" } = await ask({ type: "get", topics: topics.slice(at, at + most), after });
      for (const { topic, seq, ts, status, data, error } of /** @type {Message[]} */ (results)) {
        if (error && error.code !== "unknown_topic") throw new Refusal({ ...error, topic });
        if (!error && !states.has(topic)) states.set(topic, { kind: "snapshot", topic, seq, ts, status, data, image: data });
      }
      after = next;
    } while (after);
  }
  return states;
}
