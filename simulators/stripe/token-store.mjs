// Where the authorisation server keeps what it issued: an oidc-provider adapter in memory.
//
// oidc-provider reckons in real seconds. To make the simulated clock govern every lifetime, an
// entry's `exp` is moved by as much as the simulated clock was moved since the entry was stored.

/** Beyond this the oldest entries are forgotten. */
export const ENTRIES_MAX = 50_000;

const TOKENS = ['AccessToken', 'RefreshToken', 'AuthorizationCode'];

/**
 * @param {object} parts
 * @param {import('../lib/clock.mjs').Clock} parts.clock
 * @param {import('../lib/secrets.mjs').SecretRegister} parts.secrets
 * @param {(grantId: string) => void} parts.onGrantEnded called when the tokens of a grant die
 */
export function createTokenStore({ clock, secrets, onGrantEnded }) {
  const entries = new Map();
  const movedS = () => clock.nowS() - Math.floor(Date.now() / 1000);

  const remove = (keep) => {
    for (const [key, entry] of entries) if (!keep(entry)) entries.delete(key);
  };
  const grantIds = () => new Set(
    [...entries.values()].filter((it) => it.model === 'Grant').map((it) => it.id));

  const Adapter = adapterOver({ entries, remove, movedS, secrets, onGrantEnded });

  return {
    Adapter,
    counts: () => Object.fromEntries([...TOKENS, 'Grant', 'Client'].map((model) => [
      model, [...entries.values()].filter((it) => it.model === model).length])),
    /** Every access token is as if its time had come; refreshing works. */
    expireAccessTokens() {
      remove((it) => it.model !== 'AccessToken');
    },
    /** Refreshing ends in invalid_grant; access tokens live on until they expire. */
    killGrants() {
      remove((it) => it.model !== 'RefreshToken');
    },
    /** What the user's "revoke" in the dashboard does: everything is dead at once. */
    revokeAll() {
      const ended = grantIds();
      remove((it) => !TOKENS.includes(it.model) && it.model !== 'Grant');
      for (const grantId of ended) onGrantEnded(grantId);
    },
    /** Registered clients are forgotten: invalid_client from then on. */
    dropClients() {
      remove((it) => it.model !== 'Client');
    },
  };
}

/** The class that oidc-provider makes an instance of for each kind of entry. */
function adapterOver({ entries, remove, movedS, secrets, onGrantEnded }) {
  return class Adapter {
    constructor(model) {
      this.model = model;
    }

    async upsert(id, payload) {
      if (TOKENS.includes(this.model)) secrets.note(`stripe.${this.model}`, id);
      entries.set(`${this.model}:${id}`, { model: this.model, id, payload, movedS: movedS() });
      if (entries.size > ENTRIES_MAX) entries.delete(entries.keys().next().value);
    }

    async find(id) {
      return present(entries.get(`${this.model}:${id}`), movedS());
    }

    async findByUid(uid) {
      const wanted = (it) => it.model === this.model && it.payload.uid === uid;
      return present([...entries.values()].find(wanted), movedS());
    }

    async findByUserCode() {
      return undefined;
    }

    async destroy(id) {
      entries.delete(`${this.model}:${id}`);
    }

    async consume(id) {
      entries.get(`${this.model}:${id}`).payload.consumed = Math.floor(Date.now() / 1000);
    }

    async revokeByGrantId(grantId) {
      remove((it) => it.model !== this.model || it.payload.grantId !== grantId);
      if (this.model === 'AccessToken') onGrantEnded(grantId);
    }
  };
}

function present(entry, movedS) {
  if (!entry) return undefined;
  const { payload } = entry;
  if (!payload.exp) return payload;
  return { ...payload, exp: payload.exp - (movedS - entry.movedS) };
}
