// <tick-status>: whether the prices of the page can be trusted, in one word.
import { TickElement, define } from "./element.js";
import { setAttribute, setText } from "./frame.js";
import { ICON, setIcon } from "./looks.js";
import { isPattern, matches } from "./topic.js";

/** @import { Client } from "./client.js" */

const STYLE = `
:host { display: inline-block; max-width: 100%; }
.all { display: inline-flex; align-items: baseline; gap: .45em; max-width: 100%; padding: .25em .75em; border: 1px solid var(--_line); border-radius: 1.2em; background: var(--tick-background, none); font-size: .88em; }
svg { align-self: center; } .live svg { color: var(--_up); } .stale { color: var(--_stale); } .halted { color: var(--_halted); }
[part=connection]:not(.sr) { display: inline; }`;
const WORST = ["stale", "unavailable", "refused", "halted", "closed"];
/** Of a client, and of its road where no WebSocket gets through. @type {Record<string, string>} */
const STATES = { connecting: "Connecting", closed: "Disconnected", paused: "Paused", sse: "Live over SSE", poll: "Live by polling" };

/** Icon and words for a client, and for those of its topics that are asked about. @param {Client} client @param {string[]} names */
export function statusOf(client, names) {
  if (client.state !== "open") {
    const wait = Math.ceil(client.retryMs / 1000);
    return { icon: client.state === "connecting" ? "none" : "stale", words: STATES[client.state] ?? `Reconnecting${wait > 1 ? ` in ${wait}\u202fs` : ""}` };
  }
  const known = [...client.images.keys()].filter((topic) => !names.length || names.some((name) => matches(name, topic)));
  const topics = [...new Set([...known, ...[...names, ...client.refused.keys()].filter((name) => !isPattern(name))])];
  const all = topics.map((topic) => String(client.status(topic).status));
  const worst = WORST.find((status) => all.includes(status));
  const count = all.filter((status) => status === worst).length;
  return { icon: worst ?? "live", words: worst ? `${all.length > 1 ? `${count} of ${all.length} ` : ""}${worst}` : STATES[client.transport] ?? "Live" };
}

/** The element `<tick-status>`: its attributes are in docs/WIDGET.md. */
export class TickStatus extends TickElement {
  /** @internal */
  static css = STYLE;

  /** @internal */
  html() {
    return `<span class="all" part="status">${ICON}<span></span></span>`;
  }

  /** @internal @param {Client} client */
  draw(client) {
    const { icon, words } = statusOf(client, this.names);
    const all = /** @type {Element} */ (this.shadowRoot?.querySelector(".all"));
    setAttribute(all, "class", `all ${icon}`);
    setIcon(all.firstElementChild, icon === "unavailable" ? "refused" : icon);
    setText(/** @type {Element} */ (all.lastElementChild), words);
    return words.replace(/ in .*/, "");
  }
}

define("tick-status", TickStatus);
