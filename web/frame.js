// When to draw: at most once a frame whatever the rate of updates, and never while the page is hidden.

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

// Calls item.render() once, in the next frame.
export function onNextFrame(item) {
  if (dirty.size === 0) requestAnimationFrame(draw);
  dirty.add(item);
}

// Renders it every second too, for ages that grow; returns a function that ends both.
export function keepDrawn(item) {
  const timer = setInterval(() => document.hidden || onNextFrame(item), 1000);
  return () => {
    dirty.delete(item);
    clearInterval(timer);
  };
}

// Writes only what changed, and text as text: nothing of a feed is ever parsed as HTML.
export function setText(element, text) {
  if (element.textContent !== text) element.firstChild.data = text;
}

export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}
