// tickwire in a browser: the client, and the <tick-er> element, which importing this registers.
import "./codes.js"; // all are named here so that a browser fetches them at once
import "./frame.js";
import "./quote.js";
import "./topic.js";

export { Client, connect } from "./client.js";
export { socketUrl } from "./connection.js";
export { Subscription, TickwireError } from "./subscription.js";
export { TickEr, share } from "./ticker.js";

/** How to name a server. @typedef {import("./connection.js").Address} Address */
/** What a connection does. @typedef {import("./connection.js").State} State */
/** What went wrong, as the server says it. @typedef {import("./subscription.js").Failure} Failure */
/** What subscribe() takes instead of a function. @typedef {import("./subscription.js").Handler} Handler */
/** What a message does to a topic. @typedef {import("./subscription.js").Kind} Kind */
/** How a topic stands. @typedef {import("./subscription.js").Standing} Standing */
/** A topic's health. @typedef {import("./subscription.js").TopicStatus} TopicStatus */
/** One message about a topic. @typedef {import("./subscription.js").Update} Update */
/** A client of the page, shared. @typedef {import("./ticker.js").Shared} Shared */
/** The fields of a topic. @typedef {import("./topic.js").Image} Image */
