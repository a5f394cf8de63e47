// The base of the elements that show one topic, in one box.
import { TickElement } from "./element.js";
import { Painter } from "./looks.js";

/** @import { TopicView } from "./topic_view.js" */

export class OneTopicElement extends TickElement {
  /** @internal */
  topicView = /** @type {TopicView | null} */ (null);
  /** @internal */
  painter = /** @type {Painter | null} */ (null);

  /** @internal @param {ShadowRoot} root */
  begin(root) {
    this.topicView = this.names.length ? this.view(this.names[0]) : null;
    this.painter = new Painter(/** @type {HTMLElement} */ (root.children[1])); // html() stands behind the fallback content
  }

  /** @internal */
  hasData() {
    return Boolean(this.topicView?.hasData || this.topicView?.reason);
  }
}
