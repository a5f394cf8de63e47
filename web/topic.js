// What a client knows of one topic, and the rules by which messages change it. Pure: no socket, no clock, no DOM.
//
// Invariants: `image` is never changed in place, so whoever holds one holds that moment. `confirmed` means that every message
// of this connection so far fitted the one before; without it the image may be old and must not be shown as fresh.

// All fields of `data` over `image`; null deletes (RFC 7396, top level only: nested values are replaced whole).
// Spread defines own properties, so that a field named __proto__ stays a field.
export function merge(image, data) {
  const merged = { ...image, ...data };
  for (const key of Object.keys(data)) if (data[key] === null) delete merged[key];
  return merged;
}

// Patterns as on the server: `*` is one token, a final `>` one or more.
export function matches(pattern, topic) {
  if (pattern === topic) return true;
  const want = pattern.split("."), have = topic.split(".");
  const open = want.at(-1) === ">";
  if (open ? have.length < want.length : have.length !== want.length) return false;
  return want.every((token, i) => token === "*" || token === have[i] || (open && i === want.length - 1));
}

export function isPattern(name) {
  return name.split(".").some((token, i, all) => token === "*" || (token === ">" && i === all.length - 1));
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

export class TopicState {
  image = {};
  seq = 0;
  ts = 0;
  status = "unknown";
  confirmed = false;
  event = false; // each message stands for itself: the image is the last one, not all merged

  // The topic exists for this connection and nothing was published to it yet.
  confirmEmpty() {
    Object.assign(this, { image: {}, seq: 0, ts: 0, status: "unknown", confirmed: true });
  }

  // Takes a message of the topic; false when it does not fit what came before: then the state is not confirmed
  // until a snapshot comes, and nothing else has changed.
  apply(message) {
    if (message.delivery === "event") this.event = true;
    return this.#fits(message) ? this.#take(message) : (this.confirmed = false);
  }

  #fits({ type, seq, from, to, data }) {
    if ((type === "snapshot" || type === "update") && !isObject(data)) return false;
    if (type === "snapshot") return true;
    const last = this.confirmed ? this.seq : 0;
    if (type === "update") return seq === last + 1;
    if (type === "gap") return from === last + 1 && to >= from;
    return seq === last; // status
  }

  #take({ type, seq, to, ts, status, data }) {
    if (type === "snapshot") {
      this.image = data;
    } else if (!this.confirmed) {
      this.confirmEmpty();
    }
    if (type === "update") {
      this.image = this.event ? data : merge(this.image, data);
      if (this.status !== "halted" && this.status !== "closed") this.status = "live";
    } else if (type === "gap") {
      this.event = true;
    } else {
      this.status = status;
    }
    this.seq = type === "gap" ? to : seq;
    if (data) this.ts = ts; // a status does not make the data younger
    return (this.confirmed = true);
  }
}
