// What all elements look like, and the parts that they draw. Text of a feed is only ever a text node's data.
import { setAttribute, setText } from "./frame.js";

/** @import { TopicView } from "./topic_view.js" */

const FLASH_MS = 600;
const FLASH_MS_MIN = 350; // a faster flicker says nothing
const FLASHES_MAX = 40; // at a time on a page: where everything flashes a flash says nothing, and each costs styles in every frame

export const BASE = `
:host { display: block; min-width: 0; line-height: 1.35; font-variant-numeric: tabular-nums lining-nums; text-align: start;
  --_up: var(--tick-up, light-dark(#05683e, #4bd08d)); --_down: var(--tick-down, light-dark(#b80f45, #ff8399));
  --_stale: var(--tick-stale, light-dark(#854c00, #f2b655)); --_halted: var(--tick-halted, light-dark(#5b38bd, #bca4ff));
  --_muted: var(--tick-muted, color-mix(in srgb, currentColor 74%, transparent));
  --_line: var(--tick-border, color-mix(in srgb, currentColor 18%, transparent)); }
:host([hidden]), [hidden], slot:not([hidden]) ~ * { display: none !important; }
p, * { box-sizing: border-box; margin: 0; padding: 0; }
ul { list-style: none; }
svg { width: .8em; height: .8em; flex: none; fill: currentColor; }
[part=last] { font-weight: 650; white-space: nowrap; border-radius: .25em; padding: 0 .2em; margin-right: -.2em; }
.zeros { color: var(--_muted); font-weight: 400; }
.dim [part=last] { color: var(--_muted); text-decoration: underline dotted 1.5px; text-underline-offset: .2em; }
.dim .zeros { color: inherit; }
[part=change], [part=state] { display: inline-flex; align-items: baseline; gap: .3em; white-space: nowrap; }
[part=change], [part=venue], [part=state] { color: var(--_muted); }
.up [part=change] { color: var(--_up); }
.down [part=change] { color: var(--_down); }
[part=state] { font-weight: 550; }
.stale [part=state] { color: var(--_stale); }
.halted [part=state] { color: var(--_halted); }
[part=change]:not(.up *, .down *) svg, :is(.none, .connecting) [part=change], [part=state]:not(.says *), [part=change]:has(span:empty) { display: none; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.two { white-space: normal; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; font-size: .82em; line-height: 1.2; overflow-wrap: anywhere; }
.one { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
@media (prefers-contrast: more) { :host { --_muted: currentColor; --_line: currentColor; } }`;

/** Of states and directions, on 12 x 12: each has its own shape, so that colour is never alone. @type {Record<string, string>} */
const SHAPES = {
  up: "M6 2l5 8H1z",
  down: "M6 10 1 2h10z",
  live: "M6 2a4 4 0 1 0 0 8 4 4 0 0 0 0-8",
  stale: "M6 .8a5.2 5.2 0 1 0 0 10.4A5.2 5.2 0 0 0 6 .8m0 1.4a3.8 3.8 0 1 1 0 7.6 3.8 3.8 0 0 1 0-7.6M5.3 3.4h1.3v2.4l1.7 1.1-.7 1.1-2.3-1.5z",
  halted: "M3 1.5h2v9H3zM7 1.5h2v9H7z",
  closed: "M2 2h8v8H2z",
  refused: "M2 5.2h8V11H2zM3.2 5V3.6a2.8 2.8 0 0 1 5.6 0V5H7.4V3.6a1.4 1.4 0 0 0-2.8 0V5z",
  none: "M1 5h2v2H1zM5 5h2v2H5zM9 5h2v2H9z",
};
SHAPES.quiet = SHAPES.stale;

export const ICON = '<svg viewBox="0 0 12 12" aria-hidden="true"><path fill-rule="evenodd"/></svg>';
export const LAST = '<span part="last"><span class="zeros"></span><span></span></span>';
export const CHANGE = `<span part="change">${ICON}<span></span></span>`;
export const STATE = `<span part="state">${ICON}<span></span></span>`;

