// tickwire in a browser: the client. Importing this registers nothing.
export { Client, connect } from "./client.js";
export { socketUrl } from "./connection.js";
export { Subscription, TickwireError } from "./subscription.js";
export { share } from "./share.js";

/** How to name a server. @typedef {import("./connection.js").Address} Address */
/** What connect() takes beside the address. @typedef {import("./client.js").Options} Options */
/** Where a token comes from. @typedef {import("./sign_in.js").Token} Token */
/** What a connection does. @typedef {import("./connection.js").State} State */
/** What went wrong, as the server says it. @typedef {import("./subscription.js").Failure} Failure */
/** What subscribe() takes instead of a function. @typedef {import("./subscription.js").Handler} Handler */
/** What a message does to a topic. @typedef {import("./subscription.js").Kind} Kind */
/** How a topic stands. @typedef {import("./subscription.js").Standing} Standing */
/** A topic's health. @typedef {import("./subscription.js").TopicStatus} TopicStatus */
/** One message about a topic. @typedef {import("./subscription.js").Update} Update */
/** A client of the page, shared. @typedef {import("./share.js").Shared} Shared */
/** The fields of a topic. @typedef {import("./topic.js").Image} Image */
