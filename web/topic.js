// What a client knows of one topic, and how messages change it. Pure.
//
// `image` is never changed in place. `confirmed`: nothing is missing up to now; without it, up to `seq`.

// RFC 7396 at the top level: null deletes. Spread defines own properties, so that a field named __proto__ is only a field.
export function merge(image, data) {
  const merged = { ...image, ...data };
  for (const key of Object.keys(data)) if (data[key] === null) delete merged[key];
  return merged;
}

// Patterns as on the server: `*` is one token, a final `>` one or more.
export function matches(pattern, topic) {
  if (pattern === topic) return true;
  const want = pattern.split("."), have = topic.split(".");
  const open = want.at(-1) === ">" && want.pop();
  if (open ? have.length <= want.length : have.length !== want.length) return false;
  return want.every((token, i) => token === "*" || token === have[i]);
}

export const isPattern = (name) => /(^|\.)(\*(\.|$)|>$)/.test(name);

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

export class TopicState {
  image = {};
  seq = 0;
  ts = 0;
  status = "unknown";
  confirmed = false;
  event = false; // its image is the last message, not all merged

  // The topic exists for this connection and nothing was published to it yet.
  confirmEmpty() {
    Object.assign(this, { image: {}, seq: 0, ts: 0, status: "unknown", confirmed: true });
  }

  // `seq` means nothing any more; the image is what was last known.
  forget() {
    if (this.seq) Object.assign(this, { seq: 0, status: "stale", confirmed: false });
  }

  // False when the message does not fit what came before: then nothing changes.
  apply(message) {
    if (message.delivery === "event") this.event = true;
    return this.#fits(message) ? this.#take(message) : (this.confirmed = false);
  }

  #fits({ type, seq, from, to, data }) {
    if ((type === "snapshot" || type === "update") && !isObject(data)) return false;
    if (type === "snapshot") return true;
    if (type === "update") return seq === this.seq + 1;
    if (type === "gap") return from === this.seq + 1 && to >= from;
    return seq === this.seq; // status
  }

  #take({ type, seq, to, ts, status, data }) {
    if (!this.seq) this.confirmEmpty();
    if (type === "gap") this.event = true;
    if (data) this.image = type === "snapshot" || this.event ? data : merge(this.image, data);
    if (type === "update" && !/halted|closed/.test(this.status)) this.status = "live";
    this.status = status ?? this.status;
    this.seq = type === "gap" ? to : seq;
    if (data) this.ts = ts; // a status does not make the data younger
    return (this.confirmed = true);
  }
}
