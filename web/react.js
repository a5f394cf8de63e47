// tickwire in React: a topic as a hook. React itself is the page's own.
import { useCallback, useRef, useSyncExternalStore } from "react";
import { share } from "./share.js";

/** @import { Standing } from "./subscription.js" */
/** @import { Image } from "./topic.js" */
/** @typedef {Standing & {image: Image | undefined}} Topic how a topic stands, and its image; undefined before the first */

const NOTHING = /** @type {Topic} */ ({ status: "unknown", fresh: false, seq: 0, ts: 0, since: 0, reason: "", event: false, ageMs: 0, image: undefined });

/**
 * A topic, live: the component renders again with each update and when the topic becomes stale, at most once a frame.
 * @param {string} topic
 * @param {{src?: string, maxRate?: number}} [options] the server, by default the page's own; and at most this number of updates a second
 * @returns {Topic}
 */
export function useTopic(topic, { src = "/ws", maxRate = 0 } = {}) {
  const latest = useRef(NOTHING);
  const subscribe = useCallback(
    (/** @type {() => void} */ render) => {
      const { client, release } = share(src);
      let frame = 0;
      const draw = () => {
        frame = 0;
        const topicNow = { ...client.status(topic), image: client.images.get(topic) };
        const { image, status, fresh, seq, reason, halt } = latest.current;
        if (image === topicNow.image && status === topicNow.status && fresh === topicNow.fresh && seq === topicNow.seq && reason === topicNow.reason && halt === topicNow.halt) return;
        latest.current = topicNow;
        render();
      };
      const soon = () => (frame ||= requestAnimationFrame(draw));
      const subscription = client.subscribe(topic, { onUpdate: soon, maxRate });
      const timer = setInterval(soon, 1000); // a silent server makes no update
      for (const name of ["state", "error"]) client.addEventListener(name, soon);
      soon();
      return () => {
        cancelAnimationFrame(frame);
        clearInterval(timer);
        for (const name of ["state", "error"]) client.removeEventListener(name, soon);
        subscription.close();
        release();
        latest.current = NOTHING;
      };
    },
    [topic, src, maxRate],
  );
  return useSyncExternalStore(subscribe, () => latest.current, () => NOTHING);
}
