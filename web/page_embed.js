// The page /embed: choose an element, see it live, copy its tag.
import { find, frame, tabs } from "./page_frame.js";
import { share } from "./share.js";
import { isPattern } from "./topic.js";

const KINDS = [["rows", "Rows"], ["tape", "Tape"], ["table", "Table"], ["price", "Inline price"], ["spark", "Spark"], ["status", "Status"]];
const COLUMNS = ["last", "change", "bid", "ask", "spread", "volume", "spark", "state"];
const HOSTS = [["blog", "Blog"], ["dash", "Dashboard"], ["hc", "High contrast"]];
const SUGGESTED_MAX = 500;

const { client } = share();
frame(client, "Embed");
const form = /** @type {HTMLFormElement} */ (find("form"));
const src = new URL("tickwire.js", location.href).href, server = new URL("./", location.href).href.replace(/\/$/, "");

/** @param {string} id @param {string} type @param {string} name @param {string[][]} items @param {string[]} on */
function choices(id, type, name, items, on) {
  find(id).innerHTML = items.map(([value, text]) => `<label><input type="${type}" name="${name}" value="${value}"${on.includes(value) ? " checked" : ""}>${text}</label>`).join("");
}

/** A tag with the attributes that have a value; text of the form stays text. @param {string} name @param {Record<string, string | boolean>} attributes @param {string} [content] */
function tagOf(name, attributes, content = "") {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value) element.setAttribute(key, value === true ? "" : value);
  element.textContent = content;
  return element;
}

function chosen() {
  const data = new FormData(form), text = (/** @type {string} */ name) => String(data.get(name) ?? "").trim();
  const topics = text("topics"), first = topics.match(/\S+/g)?.find((name) => !isPattern(name)) ?? [...client.images.keys()][0] ?? "ticker.BTC-USD";
  const common = { locale: text("locale"), "max-rate": text("rate") };
  switch (text("kind")) {
    case "tape":
      return tagOf("tick-er", { layout: "tape", topics, max: text("max"), ...common });
    case "table":
      return tagOf("tick-table", { topics, columns: data.getAll("column").join(" "), ...common });
    case "price":
      return tagOf("tick-price", { topic: first, change: true, ...common }, "100.40 (yesterday)");
    case "spark":
      return tagOf("tick-spark", { topic: first });
    case "status":
      return tagOf("tick-status", {});
    default:
      return tagOf("tick-er", { topics, max: text("max"), ...common });
  }
}

let shown = "";
function update() {
  const element = chosen(), html = element.outerHTML.replaceAll('=""', ""), stage = find("#stage");
  find("#cols").hidden = element.localName !== "tick-table";
  find("output").textContent = `${form.width.value} px`;
  find(".host").className = `host ${/** @type {HTMLInputElement} */ (find("#host :checked")).value}`;
  stage.style.width = `${form.width.value}px`;
  if (shown === html) return;
  shown = html;
  const inline = element.localName === "tick-price";
  const paragraph = document.createElement("p");
  paragraph.append("The price stands at ", element, " now.");
  stage.replaceChildren(inline ? paragraph : element);
  const other = html.replace(/^<([\w-]+)/, `<$1 src="${server}"`);
  tabs(find("#code"), {
    HTML: `<script type="module" src="${src}"></script>\n${html}`,
    npm: `import "tickwire/elements";\n\ndocument.body.insertAdjacentHTML("beforeend", \`${other}\`);`,
    React: `import "tickwire/elements";\n\nexport const Prices = () => (\n  ${other.replace(/ change(?=[ >])/, ' change=""')}\n);`,
  });
}

choices("#kind", "radio", "kind", KINDS, ["rows"]);
choices("#columns", "checkbox", "column", COLUMNS.map((name) => [name, name]), ["last", "change", "bid", "ask", "spark", "state"]);
choices("#host", "radio", "host", HOSTS, ["blog"]);
form.width.value = String(Math.min(390, innerWidth - 60));
form.addEventListener("input", update);
form.addEventListener("submit", (event) => event.preventDefault());
find("#host").addEventListener("change", update);
fetch("v1/topics").then((answer) => answer.json()).then(({ topics }) => {
  const names = /** @type {{topic: string}[]} */ (topics).slice(0, SUGGESTED_MAX).map(({ topic }) => topic);
  find("#known").replaceChildren(...names.map((name) => new Option(name, name)));
  if (names.length && form.topics.value === "ticker.*" && !names.some((name) => /^ticker\.[^.]+$/.test(name))) form.topics.value = names.slice(0, 6).join(" ");
  update();
}, () => {}); // the list is only a help
update();
