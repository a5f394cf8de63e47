// What tables show and sort by, beyond what every element shows: so an element of rows does not load it.
import { compact } from "./format.js";
import { numeric, show } from "./quote.js";

/** @import { TopicView } from "./topic_view.js" */

/** The volume, short: 1.2K. @param {TopicView} view */
export const volumeOf = (view) => (view.hasData ? compact(view.quote.figure("volume"), view.style) : show());

/** What a table is sorted by. @param {TopicView} view @param {string} meaning last, change, or another figure @returns {string | number} */
export function sortKey({ quote }, meaning) {
  if (meaning === "change") return numeric(quote.percent.replace("−", "-").replace("%", ""));
  return meaning === "last" ? quote.value : numeric(quote.figure(meaning));
}
