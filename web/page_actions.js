// Buttons that act. What one does cannot be undone, so it asks in its own place; the question goes away by itself.

/** @typedef {{name: string, path: string, body: Record<string, string | number>, done: (answer: Record<string, any>) => string}} Act a POST, and the sentence that says what it did */

const SURE_MS = 4_000;
const QUESTION = "Really?";

/** @type {WeakMap<Element, Act>} */
const acts = new WeakMap();

/** Gives a cell a button for each act; those that it has stay. @param {HTMLElement} cell @param {Act[]} wanted */
export function drawActs(cell, wanted) {
  while (cell.children.length > wanted.length) cell.lastElementChild?.remove();
  wanted.forEach((act, i) => {
    const button = cell.children[i] ?? cell.appendChild(made());
    acts.set(button, act);
    if (!button.classList.contains("sure") && button.textContent !== act.name) button.textContent = act.name;
  });
}

function made() {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn";
  return button;
}

/** Calls `perform` with the act of a button that was pressed twice. @param {Document} root @param {(act: Act) => void} perform */
export function acted(root, perform) {
  root.addEventListener("click", ({ target }) => {
    const button = /** @type {Element} */ (target);
    const act = acts.get(button);
    if (!act) return;
    const asked = button.classList.toggle("sure");
    button.textContent = asked ? QUESTION : act.name;
    if (!asked) return perform(act);
    setTimeout(() => {
      button.classList.remove("sure");
      button.textContent = acts.get(button)?.name ?? "";
    }, SURE_MS);
  });
}
