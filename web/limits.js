// What a publish may hold (docs/PROTOCOL.md, Limits). The client fetches this with its first publish.
//
// Checked before it is sent: what the server cannot read it refuses for more than this one message.
export const PAYLOAD_BYTES_MAX = 1_048_576;
export const DEPTH_MAX = 16;

const HALF = /\p{Surrogate}/u; // with the flag u only one without its other half

/**
 * What a member of `data` holds that JSON cannot express; undefined when nothing.
 * @param {string} key
 * @param {unknown} value
 */
function oddity(key, value) {
  if (typeof value === "bigint") return "a BigInt has no place in JSON; send it as a string";
  if (typeof value === "number" && !Number.isFinite(value)) return `${value} has no place in JSON; send null or a string`;
  if (HALF.test(key) || (typeof value === "string" && HALF.test(value))) return "holds half of a surrogate pair";
}

/**
 * Levels of objects and arrays; braces within strings do not count.
 * @param {string} text
 */
function depth(text) {
  let now = 0, most = 0;
  for (const [brace] of text.replace(/"(?:[^"\\]|\\.)*"/g, "").matchAll(/[[{}\]]/g)) most = Math.max(most, (now += "[{".includes(brace) ? 1 : -1));
  return most;
}

/**
 * Why the server would refuse a publish; undefined when it would not.
 * @param {unknown} topic
 * @param {unknown} data
 */
export function faultOf(topic, data) {
  if (typeof topic !== "string" || !/^[\w:.-]{1,200}$/.test(topic)) return { code: "bad_topic", field: "topic", message: "topic: must be tokens of letters, digits, _ : - joined by dots, at most 200 bytes" };
  /** @param {string} message */
  const bad = (message, field = "data") => ({ code: "bad_data", field, message });
  if (typeof data !== "object" || data === null || Array.isArray(data)) return bad("data: must be an object");
  const places = new Map(); // of the objects on the way; `this` of a replacer is the one that holds the key
  let odd = /** @type {{place: string, why: string} | undefined} */ (undefined);
  let text;
  try {
    text = JSON.stringify(data, function (key, value) {
      const holder = places.get(this);
      const place = holder === undefined ? "data" : Array.isArray(this) ? `${holder}[${key}]` : `${holder}.${key}`;
      if (typeof value === "object" && value !== null) places.set(value, place);
      const why = oddity(key, value);
      if (why) odd ??= { place, why };
      return typeof value === "bigint" ? 0 : value;
    });
  } catch (error) {
    return bad(`data: at most ${DEPTH_MAX} levels deep and without circles (${/** @type {Error} */ (error).message.split("\n", 1)[0]})`);
  }
  if (odd) return bad(`${odd.place}: ${odd.why}`, odd.place);
  if (text?.[0] !== "{") return bad("data: must be an object");
  if (depth(text) > DEPTH_MAX) return bad(`data: at most ${DEPTH_MAX} levels deep, not ${depth(text)}`);
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > PAYLOAD_BYTES_MAX) return bad(`data: at most ${PAYLOAD_BYTES_MAX} bytes, not ${bytes}`);
}
