// What is wrong with the looks of the elements of a page: text that is too pale, an element that overflows, a price that is cut.
globalThis.measure = () => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], below) => [r, g, b].map((v, i) => v * a + below[i] * (1 - a));
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => ((v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
  const up = (e) => e.assignedSlot ?? e.parentElement ?? e.getRootNode().host;
  const ground = (e) => {
    const stack = [];
    for (; e; e = up(e)) stack.push(rgba(getComputedStyle(e).backgroundColor));
    return stack.reverse().reduce((below, c) => over(c, below), [255, 255, 255]);
  };
  const faults = [];
  let texts = 0;
  for (const host of document.querySelectorAll("tick-er, tick-price, tick-table, tick-spark, tick-status")) {
    if (host.scrollWidth > host.clientWidth + 1 && host.clientWidth) faults.push(`overflow ${host.tagName}`);
    for (const e of host.shadowRoot.querySelectorAll("*")) {
      if (!e.checkVisibility({ visibilityProperty: true }) || e.closest(".sr, svg") || !e.getClientRects().length) continue;
      if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
      if (e.closest("[part=last]")?.getAnimations().length) continue; // a flash
      texts++;
      const contrast = ratio(over(rgba(getComputedStyle(e).color), ground(e)), ground(e));
      if (contrast < 4.5) faults.push(`${contrast.toFixed(2)}:1 ${e.textContent}`);
      const last = e.closest("[part=last]"), box = last?.closest("li:not(.tape *), td");
      if (!box) continue;
      const [inner, outer] = [last.getBoundingClientRect(), box.getBoundingClientRect()];
      if (inner.right > outer.right + 5 || inner.left < outer.left - 5) faults.push(`cut ${last.textContent}`);
    }
  }
  return { texts, faults };
};
