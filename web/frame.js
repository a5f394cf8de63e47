// When to draw: at most once a frame whatever the rate of updates, and never while the page is hidden.

/** @typedef {{render(): void}} Drawable */

/** @type {Set<Drawable>} */
const dirty = new Set();

function draw() {
  const items = [...dirty];
  dirty.clear();
  for (const item of items) {
    try {
      item.render();
    } catch (error) {
      reportError(error); // the others are drawn all the same
    }
  }
}

/**
 * Calls item.render() once, in the next frame.
 * @param {Drawable} item
 */
export function onNextFrame(item) {
  if (dirty.size === 0) requestAnimationFrame(draw);
  dirty.add(item);
}

/**
 * Renders the item every second, for ages that grow. Returns a function that ends this.
 * @param {Drawable} item
 */
export function keepDrawn(item) {
  const timer = setInterval(() => document.hidden || onNextFrame(item), 1000);
  return () => {
    dirty.delete(item);
    clearInterval(timer);
  };
}

/**
 * Sets the text of an element whose first child is a text node, if it changed. Text of a feed is never parsed as HTML.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) /** @type {Text} */ (element.firstChild).data = text;
}

/**
 * Sets an attribute, if it changed.
 * @param {Element} element
 * @param {string} name
 * @param {string | number | boolean} value
 */
export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}
