// The codes of docs/PROTOCOL.md; a test compares the two.

/**
 * Error code to whether the same command can succeed later.
 * @type {Record<string, boolean>}
 */
export const CODES = {
  bad_message: false,
  unknown_command: false,
  bad_topic: false,
  bad_data: false,
  too_large: false,
  too_many: true,
  denied: false,
  not_subscribed: false,
  unavailable: true,
  unknown_topic: false,
  draining: true,
  internal: true,
};

/**
 * Close code to whether a client should reconnect.
 * @type {Record<number, boolean>}
 */
export const CLOSE_CODES = {
  1001: true,
  1002: false,
  1007: false,
  1008: true,
  1009: false,
  1013: true,
  4001: true,
  4002: true,
  4003: true,
  4500: false,
  4501: false,
  4502: false,
};

/**
 * Whether to reconnect after any close code, also one of a later server or of the browser itself (1006: the network).
 * @param {number} code
 */
export function shouldReconnect(code) {
  return CLOSE_CODES[code] ?? !(code >= 4500 && code <= 4999);
}
