// The authorisation server: what Ory Hydra shows of itself at /oauth2/auth, /oauth2/token and
// /oauth2/revoke, with the sign-in and consent pages that it sends a browser to.

import { sameSecret } from './client.mjs';
import { FlowError, Flows } from './flows.mjs';
import { OAuthError } from './grants.mjs';
import {
  passesGate, readText, redirect, send, sendGatePage, sendHtml, sendJson,
} from './reply.mjs';

export const STATE_CHARACTERS_MIN = 8;

const NOT_STORED = { 'Cache-Control': 'no-store', Pragma: 'no-cache' };

const ROUTES = {
  'GET /oauth2/auth': authorize,
  'GET /login': login,
  'GET /consent': consent,
  'POST /consent': consentAnswer,
  'POST /oauth2/token': tokens,
  'POST /oauth2/revoke': revoke,
};
/** Called by programs, so the gate of the sandbox stands before them. */
const GATED = ['POST /oauth2/token', 'POST /oauth2/revoke'];

/**
 * @param {object} qonto the parts of one simulated Qonto, as server.mjs makes them
 * @returns {(req: import('node:http').IncomingMessage, res: import('node:http').ServerResponse)
 *   => Promise<void>}
 */
export function createOAuth(qonto) {
  const flows = new Flows(qonto);
  return async (req, res) => {
    const url = new URL(req.url, 'https://oauth.invalid');
    const name = `${req.method} ${url.pathname}`;
    const handler = Object.hasOwn(ROUTES, name) ? ROUTES[name] : null;
    if (!handler) return sendJson(res, 404, { error: 'not_found' });
    if (GATED.includes(name) && !passesGate(req, qonto)) return sendGatePage(res);
    try {
      return await handler({ req, res, query: url.searchParams, qonto, flows });
    } catch (error) {
      return answerError(res, error);
    }
  };
}

/** The name under which faults and the request log know a request. */
export function oauthOperation(method, path) {
  const name = `${method} ${path}`;
  return Object.hasOwn(ROUTES, name) ? `oauth.${ROUTES[name].name}` : undefined;
}

function answerError(res, error) {
  if (error instanceof OAuthError) {
    const body = { error: error.error, error_description: error.description };
    return sendJson(res, error.status, body, NOT_STORED);
  }
  if (error instanceof FlowError) return errorPage(res, error);
  throw error;
}

/** Where nothing can be trusted to redirect to. */
function errorPage(res, { status, error, description }) {
  const page = '<!DOCTYPE html>\n<html><head><title>Authorization failed</title></head><body>'
    + `<h1>Authorization failed</h1><p><code>${error}</code></p><p>${description}</p>`
    + '</body></html>\n';
  return sendHtml(res, status, page);
}

const escapeHtml = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

function backToClient(res, uri, fields) {
  const target = new URL(uri);
  for (const [name, value] of Object.entries(fields)) target.searchParams.set(name, value);
  return redirect(res, target.href, { 'Cache-Control': 'no-store' });
}

/** The three visits of a browser to /oauth2/auth: at first, after the login, after the consent. */
function authorize({ req, res, query, qonto, flows }) {
  if (query.has('login_verifier')) {
    const flow = flows.afterLogin(query.get('login_verifier'), req.headers.cookie);
    const next = `/consent?consent_challenge=${flow.challenge}`;
    return redirect(res, next, { 'Set-Cookie': flow.cookie });
  }
  if (query.has('consent_verifier')) {
    const flow = flows.afterConsent(query.get('consent_verifier'), req.headers.cookie);
    return finish(res, flow, qonto);
  }
  const asked = readRequest(query, qonto);
  if (asked.refused) return backToClient(res, asked.redirect_uri, asked.refused);
  const flow = flows.open(asked);
  return redirect(res, `/login?login_challenge=${flow.challenge}`, { 'Set-Cookie': flow.cookie });
}

function finish(res, flow, qonto) {
  const { redirect_uri: uri, state, scopes } = flow.asked;
  if (!flow.allowed) {
    return backToClient(res, uri, {
      error: 'access_denied', error_description: 'The resource owner denied the request', state,
    });
  }
  const code = qonto.grants.authorize({ ...flow.asked, membership_id: qonto.store.membership_id });
  return backToClient(res, uri, { code, scope: scopes.join(' '), state });
}

/**
 * What a client asks for, checked. A wrong client or redirect URI throws, since there is nowhere to
 * send the browser; everything else goes back to the client as `refused`.
 */
