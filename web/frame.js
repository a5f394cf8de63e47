// When to draw: at most once a frame whatever the rate of updates, and never while the page is hidden
// (browsers give hidden pages no frames). Everything on the page shares one frame and one clock.

const dirty = new Set();
const clocked = new Set();
let asked = false;
let timer = null;

function draw() {
  asked = false;
  const items = [...dirty];
  dirty.clear();
  for (const item of items) item.render();
}

// Calls item.render() in the next frame, once.
export function onNextFrame(item) {
  dirty.add(item);
  if (asked) return;
  asked = true;
  requestAnimationFrame(draw);
}

// Renders the item every second too, for ages that grow. Returns a function that ends both.
export function keepDrawn(item) {
  clocked.add(item);
  timer ??= setInterval(() => !document.hidden && clocked.forEach(onNextFrame), 1000);
  return () => {
    dirty.delete(item);
    clocked.delete(item);
    if (clocked.size === 0) timer = clearInterval(timer) ?? null;
  };
}

// Writes only what changed. Text is text: nothing of a feed is ever parsed as HTML.
export function setText(element, text) {
  if (element.textContent !== text) element.firstChild.data = text;
}

export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}
