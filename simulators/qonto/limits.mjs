// What Qonto counts per address: all requests, and answers of 401.

const REQUEST_WINDOWS = [
  { ms: 10_000, max: 1000 },
  { ms: 600_000, max: 10_000 },
];
const UNAUTHORIZED_WINDOW = { ms: 3_600_000, max: 200 };
const ADDRESSES_MAX = 1000;

/** Times of events of one address, oldest first, no older than the longest window. */
class Trail {
  constructor(keepMs) {
    this.keepMs = keepMs;
    this.times = [];
  }

  /** @param {number} now */
  add(now) {
    this.times.push(now);
    const first = this.times.findIndex((time) => time > now - this.keepMs);
    if (first > 0) this.times.splice(0, first);
  }

  /** Events within the last `ms`. @param {number} now @param {number} ms */
  count(now, ms) {
    let n = 0;
    for (let i = this.times.length - 1; i >= 0 && this.times[i] > now - ms; i -= 1) n += 1;
    return n;
  }
}

export class Limits {
  /** @param {{clock: object, switches: object}} parts */
  constructor({ clock, switches }) {
    Object.assign(this, { clock, switches });
    this.addresses = new Map();
  }

  trails(address) {
    let trails = this.addresses.get(address);
    if (!trails) {
      trails = {
        requests: new Trail(REQUEST_WINDOWS[1].ms),
        unauthorized: new Trail(UNAUTHORIZED_WINDOW.ms),
      };
      this.addresses.set(address, trails);
      if (this.addresses.size > ADDRESSES_MAX) {
        this.addresses.delete(this.addresses.keys().next().value);
      }
    }
    return trails;
  }

  /**
   * Count a request; requests that are refused do not count.
   * @param {string} address
   * @returns {number|null} seconds to wait when it is too many
   */
  request(address) {
    const { requests, unauthorized } = this.trails(address);
    const now = this.clock.now();
    if (this.switches.get('unauthorized_throttle')
      && unauthorized.count(now, UNAUTHORIZED_WINDOW.ms) > UNAUTHORIZED_WINDOW.max) {
      return UNAUTHORIZED_WINDOW.ms / 1000;
    }
    if (!this.switches.get('rate_limit')) return null;
    const full = REQUEST_WINDOWS.find(({ ms, max }) => requests.count(now, ms) >= max);
    if (full) return full.ms / 1000;
    requests.add(now);
    return null;
  }

  /** Count an answer of 401. @param {string} address */
  unauthorized(address) {
    this.trails(address).unauthorized.add(this.clock.now());
  }

  /** Forget everything that was counted. */
  clear() {
    this.addresses.clear();
  }
}
