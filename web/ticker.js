// <tick-er> at the address that pages had for it before its module was named tick_er.js.
export { share } from "./share.js";
export { TickEr } from "./tick_er.js";
