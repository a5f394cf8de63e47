// What the server still has of a topic from before a page was opened: its ring, asked for once over a connection that then ends.
import { Quote } from "./quote.js";
import { merge } from "./topic.js";

/** @typedef {{at: number, value: number}} Point a price, and the server's Unix time in milliseconds */
/** @typedef {{seq: number, epoch: string, event: boolean, token: string | null}} Known what the page knows of the topic */

const UPDATES_MAX = 1_024;
const UPDATES_MIN = 4;
const ANSWER_MS_MAX = 10_000;

/** @param {Map<number, Record<string, any>>} updates by seq @param {boolean} event @returns {Point[]} */
function pointsOf(updates, event) {
  const quote = new Quote();
  let image = {};
  return [...updates].sort(([a], [b]) => a - b).flatMap(([, { ts, data }]) => {
    image = event ? data : merge(image, data);
    quote.take(image);
    return Number.isFinite(quote.value) ? [{ at: ts, value: quote.value }] : [];
  });
}

/**
 * The prices of the ring, oldest first; none where the server says nothing. A ring that does not reach so far back is asked for less.
 * @param {string} url
 * @param {string} topic
 * @param {Known} known
 * @returns {Promise<Point[]>}
 */
export function readRing(url, topic, { seq, epoch, event, token }) {
  const socket = new WebSocket(url, ["tickwire.v1.json"]);
  const updates = new Map();
  let wanted = UPDATES_MAX, replays = event;
  const send = (/** @type {object} */ command) => socket.send(JSON.stringify(command));
  const ask = () => send({ type: "subscribe", id: 1, topics: [topic], ...(event ? { last: wanted } : { since: { [topic]: Math.max(1, seq - wanted) }, epoch }) });
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      socket.onmessage = socket.onclose = null;
      socket.close();
      resolve(pointsOf(updates, event));
    };
    const timer = setTimeout(end, ANSWER_MS_MAX);
    const onAck = (/** @type {Record<string, any>[]} */ [result]) => {
      replays ||= result?.recovered === true;
      if (replays && !result?.error) return;
      wanted /= 2;
      if (result?.error || wanted < UPDATES_MIN) end();
      else ask();
    };
    socket.onclose = end;
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "welcome") {
        if (token) send({ type: "auth", token });
        ask();
      } else if (message.id === 1) onAck(message.results ?? [message]);
      else if (message.type === "update") updates.set(message.seq, message);
      else if (replays && /status|snapshot/.test(message.type)) end();
    };
  });
}
