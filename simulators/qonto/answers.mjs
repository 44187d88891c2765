// Answers that were given once and are given again for the same idempotency key, whatever the
// second request says. Only successes are kept.

export const ANSWER_S = 1800;
export const ANSWERS_MAX = 10_000;

export class Answers {
  /** @param {{now: () => number}} clock */
  constructor(clock) {
    this.clock = clock;
    this.kept = new Map();
  }

  /** @template T @param {string} key @param {number} lifeS @returns {T|undefined} */
  get(key, lifeS = ANSWER_S) {
    const row = this.kept.get(key);
    return row && this.clock.now() - row.at_ms < lifeS * 1000 ? row.value : undefined;
  }

  /** @param {string} key @param {any} value */
  put(key, value) {
    this.kept.delete(key);
    this.kept.set(key, { value, at_ms: this.clock.now() });
    if (this.kept.size > ANSWERS_MAX) this.kept.delete(this.kept.keys().next().value);
  }
}
