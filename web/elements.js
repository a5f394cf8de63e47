// All elements; importing this registers them.
export { TickEr } from "./tick_er.js";
export { TickPrice } from "./tick_price.js";
export { TickSpark } from "./tick_spark.js";
export { TickStatus } from "./tick_status.js";
export { TickTable } from "./tick_table.js";