/** A function that makes an element of HTML that is ours. @param {string} html @returns {() => HTMLElement} */
export function template(html) {
  /** @type {HTMLTemplateElement | undefined} */
  let made;
  return () => {
    if (!made) (made = document.createElement("template")).innerHTML = html;
    return /** @type {HTMLElement} */ (/** @type {Element} */ (made.content.firstElementChild).cloneNode(true));
  };
}

/** @param {Element | null | undefined} svg @param {string} name */
export function setIcon(svg, name) {
  if (svg) setAttribute(/** @type {Element} */ (svg.firstElementChild), "d", SHAPES[name] ?? SHAPES.none);
}

const calm = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)"); // not where there is no page

/** Whether the visitor wants no motion. */
export const isCalm = () => calm?.matches ?? false;

let flashes = 0;

/** Draws a view into those of the parts that an element has: symbol, last, venue, change, state. */
export class Painter {
  #found;
  #class;
  #flashedAt = 0;
  #chars = 0;

  /** @param {HTMLElement} element that holds the parts, and gets the view's words as classes */
  constructor(element) {
    this.element = element;
    this.#class = element.className;
    const find = (/** @type {string} */ part) => /** @type {HTMLElement | null} */ (element.querySelector(`[part=${part}]`));
    this.#found = { symbol: find("symbol"), last: find("last"), venue: find("venue"), change: find("change"), state: find("state") };
  }

  /** @param {TopicView} view */
  draw(view) {
    const { last, venue, change, state } = this.#found;
    const { state: word, trend } = view;
    const direction = view.hasData && !view.old ? ["down", "flat", "up"][trend + 1] : "flat";
    const classes = `${word} ${view.fresh ? "fresh" : "old"} ${direction}`;
    if (last) this.#drawLast(last, view);
    if (venue) setText(venue, view.place);
    if (change) this.#drawSlot(change, view.hasData ? view.change : "", direction);
    if (state) this.#drawSlot(state, view.reason || view.words, word === "unavailable" ? "refused" : word);
    setAttribute(this.element, "class", `${this.#class} ${word} ${direction}${view.old ? " dim" : ""}${view.reason || view.words ? " says" : ""}`);
    setAttribute(this.element, "part", `item ${view.status} ${classes}`);
    if (view.moved && last) this.#flash(last, view.moved > 0 ? "up" : "down");
  }

  /** A name that is long takes two smaller lines: contracts differ in the middle, so it is not cut there. @param {TopicView} view */
  name({ topic, parts: { symbol: name } }) {
    const { symbol } = this.#found;
    this.element.title = topic;
    if (!symbol) return;
    setText(symbol, name);
    symbol.className = name.length > 12 ? "two" : "one";
  }

  /** @param {HTMLElement} last @param {TopicView} view */
  #drawLast(last, { state, hasData, zeros, last: text }) {
    const shown = hasData ? text : state === "refused" ? state : "–";
    setText(last.children[0], hasData ? zeros : "");
    setText(last.children[1], shown);
    const chars = shown.length + (hasData ? zeros.length : 0);
    if (chars === this.#chars) return;
    this.#chars = chars;
    this.element.style.setProperty("--n", String(chars));
  }

  /** @param {HTMLElement} slot @param {string} text @param {string} icon */
  #drawSlot(slot, text, icon) {
    setText(/** @type {Element} */ (slot.lastElementChild), text);
    setIcon(slot.firstElementChild, icon);
  }

  /** @param {HTMLElement} last @param {string} color */
  #flash(last, color) {
    const now = performance.now();
    if (now - this.#flashedAt < FLASH_MS_MIN || flashes >= FLASHES_MAX || isCalm()) return;
    this.#flashedAt = now;
    flashes++;
    const flash = last.animate([{ background: `color-mix(in srgb, var(--_${color}) 30%, transparent)` }, {}], FLASH_MS);
    flash.onfinish = flash.oncancel = () => flashes--;
  }
}
