// <tick-spark topic="ticker.BTC-USD">: how a price moved while the page looked, at most for the last quarter of an hour.
import { define, saidOf } from "./element.js";
import { setText } from "./frame.js";
import { showAge } from "./format.js";
import { STATE } from "./looks.js";
import { OneTopicElement } from "./one_topic.js";
import { SPARK, SPARK_STYLE, drawSpark } from "./spark.js";

/** @import { Client } from "./client.js" */

const STYLE = `${SPARK_STYLE}
:host { height: var(--tick-height, 4.2em); }
.box { height: 100%; display: grid; grid-template: minmax(0, 1fr) 1.5em / minmax(0, 1fr); }
.box > div { min-height: 0; padding: .2em 0; }
.foot { display: flex; gap: .8em; justify-content: space-between; align-items: baseline; font-size: .8em; white-space: nowrap; }
.window { color: var(--_muted); } [part=state], [part=state] > span { min-width: 0; overflow: hidden; text-overflow: ellipsis; }`;

/** The element `<tick-spark>`: its attributes are in docs/WIDGET.md. */
export class TickSpark extends OneTopicElement {
  /** @internal */
  static css = STYLE;

  /** @internal */
  html() {
    return `<div class="box" role="img"><div>${SPARK}</div><span class="foot"><span class="window"></span>${STATE}</span></div>`;
  }

  /** @internal @param {Client} client */
  draw(client) {
    const view = this.topicView, element = this.painter?.element;
    if (!view || !element) return;
    view.render();
    this.painter?.draw(view);
    const spanMs = drawSpark(/** @type {Element} */ (element.querySelector("svg")), view, 40);
    setText(/** @type {Element} */ (element.querySelector(".window")), spanMs >= 1000 ? `last ${showAge(spanMs)}` : "");
    element.ariaLabel = view.sentence;
    return saidOf(client, [view]);
  }
}

define("tick-spark", TickSpark);
