// When to draw: at most once a frame whatever the rate of updates, and never while the page is hidden.

/** @typedef {{render(): void, unseen?: boolean}} Drawable unseen: outside of the window; then it may wait */

const UNSEEN_MAX = 40; // drawn in one frame

const dirty = /** @type {Set<Drawable>} */ (new Set());
const waiting = /** @type {Set<Drawable>} */ (new Set()); // unseen ones
let asked = false;

function ask() {
  if (!asked) requestAnimationFrame(draw);
  asked = true;
}

function draw() {
  asked = false;
  const items = [...dirty];
  dirty.clear();
  for (const item of waiting) {
    if (item.unseen && items.length >= UNSEEN_MAX) break;
    waiting.delete(item);
    items.push(item);
  }
  for (const item of items) {
    try {
      item.render();
    } catch (error) {
      reportError(error); // the others are drawn all the same
    }
  }
  if (waiting.size) ask();
}

/**
 * Calls item.render() once, in the next frame; in one of the next if it is unseen.
 * @param {Drawable} item
 */
export function onNextFrame(item) {
  (item.unseen ? waiting : dirty).add(item);
  ask();
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
 * Sets the text of an element that has one text node or none, if it changed. Text of a feed is never parsed as HTML.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  const node = /** @type {Text | null} */ (element.firstChild);
  if (!node) element.append(text);
  else if (node.data !== text) node.data = text;
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