function readRequest(query, qonto) {
  const { client } = qonto;
  const uri = query.get('redirect_uri') ?? '';
  if (query.get('client_id') !== client.id) {
    throw new FlowError(401, 'invalid_client', 'The requested OAuth 2.0 Client does not exist.');
  }
  if (!client.registered(uri)) {
    throw new FlowError(400, 'invalid_request',
      'The redirect_uri parameter does not match any of the URLs registered for the client.');
  }
  const state = query.get('state') ?? '';
  const scopes = (query.get('scope') ?? '').split(' ').filter(Boolean);
  const asked = {
    client_id: client.id, redirect_uri: uri, state, scopes,
    code_challenge: query.get('code_challenge'),
  };
  const refusal = refuse(query, asked, client);
  return refusal ? { ...asked, refused: { ...refusal, state } } : asked;
}

function refuse(query, asked, client) {
  const because = (error, description) => ({ error, error_description: description });
  if (query.get('response_type') !== 'code') {
    return because('unsupported_response_type', 'Only the response type code is supported.');
  }
  if (asked.state.length < STATE_CHARACTERS_MIN) {
    return because('invalid_state',
      `The state must have at least ${STATE_CHARACTERS_MIN} characters.`);
  }
  const foreign = asked.scopes.find((scope) => !client.scopes.includes(scope));
  if (foreign !== undefined) {
    return because('invalid_scope',
      `The OAuth 2.0 Client is not allowed to request scope '${foreign}'.`);
  }
  if (asked.code_challenge !== null && query.get('code_challenge_method') !== 'S256') {
    return because('invalid_request', 'The code challenge method must be S256.');
  }
  return null;
}

/** The sign-in page of a browser in which the member is signed in already. */
function login({ res, query, flows }) {
  redirect(res, flows.acceptLogin(query.get('login_challenge')));
}

function consent({ res, query, qonto, flows }) {
  const challenge = query.get('consent_challenge');
  const flow = flows.atConsent(challenge);
  const answer = qonto.switches.get('consent');
  if (answer !== 'ask') return redirect(res, flows.answerConsent(challenge, answer === 'auto'));
  const scopes = flow.asked.scopes.map((scope) => `<li>${scope}</li>`).join('');
  const button = (value, text) => `<button name="answer" value="${value}">${text}</button>`;
  return sendHtml(res, 200, '<!DOCTYPE html>\n<html><head><title>Qonto (simulated)</title></head>'
    + `<body><h1>Connect ${escapeHtml(qonto.store.organization.name)}?</h1><ul>${scopes}</ul>`
    + '<form method="post" action="/consent">'
    + `<input type="hidden" name="consent_challenge" value="${challenge}">`
    + `${button('allow', 'Allow access')} ${button('deny', 'Deny')}</form></body></html>\n`);
}

async function consentAnswer({ req, res, flows }) {
  const form = new URLSearchParams((await readText(req)) ?? '');
  redirect(res, flows.answerConsent(form.get('consent_challenge'), form.get('answer') === 'allow'));
}

async function tokens({ req, res, qonto }) {
  const form = await clientForm(req, qonto);
  const grants = {
    authorization_code: () => qonto.grants.redeem(form),
    refresh_token: () => qonto.grants.rotate(form.refresh_token),
  };
  if (!Object.hasOwn(grants, form.grant_type ?? '')) {
    throw new OAuthError(400, 'unsupported_grant_type',
      'The authorization grant type is not supported by the authorization server.');
  }
  sendJson(res, 200, grants[form.grant_type](), NOT_STORED);
}

async function revoke({ req, res, qonto }) {
  const form = await clientForm(req, qonto);
  if (!form.token) throw new OAuthError(400, 'invalid_request', 'The parameter token is missing.');
  qonto.grants.revoke(form.token, form.client_id);
  send(res, 200, '', { 'Cache-Control': 'no-store' });
}

/** The fields of a form whose sender is our client. Credentials stand in the form, nowhere else. */
async function clientForm(req, { client }) {
  const text = await readText(req);
  const type = (req.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
  if (text === null || type !== 'application/x-www-form-urlencoded') {
    throw new OAuthError(400, 'invalid_request', 'The request is not a form of acceptable size.');
  }
  const form = Object.fromEntries(new URLSearchParams(text));
  if (req.headers.authorization !== undefined
    || form.client_id !== client.id || !sameSecret(form.client_secret ?? '', client.secret)) {
    throw new OAuthError(401, 'invalid_client', 'Client authentication failed (e.g., unknown '
      + 'client, no client authentication included, or unsupported authentication method).');
  }
  return form;
}
