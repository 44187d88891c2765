// The authorisation server: oidc-provider (a certified implementation) dressed as
// access.stripe.com/mcp: issuer with a path, public clients only, discovery at one exact path.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import express from 'express';
import Provider, { errors } from 'oidc-provider';
import { captureAnswer, sendAnswer } from '../lib/capture.mjs';
import { createConsent } from './consent.mjs';

const ISSUER_PATH = '/mcp';
const CODE_TTL_S = 600;
const LOGIN_TTL_S = 3600;
const REFRESH_TOKEN_TTL_S = 365 * 86_400;

/**
 * @param {object} parts
 * @param {string} parts.origin https://host:port of this server
 * @param {string} parts.resource the one resource that tokens are issued for
 * @param {object} parts.switches values of createSwitches()
 * @param {object} parts.store createTokenStore()
 * @param {import('express').RequestHandler[]} parts.middleware request log and faults
 * @returns {{app, issuer: string, findAccessToken: (value: string) => Promise<object | null>}}
 */
export function createAuthorizationServer({ origin, resource, switches, store, middleware }) {
  const issuer = `${origin}${ISSUER_PATH}`;
  const provider = new Provider(issuer, configure({ resource, switches, store }));
  provider.on('server_error', (ctx, error) => console.error('stripe authorisation:', error));

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(...middleware);
  app.get(`/.well-known/oauth-authorization-server${ISSUER_PATH}`, (req, res) => {
    res.json(metadata(issuer, switches));
  });
  app.get('/dashboard', (req, res) => {
    res.type('html').send('<!doctype html><title>Dashboard</title><h1>Dashboard</h1>\n');
  });
  app.get(`${ISSUER_PATH}/oauth2/authorize`, (req, res, next) => {
    if (switches.resource_required && !req.query.resource) return res.redirect('/dashboard');
    // A consent given before does not count: the page is always shown.
    if (!req.query.prompt) req.url += '&prompt=consent';
    return next();
  });
  app.get(`${ISSUER_PATH}/oauth2/authorize{/*rest}`, (req, res, next) => {
    rewriteCallback(res, { origin, issuer, switches });
    next();
  });
  app.post(`${ISSUER_PATH}/oauth2/register`, (req, res, next) => {
    captureAnswer(res, (answer) => {
      const status = answer.status === 201 ? switches.dcr_status : answer.status;
      sendAnswer(res, { ...answer, status });
    });
    next();
  });
  app.use(`${ISSUER_PATH}/interaction`, createConsent({ provider, resource, switches }));
  // The appended forms of discovery do not exist at Stripe.
  app.use(`${ISSUER_PATH}/.well-known`, notFound);
  app.use(ISSUER_PATH, provider.callback());
  app.use(notFound);

  return {
    app,
    issuer,
    /** The token if it lives, is bound to the resource and its grant stands. */
    async findAccessToken(value) {
      const token = await provider.AccessToken.find(value);
      if (!token || token.aud !== resource) return null;
      return { grantId: token.grantId, clientId: token.clientId };
    },
  };
}

function notFound(req, res) {
  res.status(404).json({ error: 'not_found' });
}

function metadata(issuer, switches) {
  return {
    issuer: switches.metadata_issuer ?? issuer,
    authorization_endpoint: `${issuer}/oauth2/authorize`,
    token_endpoint: `${issuer}/oauth2/token`,
    registration_endpoint: `${issuer}/oauth2/register`,
    revocation_endpoint: `${issuer}/oauth2/revoke`,
    grant_types_supported: ['authorization_code', 'refresh_token'],
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none'],
    scopes_supported: ['mcp'],
    ...(switches.callback_iss_advertised
      ? { authorization_response_iss_parameter_supported: true } : {}),
  };
}

function configure({ resource, switches, store }) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    adapter: store.Adapter,
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' }] },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    cookies: { keys: [randomBytes(24).toString('base64url')] },
    clockTolerance: 0,
    scopes: ['mcp'],
    responseTypes: ['code'],
    clientAuthMethods: ['none'],
    clientDefaults: {
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      id_token_signed_response_alg: 'ES256',
    },
    extraClientMetadata: {
      properties: ['software_id', 'software_version'],
      validator: (ctx, name, value, client) => checkRedirects(client, switches),
    },
    routes: {
      authorization: '/oauth2/authorize',
      token: '/oauth2/token',
      registration: '/oauth2/register',
      revocation: '/oauth2/revoke',
    },
    pkce: { required: () => true },
    interactions: { url: (ctx, interaction) => `${ISSUER_PATH}/interaction/${interaction.uid}` },
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: () => switches.rotate_refresh_tokens,
    revokeGrantPolicy: () => true,
    renderError: showError,
    features: {
      devInteractions: { enabled: false },
      registration: {
        enabled: true,
        idFactory: () => `oacli_${randomBytes(12).toString('hex')}`,
        issueRegistrationAccessToken: false,
      },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      resourceIndicators: resourceIndicators(resource, switches),
    },
    ttl: {
      AccessToken: () => Math.max(1, switches.access_token_ttl_s),
      AuthorizationCode: CODE_TTL_S,
      RefreshToken: REFRESH_TOKEN_TTL_S,
      Grant: REFRESH_TOKEN_TTL_S,
      Interaction: LOGIN_TTL_S,
      Session: LOGIN_TTL_S,
    },
  };
}

function resourceIndicators(resource, switches) {
  const lacks = (ctx) => switches.resource_required && !ctx.oidc.params.resource;
  return {
    enabled: true,
    defaultResource: () => resource,
    useGrantedResource: () => true,
    getResourceServerInfo(ctx, indicator) {
      if (ctx.oidc.route === 'token' && lacks(ctx)) {
        throw new errors.InvalidTarget('the resource parameter is missing');
      }
      // A URL parser adds the slash of an empty path; both are the same resource.
      if (indicator.replace(/\/$/, '') !== resource) throw new errors.InvalidTarget();
      return {
        scope: 'mcp',
        audience: switches.token_resource ?? resource,
        accessTokenFormat: 'opaque',
        accessTokenTTL: Math.max(1, switches.access_token_ttl_s),
      };
    },
  };
}

/** Called for each registration; the list may stand for a review that has not happened. */
function checkRedirects(client, switches) {
  const allowed = switches.redirect_uris_allowed;
  if (allowed && !client.redirect_uris.every((uri) => allowed.includes(uri))) {
    throw new RedirectUriNotAllowed();
  }
}

class RedirectUriNotAllowed extends errors.OIDCProviderError {
  constructor() {
    super(400, 'invalid_redirect_uri');
    this.error_description = 'this redirect_uri has not been approved';
  }
}

function showError(ctx, out) {
  ctx.type = 'json';
  ctx.body = { error: out.error, error_description: out.error_description };
}

/** Changes the iss parameter of the way back to the client, as the switches say. */
function rewriteCallback(res, { origin, issuer, switches }) {
  const setHeader = res.setHeader.bind(res);
  res.setHeader = (name, value) => {
    const leaves = name.toLowerCase() === 'location' && !String(value).startsWith(origin)
      && URL.canParse(value);
    if (!leaves || switches.callback_iss === 'right') return setHeader(name, value);
    const target = new URL(value);
    target.searchParams.delete('iss');
    if (switches.callback_iss === 'wrong') target.searchParams.set('iss', `${issuer}/other`);
    return setHeader(name, target.href);
  };
}
