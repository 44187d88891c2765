// What the authorisation server remembers: grants, codes, access tokens and refresh tokens, with
// their lifetimes on the injected clock.

import { createHash, randomBytes } from 'node:crypto';

export const CODE_S = 600;
export const ACCESS_TOKEN_S = 3600;
export const REFRESH_TOKEN_S = 90 * 24 * 3600;
export const REFRESH_GRACE_S = 60;
/** Of each kind; the oldest are forgotten first. */
export const TOKENS_MAX = 20_000;

/** An answer of the token endpoint that is no token. */
export class OAuthError extends Error {
  /** @param {number} status @param {string} error @param {string} description */
  constructor(status, error, description) {
    super(`${error}: ${description}`);
    this.status = status;
    this.error = error;
    this.description = description;
  }
}

const invalidGrant = (why) => new OAuthError(400, 'invalid_grant',
  `The authorization grant or refresh token is invalid, expired or revoked, or belongs to another `
  + `client or redirection URI. ${why}`);

const token = (prefix) =>
  `${prefix}${randomBytes(32).toString('base64url')}.${randomBytes(32).toString('base64url')}`;

function remember(map, key, value) {
  map.set(key, value);
  if (map.size > TOKENS_MAX) map.delete(map.keys().next().value);
}

/**
 * @typedef {{id: string, client_id: string, scopes: string[], membership_id: string,
 *            created_ms: number, ended: boolean}} Grant
 */

export class Grants {
  /**
   * @param {{clock: object, secrets: object, switches: object, newId: () => string}} parts
   */
  constructor({ clock, secrets, switches, newId }) {
    Object.assign(this, { clock, secrets, switches, newId });
    this.grants = new Map();
    this.codes = new Map();
    this.access = new Map();
    this.refresh = new Map();
  }

  /**
   * @param {{client_id: string, scopes: string[], membership_id: string, redirect_uri: string,
   *          code_challenge: string|null}} asked
   * @returns {string} the code
   */
  authorize(asked) {
    const grant = {
      id: this.newId(), client_id: asked.client_id, scopes: asked.scopes,
      membership_id: asked.membership_id, created_ms: this.clock.now(), ended: false,
    };
    remember(this.grants, grant.id, grant);
    const code = token('ory_ac_');
    this.secrets.note('qonto authorization code', code);
    remember(this.codes, code, {
      grant, redirect_uri: asked.redirect_uri, code_challenge: asked.code_challenge,
      expires_ms: this.clock.now() + CODE_S * 1000, used: false,
    });
    return code;
  }

  /** Exchange a code. @param {{code: string, redirect_uri: string, code_verifier: string}} form */
  redeem(form) {
    const row = this.codes.get(form.code);
    if (!row || row.grant.ended) throw invalidGrant('The code is not known.');
    if (row.used) {
      row.grant.ended = true;
      throw invalidGrant('The code was used before.');
    }
    if (this.clock.now() >= row.expires_ms) throw invalidGrant('The code expired.');
    if (form.redirect_uri !== row.redirect_uri) {
      throw invalidGrant('The redirect_uri is not the one of the authorization request.');
    }
    if (!verifies(row.code_challenge, form.code_verifier)) {
      throw invalidGrant('The PKCE code verifier does not match the code challenge.');
    }
    row.used = true;
    return this.issue(row.grant);
  }

  /** Exchange a refresh token; the one used lives on for its grace period. */
  rotate(value) {
    const row = this.refresh.get(value);
    const now = this.clock.now();
    if (!row || row.grant.ended) throw invalidGrant('The refresh token is not known.');
    if (now >= row.expires_ms) throw invalidGrant('The refresh token expired.');
    if (row.used_ms !== null && now - row.used_ms > REFRESH_GRACE_S * 1000) {
      if (this.switches.get('reuse_kills_grant')) row.grant.ended = true;
      throw invalidGrant('The refresh token was used before.');
    }
    row.used_ms ??= now;
    if (this.switches.get('refresh_revokes_access')) this.expireAccess(row.grant);
    return this.issue(row.grant);
  }

  /** @param {Grant} grant @returns the body of a token answer */
  issue(grant) {
    const now = this.clock.now();
    const body = {
      access_token: token('ory_at_'), expires_in: ACCESS_TOKEN_S,
      scope: grant.scopes.join(' '), token_type: 'bearer',
    };
    this.secrets.note('qonto access token', body.access_token);
    remember(this.access, body.access_token,
      { grant, issued_ms: now, expires_ms: now + ACCESS_TOKEN_S * 1000 });
    if (!grant.scopes.includes('offline_access')) return body;
    body.refresh_token = token('ory_rt_');
    this.secrets.note('qonto refresh token', body.refresh_token);
    remember(this.refresh, body.refresh_token,
      { grant, expires_ms: now + REFRESH_TOKEN_S * 1000, used_ms: null });
    return body;
  }

  /** The living grant behind an access token. @param {string} value @returns {Grant|null} */
  find(value) {
    const row = this.access.get(value);
    const lives = row && !row.grant.ended && this.clock.now() < row.expires_ms;
    return lives ? row.grant : null;
  }

  /** RFC 7009: either token of a grant ends it. @param {string} value @param {string} client */
  revoke(value, client) {
    const grant = (this.access.get(value) ?? this.refresh.get(value))?.grant;
    if (grant?.client_id === client) grant.ended = true;
  }

  /** End what a member consented to. @returns {number} how many grants */
  revokeConsents(clientId, membershipId) {
    const hits = [...this.grants.values()].filter((grant) => !grant.ended
      && grant.client_id === clientId && grant.membership_id === membershipId);
    for (const grant of hits) grant.ended = true;
    return hits.length;
  }

  /** Access tokens expire now, of one grant or of all. @returns {number} how many */
  expireAccess(grant = null) {
    const now = this.clock.now();
    const hits = [...this.access.values()]
      .filter((row) => row.expires_ms > now && (grant === null || row.grant === grant));
    for (const row of hits) row.expires_ms = now;
    return hits.length;
  }

  /** One access token expires now. @param {string} value */
  expireOne(value) {
    const row = this.access.get(value);
    if (row) row.expires_ms = Math.min(row.expires_ms, this.clock.now());
  }

  /** Every grant ends: what a member does who removes the application. @returns {number} */
  killAll() {
    const living = [...this.grants.values()].filter((grant) => !grant.ended);
    for (const grant of living) grant.ended = true;
    return living.length;
  }

  /** @returns {number} grants that still live */
  living() {
    return [...this.grants.values()].filter((grant) => !grant.ended).length;
  }
}

/** PKCE, S256 only. @param {string|null} challenge @param {string|undefined} verifier */
function verifies(challenge, verifier) {
  if (challenge === null) return !verifier;
  if (!verifier || !/^[A-Za-z0-9._~-]{43,128}$/.test(verifier)) return false;
  return createHash('sha256').update(verifier).digest('base64url') === challenge;
}
