// The last trades, newest first: each is a message of its own, so none may be left out.
import { share } from "http://localhost:8080/tickwire.js";

const ROWS = 16;
const list = document.querySelector("#trades");
let trades = [];
let frame = 0;

/** An element with a text. What a feed sends is text, never HTML. */
function cell(name, text, className = "") {
  return Object.assign(document.createElement(name), { textContent: String(text ?? ""), className });
}

function row({ topic, ts, data }) {
  const item = cell("li", "", data.side === "buy" ? "buy" : "sell");
  item.append(
    cell("time", new Date(ts).toLocaleTimeString("en-GB")),
    cell("b", topic.split(".").at(-1)),
    cell("span", `${data.side === "buy" ? "▲" : "▼"} ${data.price}`, "num"),
    cell("span", data.size, "num size"),
  );
  return item;
}

function draw() {
  frame = 0;
  trades = trades.sort((a, b) => b.ts - a.ts).slice(0, ROWS);
  list.replaceChildren(...trades.map(row));
}

// The same connection as the elements have. It begins with the last trades of each symbol.
share().client.subscribe("trade.*", {
  last: ROWS,
  onUpdate(update) {
    if (!update.data) return; // a status
    trades.push(update);
    frame ||= requestAnimationFrame(draw);
  },
});
