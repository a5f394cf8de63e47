// Words for what tests ask a page; in every page that they open.
const all = (selector, root = document) => [...(root?.querySelectorAll(selector) ?? [])];
const items = () => all("li", document.querySelector("tick-er")?.shadowRoot);

Object.assign(globalThis, {
  // What a <tick-er> shows: its items, the text of a part of one, whether it is fresh, stale, up, ...
  items,
  titles: () => items().map((item) => item.title),
  part: (name, index = 0) => items()[index]?.querySelector(`[part=${name}]`).textContent,
  price: (index = 0) => Number(part("last", index).replaceAll(",", "")),
  is: (word, index = 0) => Boolean(items()[index]?.part.contains(word)),
  dimmed: () => getComputedStyle(items()[0].querySelector("[part=last]")).textDecorationStyle === "dotted",
  shown: (index = 0) => ["symbol", "venue", "last", "change", "state"].map((name) => part(name, index)).join("|"),
  note: (name) => document.querySelector("tick-er").shadowRoot.querySelector(`p[part=${name}]`).textContent,

  // What the page at / shows: topics in sight, the row of one, the text of its cell.
  topics: () => all("#market tbody tr[title]").map((row) => row.title),
  row: (topic) => all("#market tbody tr").find((row) => row.title === topic),
  cell: (topic, selector) => row(topic)?.querySelector(selector).textContent,
  prices: () => Object.fromEntries(topics().map((topic) => [topic, cell(topic, "[part=last]")?.replaceAll(",", "")])),
  fresh: (topic) => row(topic)?.part.contains("fresh") ?? false,

  // For any page.
  all,
  text: (selector) => document.querySelector(selector)?.textContent,
  visible: (selector) => document.querySelector(selector)?.checkVisibility() ?? false,
});
