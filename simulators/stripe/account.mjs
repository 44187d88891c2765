// The objects of one simulated Stripe account and how they are found. Pure storage: what objects
// mean is in factory.mjs, what a caller sees of them in operations.mjs.

/**
 * @typedef {object} StripeAccount
 * @property {string} id acct_…
 * @property {boolean} livemode
 * @property {string} name
 */

/** @returns {StripeAccount & {put, get, list, payoutMembers}} */
export function createAccount({ id, livemode, name }) {
  const byId = new Map();
  const byType = new Map();
  let sequence = 0;

  return {
    id,
    livemode,
    name,
    /** Stripe does not show on a balance transaction which payout took it: kept beside. */
    payoutMembers: new Map(),

    put(object) {
      if (byId.has(object.id)) throw new Error(`id ${object.id} is taken`);
      sequence += 1;
      byId.set(object.id, object);
      if (!byType.has(object.object)) byType.set(object.object, []);
      byType.get(object.object).push({ object, sequence });
      return object;
    },

    /** @returns the object, or undefined; with a type only an object of that type */
    get(objectId, type) {
      const object = byId.get(objectId);
      return type === undefined || object?.object === type ? object : undefined;
    },

    /** Newest first; of one second the last made comes first. */
    list(type) {
      const entries = byType.get(type) ?? [];
      return entries
        .toSorted((a, b) => b.object.created - a.object.created || b.sequence - a.sequence)
        .map((entry) => entry.object);
    },
  };
}
