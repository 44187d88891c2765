// A running Qonto for one test file, and a client for it that does what a browser and a careful
// program do, and no more.

import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach } from 'node:test';
import { createClock } from '../../lib/clock.mjs';
import { createControl } from '../../lib/control.mjs';
import { createFaults } from '../../lib/faults.mjs';
import { createRandom } from '../../lib/random.mjs';
import { createSecretRegister } from '../../lib/secrets.mjs';
import { ensureAuthority } from '../../lib/tls.mjs';
import { paper } from '../../qonto/paper.mjs';
import { startQonto } from '../../qonto/server.mjs';
import { SWITCHES } from '../../qonto/switches.mjs';

export const START_MS = Date.UTC(2026, 5, 15, 9, 0, 0);
export const CALLBACK = 'http://127.0.0.1:8080/oauth/qonto/callback';
export const ALL_SCOPES =
  'offline_access organization.read supplier_invoice.read ' +
  'supplier_invoice.write attachment.read attachment.write';

const startS = START_MS / 1000;
const DAY_S = 86_400;

/** Two suppliers, one of each status that matters, and a few bank transactions. */
export const SEED = {
  organization: {
    id: '6b1c3a50-0000-4000-8000-000000000001',
    name: 'Atelier & Fils',
    slug: 'atelier-1234',
    legal_name: 'Atelier & Fils SAS',
    locale: 'fr',
    legal_country: 'FR',
    legal_form: 'SAS',
    legal_number: '81948962600039',
    legal_address: '1 rue du Port, Nantes',
  },
  bank_account: {
    id: '6b1c3a50-0000-4000-8000-000000000002',
    slug: 'atelier-1234-bank-account-1',
    name: 'Compte principal',
    iban: 'FR7616958000010000005663951',
    bic: 'QNTOFRP1XXX',
    currency: 'EUR',
    balance_cents: 123_456,
  },
  supplier_invoices: [
    {
      file_name: 'kestrel-77.pdf',
      supplier_name: 'Kestrel Ltd',
      invoice_number: 'K-77',
      total_amount: { value: '120.00', currency: 'EUR' },
      issue_date: '2026-05-20',
      due_date: '2026-06-20',
      status: 'to_review',
      created_at_s: startS - 20 * DAY_S,
    },
    {
      file_name: 'lumen-12.pdf',
      supplier_name: 'Lumen SARL',
      invoice_number: 'L-12',
      total_amount: { value: '80.50', currency: 'EUR' },
      issue_date: '2026-06-01',
      due_date: null,
      status: 'paid',
      created_at_s: startS - 10 * DAY_S,
    },
    {
      file_name: 'lumen-13.pdf',
      supplier_name: 'Lumen SARL',
      invoice_number: 'L-13',
      total_amount: { value: '9.99', currency: 'USD' },
      issue_date: '2026-06-10',
      due_date: '2026-06-12',
      status: 'scheduled',
      created_at_s: startS - 2 * DAY_S,
      is_einvoice: true,
    },
  ],
  transactions: [
    {
      id: '10000000-0000-4000-8000-000000000001',
      label: 'KESTREL LTD',
      amount_cents: 12_000,
      side: 'debit',
      operation_type: 'transfer',
      emitted_at_s: startS - 5 * DAY_S,
      settled_at_s: startS - 5 * DAY_S,
      reference: 'K-77',
      status: 'completed',
    },
    {
      id: '10000000-0000-4000-8000-000000000002',
      label: 'STRIPE',
      amount_cents: 5_000,
      side: 'credit',
      operation_type: 'income',
      emitted_at_s: startS - 3 * DAY_S,
      settled_at_s: startS - 3 * DAY_S,
      status: 'completed',
    },
    {
      id: '10000000-0000-4000-8000-000000000003',
      label: 'CAFE',
      amount_cents: 450,
      side: 'debit',
      operation_type: 'card',
      emitted_at_s: startS - DAY_S,
      status: 'pending',
    },
  ],
};

