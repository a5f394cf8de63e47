// The entries, newest first, each as the plant publishes it; and the form, which posts to the site.
import { share } from "http://localhost:8080/tickwire.js";

const ENTRIES_MAX = 200;
const list = document.querySelector("#entries");
const form = document.querySelector("#sign");
const seen = new Set(); // after a crash of the plant they come again

function node(name, text, className = "") {
  return Object.assign(document.createElement(name), { textContent: text, className });
}

function onUpdate({ data, ts }) {
  if (!data || seen.has(data.id)) return;
  seen.add(data.id);
  const entry = node("li", "", "panel"), foot = node("footer", "");
  foot.append(node("b", data.name), node("time", new Date(ts).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })));
  entry.append(node("p", data.text), foot);
  list.prepend(entry);
  if (list.children.length > ENTRIES_MAX) list.lastChild.remove();
  document.querySelector("#none").hidden = true;
}

share().client.subscribe("guestbook.entries", { last: ENTRIES_MAX, onUpdate });

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = JSON.stringify(Object.fromEntries(new FormData(form)));
  const answer = await fetch("/sign", { method: "POST", headers: { "Content-Type": "application/json" }, body }).catch(() => null);
  const { error = "" } = answer ? await answer.json() : { error: "The site does not answer: try again." };
  form.querySelector(".bad").textContent = error;
  if (!error) form.elements.text.value = "";
});
