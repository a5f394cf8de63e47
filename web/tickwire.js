// tickwire in a browser: the client, and the <tick-er> element, which importing this registers. No dependency, no build step.
import "./codes.js"; // all modules named here: a browser fetches them at once, not one after the other
import "./connection.js";
import "./frame.js";
import "./quote.js";
import "./topic.js";

export { Client, TickwireError, connect } from "./client.js";
export { TickEr, share, socketUrl } from "./ticker.js";
