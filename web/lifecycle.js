// What a page goes through, as a connection has to know it: hidden, frozen, kept for the way back, woken, on another network.
//
//   hidden for HIDDEN_MS ----------+
//   pagehide into the bfcache -----+--> pause: no socket, no timer     visible, pageshow, resume --> wake: connects at once
//   freeze ------------------------+
//   online --> wake, and probe     offline --> probe: a connection that still answers is kept (the server may be this computer)

/** @typedef {{pause(): void, wake(): void, probe(): void}} Sleeper */

export const HIDDEN_MS = 30_000;

/**
 * Follows the page, where there is one. Returns a function that ends this.
 * @param {Sleeper} sleeper
 * @param {boolean} pauses whether a hidden page pauses
 */
export function followPage(sleeper, pauses) {
  const page = globalThis.document;
  const ending = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const on = (/** @type {EventTarget | undefined} */ target, /** @type {string} */ name, /** @type {(event: any) => void} */ work) =>
    target?.addEventListener?.(name, work, { signal: ending.signal });
  const look = () => {
    clearTimeout(timer);
    if (!page.hidden) sleeper.wake();
    else if (pauses) timer = setTimeout(() => sleeper.pause(), HIDDEN_MS);
  };
  on(globalThis, "online", () => (page?.hidden || sleeper.wake(), sleeper.probe()));
  on(globalThis, "offline", () => sleeper.probe());
  if (page) {
    on(page, "visibilitychange", look);
    on(page, "freeze", () => sleeper.pause());
    on(page, "resume", look);
    on(globalThis, "pagehide", ({ persisted }) => persisted && sleeper.pause());
    on(globalThis, "pageshow", ({ persisted }) => persisted && look());
    if (page.hidden) look();
  }
  return () => {
    clearTimeout(timer);
    ending.abort();
  };
}
