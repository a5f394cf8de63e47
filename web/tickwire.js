// tickwire in a browser: the client, and all elements, which importing this registers.
import "./codes.js"; // all are named here so that a browser fetches them at once
import "./audience.js";
import "./connection.js";
import "./decimal.js";
import "./demand.js";
import "./element.js";
import "./figures.js";
import "./format.js";
import "./frame.js";
import "./lifecycle.js";
import "./looks.js";
import "./one_topic.js";
import "./places.js";
import "./quote.js";
import "./samples.js";
import "./share.js";
import "./sign_in.js";
import "./spark.js";
import "./topic.js";
import "./topic_view.js";

export * from "./elements.js";
export * from "./index.js";
