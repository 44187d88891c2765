// Starts every simulated provider and the control API, and tells where in DIR/simulators.json.
//
//   node main.mjs --dir DIR [--seed N] [--charges N] [--days N] [--ports FIRST]

import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createClock } from './lib/clock.mjs';
import { createControl } from './lib/control.mjs';
import { createFaults } from './lib/faults.mjs';
import { createRandom } from './lib/random.mjs';
import { createSecretRegister } from './lib/secrets.mjs';
import { ensureAuthority } from './lib/tls.mjs';
import { createWorld } from './lib/world.mjs';
import { startQonto } from './qonto/server.mjs';
import { startStripe } from './stripe/server.mjs';

/** A listener that does not close in this time is left behind. */
const CLOSE_MS_MAX = 800;
const PORT_NAMES = ['control', 'mcp', 'oauth', 'qonto_api', 'qonto_oauth', 'qonto_storage'];

function readArguments() {
  const { values } = parseArgs({
    options: {
      dir: { type: 'string' },
      seed: { type: 'string', default: '1' },
      charges: { type: 'string', default: '60' },
      days: { type: 'string', default: '45' },
      ports: { type: 'string', default: '0' },
    },
  });
  if (!values.dir) throw new TypeError('--dir is needed');
  const whole = (name) => {
    if (!/^\d{1,9}$/.test(values[name])) throw new TypeError(`--${name} must be a whole number`);
    return Number(values[name]);
  };
  return { dir: resolve(values.dir), seed: whole('seed'), charges: whole('charges'),
    days: whole('days'), firstPort: whole('ports') };
}

/** Free ports, or six in a row from the first. */
function choosePorts(first) {
  return Object.fromEntries(
    PORT_NAMES.map((name, index) => [name, first === 0 ? 0 : first + index]));
}

async function start({ dir, seed, charges, days, firstPort }) {
  mkdirSync(dir, { recursive: true });
  const ports = choosePorts(firstPort);
  const authority = ensureAuthority(dir);
  const clock = createClock();
  const faults = createFaults();
  const secrets = createSecretRegister();
  const control = createControl({ clock, faults, secrets });
  const world = createWorld({ seed, nowS: clock.nowS(), charges, days });
  const shared = { tls: authority.options, clock, faults, secrets, control };

  const stripe = await startStripe({ ...shared, world,
    ports: { mcp: ports.mcp, oauth: ports.oauth } });
  const qonto = await startQonto({ ...shared, dir, random: createRandom(seed).fork('qonto server'),
    seed: world.qontoSeed,
    ports: { api: ports.qonto_api, oauth: ports.qonto_oauth, storage: ports.qonto_storage } });
  const controlListener = await control.listen(ports.control);
  const { close: closeStripe, ...stripeUrls } = stripe;
  const { close: closeQonto, ...qontoUrls } = qonto;
  return {
    report: {
      control_url: controlListener.url,
      stripe: stripeUrls,
      qonto: qontoUrls,
      ca_file: authority.caFile,
      pid: process.pid,
    },
    close: () => Promise.all([controlListener.close(), closeStripe(), closeQonto()]),
  };
}

/** Whoever waits for the file never reads half of it. Readable by the owner: it holds secrets. */
function writeReport(dir, report) {
  const target = join(dir, 'simulators.json');
  writeFileSync(`${target}.part`, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${target}.part`, target);
}

function stopOnSignal(close) {
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(0), CLOSE_MS_MAX).unref();
    close().then(() => process.exit(0), (error) => {
      console.error(error);
      process.exit(1);
    });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function argumentsOrExit() {
  try {
    return readArguments();
  } catch (error) {
    console.error(error.message);
    return process.exit(2);
  }
}

const options = argumentsOrExit();
const simulators = await start(options);
stopOnSignal(simulators.close);
writeReport(options.dir, simulators.report);
const { control_url: controlUrl, stripe, qonto } = simulators.report;
console.log(`control  ${controlUrl}`);
console.log(`stripe   mcp ${stripe.mcp_url}   authorisation ${stripe.issuer}`);
console.log(`qonto    api ${qonto.api_url}   authorisation ${qonto.oauth_url}`);
