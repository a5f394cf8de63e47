// Yesterday's scores are asked for once, over HTTP: no connection stays. Today's are followed as long as the visitor wants.
const PLANT = "http://localhost:8080";
const NUMBERS = /^\d{1,3}$/;

const [yesterday, today] = ["#yesterday", "#today"].map((id) => document.querySelector(id));
const note = (panel, text) => (panel.querySelector("p").textContent = text);

function row({ home, away, home_goals, away_goals, minute }) {
  const item = document.createElement("li");
  const goals = [home_goals, away_goals].map((number) => (NUMBERS.test(number) ? number : "?"));
  for (const [name, text] of [["span", home], ["b", goals.join(" : ")], ["span", away], ["small", minute < 90 ? `${minute}'` : "final"]]) {
    item.append(Object.assign(document.createElement(name), { textContent: String(text ?? "") }));
  }
  return item;
}

function show(panel, scores) {
  panel.querySelector("ol").replaceChildren(...scores.map(row));
}

async function get(path) {
  const answer = await fetch(PLANT + path);
  if (!answer.ok) throw new Error((await answer.json()).error.message);
  return answer.json();
}

/** The topics that match, and the snapshot of each. */
async function askOnce() {
  try {
    const { topics } = await get("/v1/topics?pattern=score.yesterday.*&limit=50");
    const snapshots = await Promise.all(topics.map(({ topic }) => get(`/v1/snapshot/${topic}`)));
    show(yesterday, snapshots.map(({ data }) => data));
    note(yesterday, "Asked once, over HTTP. This page holds no connection for it.");
  } catch (error) {
    note(yesterday, `No answer: ${error.message}`);
  }
}

let leave;

/** A client is made when somebody wants to follow, and closed when nobody does. */
async function follow() {
  const { connect } = await import("http://localhost:8080/tickwire.js");
  const client = connect(PLANT);
  const stand = () => note(today, client.state === "open" ? "Following: each goal shows at once." : "Connecting…");
  client.addEventListener("state", stand);
  let frame = 0;
  const draw = () => {
    frame = 0;
    show(today, [...client.images].sort().map(([, image]) => image));
    stand();
  };
  client.subscribe("score.today.*", () => (frame ||= requestAnimationFrame(draw)));
  return () => {
    client.close();
    cancelAnimationFrame(frame);
    note(today, "Not following: the connection is closed, and the scores stand where they were.");
  };
}

yesterday.querySelector("button").addEventListener("click", askOnce);
today.querySelector("button").addEventListener("click", async ({ currentTarget: button }) => {
  button.disabled = true;
  leave = leave ? leave() : await follow();
  button.ariaPressed = String(Boolean(leave));
  button.textContent = leave ? "Stop following" : "Follow";
  button.disabled = false;
});
note(today, "Not following yet.");
askOnce();
