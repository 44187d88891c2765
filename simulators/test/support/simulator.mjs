// The simulated Stripe in this process, for tests: on free ports, under a fresh authority.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { createClock } from '../../lib/clock.mjs';
import { createControl } from '../../lib/control.mjs';
import { createFaults } from '../../lib/faults.mjs';
import { createSecretRegister } from '../../lib/secrets.mjs';
import { ensureAuthority } from '../../lib/tls.mjs';
import { createWorld } from '../../lib/world.mjs';
import { startStripe } from '../../stripe/server.mjs';

/**
 * @param {{charges?: number, switches?: object}} [options]
 * @returns what a test needs: urls, the parts, `post` and `get` for the control API, `close`
 */
export async function startSimulator({ charges = 40, switches } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'simulator-'));
  const authority = ensureAuthority(dir);
  trust(readFileSync(authority.caFile, 'utf8'));
  const clock = createClock();
  const faults = createFaults();
  const secrets = createSecretRegister();
  const control = createControl({ clock, faults, secrets });
  const world = createWorld({ seed: 7, nowS: clock.nowS(), charges });
  const stripe = await startStripe(
    { tls: authority.options, clock, faults, secrets, control, world });
  const listener = await control.listen();

  const call = async (method, path, body) => {
    const response = await fetch(`${listener.url}/control${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };
  const simulator = {
    stripe, world, clock, faults, secrets, caFile: authority.caFile, controlUrl: listener.url,
    live: world.live,
    sandbox: world.accounts.find((account) => !account.livemode),
    get: (path) => call('GET', path),
    post: (path, body = {}) => call('POST', path, body),
    delete: (path) => call('DELETE', path),
    async close() {
      await Promise.all([stripe.close(), listener.close()]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
  if (switches) await simulator.post('/stripe/switches', switches);
  return simulator;
}

function trust(authority) {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), authority]);
}