/** Start everything; `close` removes what was written. */
export async function startWorld(options = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'qonto-test-'));
  const authority = ensureAuthority(dir);
  const clock = createClock();
  clock.set(START_MS);
  const faults = createFaults();
  const secrets = createSecretRegister();
  const control = createControl({ clock, faults, secrets });
  const qonto = await startQonto({
    dir,
    tls: authority.options,
    clock,
    faults,
    secrets,
    random: createRandom(7),
    control,
    seed: SEED,
    ports: {},
    ...options,
  });
  const controlListener = await control.listen();
  const agent = new https.Agent({ ca: readFileSync(authority.caFile), keepAlive: true });
  const steer = async (path, body) => {
    const answer = await fetch(
      `${controlListener.url}/control/${path}`,
      body === undefined
        ? {}
        : {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
          },
    );
    const json = await answer.json();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${JSON.stringify(json)}`);
    return json;
  };
  return {
    qonto,
    clock,
    faults,
    secrets,
    agent,
    steer,
    control_url: controlListener.url,
    close: async () => {
      agent.destroy();
      await Promise.all([qonto.close(), controlListener.close()]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** One HTTPS exchange; never follows a redirect. */
export function exchange(agent, url, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const req = https.request(url, { method, headers, agent }, (res) => {
      const chunks = [];
      res.on('data', (chunk) => chunks.push(chunk)).on('error', reject);
      res.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const isJson = (res.headers['content-type'] ?? '').startsWith('application/json');
        resolve({
          status: res.statusCode,
          headers: res.headers,
          bytes,
          text: bytes.toString('utf8'),
          json: isJson && bytes.length ? JSON.parse(bytes.toString('utf8')) : null,
        });
      });
    });
    req.on('error', reject);
    req.end(body);
  });
}

/** A browser: keeps cookies, follows redirects until they leave the authorisation server. */
export async function browse(world, start, jar = new Map()) {
  let url = start;
  for (let hop = 0; hop < 10; hop += 1) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await exchange(world.agent, url, { headers: cookie ? { cookie } : {} });
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [name, value] = line.split(';')[0].split('=');
      jar.set(name, value);
    }
    if (![302, 303].includes(answer.status)) return { page: answer, url, jar };
    url = new URL(answer.headers.location, url).href;
    if (!url.startsWith(world.qonto.oauth_url)) return { redirected: new URL(url), jar };
  }
  throw new Error('too many redirects');
}

/** Parameters of an authorisation request, with PKCE. */
export function authorizationRequest(world, changes = {}) {
  const verifier = randomBytes(32).toString('base64url');
  const params = {
    client_id: world.qonto.client_id,
    redirect_uri: CALLBACK,
    response_type: 'code',
    scope: ALL_SCOPES,
    state: randomBytes(24).toString('base64url'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...changes,
  };
  for (const [name, value] of Object.entries(params)) if (value === undefined) delete params[name];
  return {
    verifier,
    params,
    url: `${world.qonto.oauth_url}/oauth2/auth?${new URLSearchParams(params)}`,
  };
}

/** POST a form to the authorisation server, staging header included. */
export function postForm(world, path, fields, headers = {}) {
  return exchange(world.agent, world.qonto.oauth_url + path, {
    method: 'POST',
    body: new URLSearchParams(fields).toString(),
    headers: {
      'Content-Type': 'application/x-www-form-urlencoded',
      'X-Qonto-Staging-Token': world.qonto.staging_token,
      ...headers,
    },
  });
}

export const credentials = (world) => ({
  client_id: world.qonto.client_id,
  client_secret: world.qonto.client_secret,
});

/** The whole walk. @returns the body of the token answer */
export async function connect(world, scope = ALL_SCOPES) {
  const { url, verifier } = authorizationRequest(world, { scope });
  const { redirected } = await browse(world, url);
  const answer = await postForm(world, '/oauth2/token', {
    grant_type: 'authorization_code',
    ...credentials(world),
    redirect_uri: CALLBACK,
    code: redirected.searchParams.get('code'),
    code_verifier: verifier,
  });
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.json;
}

/** @param {string} authorization the whole header value */
export function api(world, authorization, path, options = {}) {
  return exchange(world.agent, world.qonto.api_url + path, {
    ...options,
    headers: {
      Authorization: authorization,
      'X-Qonto-Staging-Token': world.qonto.staging_token,
      ...options.headers,
    },
  });
}

/** @param {[string, string|{name: string, type?: string, bytes: Buffer}][]} parts in order */
export function multipart(parts) {
  const boundary = randomUUID();
  const chunks = parts.flatMap(([name, value]) => {
    const isFile = typeof value === 'object';
    const file = isFile
      ? `; filename="${value.name}"\r\nContent-Type: ${value.type ?? 'application/pdf'}`
      : '';
    return [
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`),
      isFile ? value.bytes : Buffer.from(value),
      Buffer.from('\r\n'),
    ];
  });
  const body = Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)]);
  return {
    method: 'POST',
    body,
    headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
  };
}

export const FILE = 'supplier_invoices[][file]';
export const KEY = 'supplier_invoices[][idempotency_key]';

/** POST …/bulk. @param {[string, any][]} parts */
export function bulk(world, authorization, parts) {
  return api(world, authorization, '/v2/supplier_invoices/bulk', multipart(parts));
}

const DEFAULTS = Object.fromEntries(
  Object.entries(SWITCHES).map(([name, row]) => [name, row.default]),
);

/** A document of a few lines, ready for a form. */
export const pdf = (name, lines = [name]) => ({ name, bytes: paper(lines) });

/**
 * A world for one test file: started before the first test, connected anew before each, without
 * faults and with the switches as they were after each.
 */
export function useQonto() {
  const qonto = {
    world: null,
    token: null,
    api: (path, options) => api(qonto.world, qonto.token, path, options),
    list: (query) => qonto.api(`/v2/supplier_invoices?${new URLSearchParams(query)}`),
    invoice: (id) => qonto.api(`/v2/supplier_invoices/${id}`),
    bulk: (parts) => bulk(qonto.world, qonto.token, parts),
    upload: (name, key = randomUUID()) => qonto.bulk([[FILE, pdf(name)], [KEY, key]]),
    steer: (path, body) => qonto.world.steer(`qonto/${path}`, body),
    counts: () => qonto.steer('counts'),
  };
  before(async () => {
    qonto.world = await startWorld();
  });
  beforeEach(async () => {
    qonto.token = `Bearer ${(await connect(qonto.world)).access_token}`;
  });
  afterEach(async () => {
    qonto.world.faults.clear();
    await qonto.steer('switches', DEFAULTS);
  });
  after(() => qonto.world.close());
  return qonto;
}
