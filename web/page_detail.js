// One topic in full: its fields as they are, and how to put it into a page.
import { onNextFrame, setAttribute, setText } from "./frame.js";
import { showAge } from "./format.js";
import { Quote } from "./quote.js";

/** @import { Client } from "./client.js" */

const FIELDS_MAX = 40;
const VALUE_CHARS_MAX = 300;

/** @param {unknown} value */
function spell(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > VALUE_CHARS_MAX ? `${text.slice(0, VALUE_CHARS_MAX)}…` : text || " ";
}

export class Detail {
  #dialog;
  #client;
  #topic = "";
  #quote = new Quote();
  #text;

  /** @param {HTMLDialogElement} dialog @param {Client} client */
  constructor(dialog, client) {
    this.#dialog = dialog;
    this.#client = client;
    const find = (/** @type {string} */ selector) => /** @type {Element} */ (dialog.querySelector(selector));
    this.#text = { name: find("h2"), last: find(".last"), change: find(".change"), facts: find("#detail-facts"), embed: find("#detail-embed") };
    for (const element of Object.values(this.#text)) element.append("");
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close()); // the backdrop
  }

  /** @param {string} topic */
  open(topic) {
    this.#topic = topic;
    this.#quote = new Quote();
    const script = `<script type="module" src="${new URL("tickwire.js", location.href)}"></script>`;
    setText(this.#text.name, topic);
    setText(this.#text.embed, `${script}\n<tick-er topics="${topic}"></tick-er>`);
    this.#dialog.showModal();
    this.render();
  }

  // An update came, or a second has passed.
  refresh(topic = this.#topic) {
    if (this.#dialog.open && topic === this.#topic) onNextFrame(this);
  }

  render() {
    const image = this.#client.images.get(this.#topic) ?? {};
    const { status, seq, ageMs } = this.#client.status(this.#topic);
    this.#quote.take(image);
    setText(this.#text.last, this.#quote.last);
    setText(this.#text.change, [this.#quote.change, this.#quote.percent].filter(Boolean).join("  "));
    setText(this.#text.facts, `${status} · update ${seq} · ${showAge(ageMs)}${ageMs !== null && ageMs >= 1000 ? " ago" : ""}`);
    setAttribute(this.#dialog, "data-trend", this.#quote.trend);
    this.#drawFields(Object.entries(image));
  }

  /** @param {[string, unknown][]} fields */
  #drawFields(fields) {
    const body = /** @type {HTMLTableSectionElement} */ (this.#dialog.querySelector("tbody"));
    const more = fields.length - FIELDS_MAX;
    if (more > 0) fields.splice(FIELDS_MAX, Infinity, ["…", `and ${more} more fields`]);
    while (body.rows.length > fields.length) body.deleteRow(-1);
    for (const [i, [name, value]] of fields.entries()) {
      const row = body.rows[i] ?? body.insertRow();
      for (const [j, text] of [spell(name), spell(value)].entries()) {
        const cell = row.cells[j] ?? row.insertCell();
        if (!cell.firstChild) cell.append("");
        setText(cell, text);
      }
    }
  }
}
