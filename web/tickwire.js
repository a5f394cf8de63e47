// tickwire in a browser: the client, and the <tick-er> element, which importing this registers.
import "./codes.js"; // all are named here so that a browser fetches them at once
import "./frame.js";
import "./quote.js";
import "./topic.js";

export { Client, TickwireError, connect } from "./client.js";
export { socketUrl } from "./connection.js";
export { TickEr, share } from "./ticker.js";
