// How topics of one symbol are told apart.

/** @import { TopicView } from "./topic_view.js" */

/**
 * Gives each view its place: the venue; and the channel where that alone tells it from another of the same symbol.
 * @param {TopicView[]} views
 */
export function placeAll(views) {
  const counts = /** @type {Map<string, number>} */ (new Map());
  const key = (/** @type {TopicView} */ { parts: { symbol, venue } }) => `${symbol} ${venue}`;
  for (const view of views) counts.set(key(view), (counts.get(key(view)) ?? 0) + 1);
  for (const view of views) view.place = /** @type {number} */ (counts.get(key(view))) > 1 ? [view.parts.channel, view.parts.venue].filter(Boolean).join(" · ") : view.parts.venue;
}
