// The simulated Qonto: an authorisation server, the REST API and the storage behind attachments,
// each on a listener of its own.

import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { faultMiddleware } from '../lib/faults.mjs';
import { listen } from '../lib/listen.mjs';
import { Answers } from './answers.mjs';
import { createApi, findRoute } from './api.mjs';
import { createClient } from './client.mjs';
import { createQontoControl } from './control.mjs';
import { Grants } from './grants.mjs';
import { Limits } from './limits.mjs';
import { createOAuth, oauthOperation } from './oauth.mjs';
import { sendJson } from './reply.mjs';
import { plant } from './seed.mjs';
import { createStorage } from './storage.mjs';
import { Store } from './store.mjs';
import { createSwitches } from './switches.mjs';

const PROVIDER = 'qonto';
const TOO_MANY = { errors: [{ code: 'too_many_requests', detail: 'Rate limit exceeded' }] };
const UNKNOWN = { errors: [{ code: 'unknown', detail: 'An unknown error occurred' }] };

/**
 * @param {object} options
 * @param {string} options.dir uploads are kept below it
 * @param {object} options.tls key and certificate, as lib/tls.mjs gives them in `options`
 * @param {import('../lib/clock.mjs').Clock} options.clock
 * @param {object} options.faults
 * @param {import('../lib/secrets.mjs').SecretRegister} options.secrets
 * @param {object} options.random
 * @param {object} [options.control] where /control/qonto is mounted
 * @param {object} options.seed world.qontoSeed
 * @param {{api?: number, oauth?: number, storage?: number}} [options.ports]
 * @param {string[]} [options.redirect_uris] registered ones; any loopback address without
 * @returns {Promise<{api_url: string, oauth_url: string, storage_url: string, client_id: string,
 *   client_secret: string, staging_token: string, api_key: {login: string, secret: string},
 *   close: () => Promise<void>}>}
 */
export async function startQonto(options) {
  const qonto = createParts(options);
  mkdirSync(qonto.store.uploads_dir, { recursive: true, mode: 0o700 });
  const { ports = {}, tls, control } = options;
  const open = (port, handler, operation) => listen({
    port, tls, handler: wrap(handler, operation, options, qonto),
  });
  const listeners = {
    oauth: await open(ports.oauth, createOAuth(qonto), oauthOperation),
    api: await open(ports.api, createApi(qonto),
      (method, path) => findRoute(method, path)?.route.operation),
    storage: await open(ports.storage, createStorage(qonto), () => 'storage.get'),
  };
  qonto.storage_url = () => listeners.storage.url;
  const facts = {
    api_url: listeners.api.url, oauth_url: listeners.oauth.url, storage_url: listeners.storage.url,
    client_id: qonto.client.id,
  };
  const { router, counts } = createQontoControl(qonto);
  control?.mount(PROVIDER, router, () => ({ ...facts, ...counts() }));
  return {
    ...facts, client_secret: qonto.client.secret, staging_token: qonto.staging_token,
    api_key: qonto.api_key,
    close: async () => {
      await Promise.all(Object.values(listeners).map((listener) => listener.close()));
    },
  };
}

/** Everything that the handlers share. Credentials of the application depend on the seed only. */
function createParts({ dir, clock, secrets, random, seed, redirect_uris: redirectUris }) {
  const keys = random.fork('qonto credentials');
  const switches = createSwitches();
  const store = new Store({ clock, random: random.fork('qonto ids'), switches, dir });
  plant(store, seed);
  const note = (kind, value) => {
    secrets.note(`qonto ${kind}`, value);
    return value;
  };
  const newId = () => store.newId();
  return {
    clock, secrets, switches, store,
    client: createClient({
      id: keys.uuid(), secret: note('client secret', keys.base62(40)), redirect_uris: redirectUris,
    }),
    staging_token: note('staging token', keys.base62(32)),
    api_key: { login: store.organization.slug, secret: note('API secret key', keys.hex(32)) },
    storage_key: randomBytes(32),
    grants: new Grants({ clock, secrets, switches, newId }),
    limits: new Limits({ clock, switches }),
    bulkKeys: new Answers(clock),
    headerKeys: new Answers(clock),
  };
}

/** A listener's handler with the request log, the faults and the last resort around it. */
function wrap(handler, operation, { faults, control }, qonto) {
  const describe = (req) => {
    const path = req.url.split('?')[0];
    return { path, method: req.method, operation: operation(req.method, path) };
  };
  const log = control?.requestLogger(PROVIDER, describe) ?? ((req, res, next) => next());
  const commit = faultMiddleware({
    faults: shaped(faults), provider: PROVIDER, describe, hooks: hooks(qonto),
  });
  return (req, res) => {
    req.trace_id = randomBytes(16).toString('hex');
    res.setHeader('X-Tyk-Trace-Id', req.trace_id);
    log(req, res, () => commit(req, res, (fault) => {
      if (fault) return lastResort(req, res, fault);
      return handler(req, res).catch((error) => lastResort(req, res, error));
    }));
  };
}

/** Refusals in Qonto's shape where a rule does not bring a body. */
function shaped(faults) {
  const bodies = { 429: TOO_MANY, '5xx': UNKNOWN };
  return {
    take(provider, descriptor) {
      const rule = faults.take(provider, descriptor);
      if (!rule || !Object.hasOwn(bodies, rule.kind)) return rule;
      return { ...rule, params: { body: bodies[rule.kind], ...rule.params } };
    },
  };
}

/** The faults whose shape is Qonto's own. */
function hooks(qonto) {
  return {
    expired_token(req, res, next) {
      if (req.url.startsWith('/oauth2/token')) {
        return sendJson(res, 400, {
          error: 'invalid_grant', error_description: 'The refresh token expired or was revoked.',
        });
      }
      qonto.grants.expireOne(/^Bearer (\S+)$/i.exec(req.headers.authorization ?? '')?.[1]);
      return next();
    },
    errors_200(req, res, next, { params }) {
      req.bulkErrors = params;
      return next();
    },
  };
}

/** A client that went away is no defect of ours; anything else is one, and is shown. */
function lastResort(req, res, error) {
  if (res.destroyed || req.destroyed) return;
  process.stderr.write(`qonto simulator: ${req.method} ${req.url.split('?')[0]}: ${error.stack}\n`);
  if (res.headersSent) res.destroy();
  else sendJson(res, 500, { ...UNKNOWN, trace_id: req.trace_id });
}
