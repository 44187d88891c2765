// The clock of the simulated providers: the real one plus an offset, so that time moves on its
// own and can also be set. Milliseconds since 1970 unless a name ends in S (seconds).

/**
 * @typedef {object} Clock
 * @property {() => number} now milliseconds
 * @property {() => number} nowS whole seconds
 * @property {(ms: number) => void} set makes now() this instant
 * @property {(ms: number) => void} advance moves now() by this much; negative moves back
 */

/** @returns {Clock} */
export function createClock() {
  let offset = 0;
  const now = () => Date.now() + offset;
  return {
    now,
    nowS: () => Math.floor(now() / 1000),
    set(ms) {
      offset = finite(ms) - Date.now();
    },
    advance(ms) {
      offset += finite(ms);
    },
  };
}

function finite(ms) {
  if (!Number.isFinite(ms)) throw new TypeError('a time in milliseconds is needed');
  return ms;
}
