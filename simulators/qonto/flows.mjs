// Authorisation requests on their way through a browser. Each step hands the browser a value for a
// cookie and wants it back at the next: whoever fetches the first page on a server and gives the
// address to somebody's browser fails, as with Hydra.

import { randomBytes } from 'node:crypto';

/** Requests under way; the oldest are forgotten first. */
export const FLOWS_MAX = 1000;
const FLOW_S = 1800;

/** A failure that is shown as a page. */
export class FlowError extends Error {
  /** @param {number} status @param {string} error @param {string} description */
  constructor(status, error, description) {
    super(`${error}: ${description}`);
    Object.assign(this, { status, error, description });
  }
}

const secret = () => randomBytes(24).toString('base64url');

const setCookie = (name, value) =>
  `${name}=${value}; Path=/; Max-Age=${FLOW_S}; HttpOnly; Secure; SameSite=Lax`;

function cookieValues(header, name) {
  return (header ?? '').split(';').map((pair) => pair.trim().split('='))
    .filter(([key]) => key === name).map(([, value]) => value);
}

function checkCookie(header, name, expected) {
  if (cookieValues(header, name).includes(expected)) return;
  throw new FlowError(403, 'request_forbidden',
    'The request is not allowed. No CSRF value available in the session cookie.');
}

const LOGIN_COOKIE = 'ory_hydra_login_csrf';
const CONSENT_COOKIE = 'ory_hydra_consent_csrf';

export class Flows {
  /** @param {{clock: object}} parts */
  constructor({ clock }) {
    this.clock = clock;
    /** @type {Map<string, object>} by the value that the next step must show */
    this.steps = new Map();
  }

  keep(key, flow) {
    this.steps.set(key, flow);
    if (this.steps.size > FLOWS_MAX) this.steps.delete(this.steps.keys().next().value);
  }

  /** Take a step by its value, once. */
  take(kind, key) {
    const flow = this.steps.get(`${kind} ${key}`);
    this.steps.delete(`${kind} ${key}`);
    if (!flow || this.clock.now() > flow.expires_ms) {
      throw new FlowError(400, 'request_expired', `The ${kind} is unknown, used or expired.`);
    }
    return flow;
  }

  /** @param {object} asked what the client wants @returns {{challenge: string, cookie: string}} */
  open(asked) {
    const flow = { asked, expires_ms: this.clock.now() + FLOW_S * 1000, csrf: secret() };
    const challenge = secret();
    this.keep(`login_challenge ${challenge}`, flow);
    return { challenge, cookie: setCookie(LOGIN_COOKIE, flow.csrf) };
  }

  /** @param {string} challenge @returns {string} where the browser goes next */
  acceptLogin(challenge) {
    const verifier = secret();
    this.keep(`login_verifier ${verifier}`, this.take('login_challenge', challenge));
    return `/oauth2/auth?login_verifier=${verifier}`;
  }

  /** @param {string} verifier @param {string|undefined} cookies the request's Cookie header */
  afterLogin(verifier, cookies) {
    const flow = this.take('login_verifier', verifier);
    checkCookie(cookies, LOGIN_COOKIE, flow.csrf);
    const challenge = secret();
    flow.csrf = secret();
    this.keep(`consent_challenge ${challenge}`, flow);
    return { challenge, cookie: setCookie(CONSENT_COOKIE, flow.csrf) };
  }

  /** Look at a request that waits for consent. @param {string} challenge */
  atConsent(challenge) {
    const flow = this.take('consent_challenge', challenge);
    this.keep(`consent_challenge ${challenge}`, flow);
    return flow;
  }

  /** @param {string} challenge @param {boolean} allowed @returns {string} where the browser goes */
  answerConsent(challenge, allowed) {
    const flow = this.take('consent_challenge', challenge);
    flow.allowed = allowed;
    const verifier = secret();
    this.keep(`consent_verifier ${verifier}`, flow);
    return `/oauth2/auth?consent_verifier=${verifier}`;
  }

  /** @param {string} verifier @param {string|undefined} cookies */
  afterConsent(verifier, cookies) {
    const flow = this.take('consent_verifier', verifier);
    checkCookie(cookies, CONSENT_COOKIE, flow.csrf);
    return flow;
  }
}
