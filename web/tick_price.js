// <tick-price topic="ticker.BTC-USD">64,100 (27 Nov)</tick-price>: a price in a sentence, which never moves the words around it. Its
// content stands until there is a price.
import { define, saidOf } from "./element.js";
import { setAttribute, setText } from "./frame.js";
import { CHANGE, ICON, LAST, STATE, setIcon } from "./looks.js";
import { OneTopicElement } from "./one_topic.js";

/** @import { Client } from "./client.js" */

const STYLE = `
:host { display: inline; }
slot:not([hidden]) { color: var(--_muted); }
.all { display: inline-flex; align-items: baseline; max-width: 100%; flex-wrap: wrap; }
[part=last] { font-weight: inherit; margin: 0 -.05em; padding: 0 .12em; white-space: normal; overflow-wrap: anywhere; }
.glyph { width: .72em; margin-left: .22em; } .glyph svg { width: .72em; height: .72em; }
.up .glyph { color: var(--_up); } .down .glyph { color: var(--_down); } .stale .glyph { color: var(--_stale); } .halted .glyph { color: var(--_halted); }
:is(.live, .quiet):is(.flat) .glyph svg { visibility: hidden; }
.slot { display: inline-block; min-width: 4.6em; margin-left: .25em; font-size: .86em; white-space: nowrap; } .slot svg, .says [part=change], .refused [part=state] { display: none; }`;

/** The element `<tick-price>`: its attributes are in docs/WIDGET.md. */
export class TickPrice extends OneTopicElement {
  /** @internal */
  static observedAttributes = [...OneTopicElement.observedAttributes, "change"];
  /** @internal */
  static css = STYLE;

  /** @internal */
  html() {
    return `<span class="all">${LAST}<span class="glyph">${ICON}</span>${this.hasAttribute("change") ? `<span class="slot">${CHANGE}${STATE}</span>` : ""}</span>`;
  }

  /** @internal @param {Client} client */
  draw(client) {
    const view = this.topicView, painter = this.painter;
    if (!view || !painter) return;
    view.render();
    painter.draw(view);
    const state = painter.element.querySelector("[part=state] > span");
    if (state) setText(state, view.words.replace(/^\S+ (?=\d)/, "")); // the glyph says which state
    setIcon(painter.element.querySelector(".glyph svg"), view.words ? view.state.replace("unavailable", "refused") : view.trend < 0 ? "down" : "up");
    setAttribute(painter.element, "title", view.sentence);
    return saidOf(client, [view]);
  }
}

define("tick-price", TickPrice);
