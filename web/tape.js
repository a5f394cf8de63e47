// How a tape looks and moves (`<tick-er layout="tape">`). It is fetched where there is one.
const TAPE_PX_S = 40;

const STYLE = `
.tape { border-block: 1px solid var(--_line); mask: linear-gradient(90deg, transparent, #000 1.5em, #000 calc(100% - 1.5em), transparent); }
.tape ul { gap: 0; animation: run var(--time, 40s) linear infinite; }
.tape:is(:hover, :focus-within) ul { animation-play-state: paused; }
.tape li { container-type: normal; content-visibility: visible; border-width: 0 1px 0 0; border-radius: 0; }
.tape .box { display: flex; gap: .6em; padding: .5em 1.1em; white-space: nowrap; }
.tape [part=last] { font-size: 1em; } .tape [part=symbol] { display: inline; font-size: 1em; }
.tape .foot { width: 8.5em; justify-content: flex-start; } .tape :is(.refused, .unavailable) .foot { width: auto; } .tape .says [part=change] { display: none !important; }
.tape.fits ul { animation: none; } .tape.fits [aria-hidden] { display: none; }
@keyframes run { to { transform: translateX(-50%); } }
@media (prefers-reduced-motion: reduce) { .tape { overflow-x: auto; mask: none; } .tape ul { animation: none; } .tape [aria-hidden] { display: none; } }`;

/** @type {CSSStyleSheet | undefined} */
let sheet;

/**
 * Makes the tape of an element move, unless it fits: then it stands. End it with `disconnect()`.
 * @param {ShadowRoot} root
 */
export function moves(root) {
  if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(STYLE);
  root.adoptedStyleSheets.push(sheet);
  const box = /** @type {HTMLElement} */ (root.querySelector(".tape"));
  const width = new ResizeObserver(() => {
    box.classList.remove("fits");
    const list = /** @type {HTMLElement} */ (box.firstElementChild), half = list.scrollWidth / 2;
    box.classList.toggle("fits", half <= box.clientWidth);
    box.style.setProperty("--time", `${Math.ceil(half / TAPE_PX_S)}s`);
  });
  width.observe(box);
  return width;
}
