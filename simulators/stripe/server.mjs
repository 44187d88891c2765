// Starts the simulated Stripe: two listeners, because the issuer of its tokens is another origin
// than the server that takes them.

import { randomBytes } from 'node:crypto';
import { faultMiddleware } from '../lib/faults.mjs';
import { listen } from '../lib/listen.mjs';
import { createAuthorizationServer } from './authorization-server.mjs';
import { createStripeControl } from './control.mjs';
import { createResourceServer, describeMcp } from './resource-server.mjs';
import { createSessions } from './sessions.mjs';
import { createSwitches } from './switches.mjs';
import { createTokenStore } from './token-store.mjs';

const PROVIDER = 'stripe';

/**
 * @param {object} parts
 * @param {object} parts.tls the `options` of ensureAuthority
 * @param {object} parts.clock
 * @param {object} parts.faults
 * @param {object} parts.secrets
 * @param {object} parts.control createControl(), not listening yet
 * @param {object} parts.world createWorld()
 * @param {{mcp?: number, oauth?: number}} [parts.ports] 0 takes free ones
 * @returns {Promise<{mcp_url: string, issuer: string, close: () => Promise<void>}>}
 */
export async function startStripe({ tls, clock, faults, secrets, control, world, ports = {} }) {
  const switches = createSwitches();
  // The URLs hold ports that are known only once the listeners stand: handlers follow.
  const apps = {};
  const starting = (name) => (req, res) => (apps[name] ? apps[name](req, res) : res.destroy());
  const [rs, as] = await Promise.all([
    listen({ handler: starting('rs'), port: ports.mcp ?? 0, tls }),
    listen({ handler: starting('as'), port: ports.oauth ?? 0, tls }),
  ]);

  const store = createTokenStore({
    clock, secrets, onGrantEnded: (grantId) => sessions.drop((it) => it.grantId === grantId),
  });
  const toolWorld = {
    accounts: world.accounts,
    factories: world.factories,
    clock,
    switches: switches.values,
    approvals: new Set(),
    reconsentOrigin: as.url,
    newId: () => randomBytes(12).toString('hex'),
  };
  const sessions = createSessions(toolWorld);
  const log = control.requestLogger(PROVIDER, describeMcp);
  const authorization = createAuthorizationServer({
    origin: as.url,
    resource: rs.url,
    switches: switches.values,
    store,
    middleware: [log, faultMiddleware({ faults, provider: PROVIDER })],
  });
  apps.as = authorization.app;
  apps.rs = createResourceServer({
    resource: rs.url,
    issuer: authorization.issuer,
    world: toolWorld,
    sessions,
    findAccessToken: authorization.findAccessToken,
    log,
    faultsWith: (hooks) => faultMiddleware({
      faults, provider: PROVIDER, describe: describeMcp, hooks,
    }),
  });

  const urls = { mcp_url: rs.url, issuer: authorization.issuer };
  control.mount(PROVIDER, createStripeControl({ world, clock, switches, store, sessions }), () => ({
    ...urls,
    sessions: sessions.count(),
    streams: sessions.streams(),
    tokens: store.counts(),
    accounts: world.accounts.map(({ id, livemode, name }) => ({ id, livemode, name })),
  }));
  return {
    ...urls,
    async close() {
      await sessions.close();
      await Promise.all([rs.close(), as.close()]);
    },
  };
}
