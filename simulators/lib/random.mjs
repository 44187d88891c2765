// One seeded source of randomness for generated data. The same seed and the same order of calls
// give the same values on every machine. Not for secrets: those come from node:crypto.

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const HEX = '0123456789abcdef';

/** Mixes a label into a seed (FNV-1a), so that one seed gives independent streams. */
function mix(seed, label) {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (const character of String(label)) {
    hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193) >>> 0;
  }
  return hash;
}

/**
 * @param {number} seed any integer
 * @returns the generator; every method advances it except fork
 */
export function createRandom(seed) {
  let state = mix(seed >>> 0, 'sluice');

  /** A float in [0, 1): the mulberry32 sequence. */
  function float() {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x100000000;
  }

  /** An integer, both ends included. */
  const int = (min, max) => min + Math.floor(float() * (max - min + 1));
  const pick = (list) => list[int(0, list.length - 1)];
  const text = (alphabet, length) => Array.from({ length }, () => pick(alphabet)).join('');

  return {
    float,
    int,
    pick,
    chance: (probability) => float() < probability,
    base62: (length) => text(BASE62, length),
    hex: (length) => text(HEX, length),
    digits: (length) => text('0123456789', length),
    /** Picks by weight: [[value, weight], …]. */
    weighted(pairs) {
      let rest = float() * pairs.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [value, weight] of pairs) {
        rest -= weight;
        if (rest < 0) return value;
      }
      return pairs[pairs.length - 1][0];
    },
    shuffle(list) {
      const copy = [...list];
      for (let i = copy.length - 1; i > 0; i -= 1) {
        const j = int(0, i);
        [copy[i], copy[j]] = [copy[j], copy[i]];
      }
      return copy;
    },
    uuid() {
      const h = text(HEX, 32);
      const variant = '89ab'[int(0, 3)];
      return [h.slice(0, 8), h.slice(8, 12), `4${h.slice(13, 16)}`,
        `${variant}${h.slice(17, 20)}`, h.slice(20)].join('-');
    },
    /** An independent generator that does not advance this one. */
    fork: (label) => createRandom(mix(seed >>> 0, label)),
  };
}
