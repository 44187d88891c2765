// Stripe into Qonto, as far as the stories share it: an integration, purchases made now, waiting
// until it rests, and the proof that everything is where it belongs, once.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { until } from '../../../deploy/local/demo/api.mjs';
import { control, site } from './stack.mjs';

/** A first purchase of somebody is just sure enough by the usual thresholds; stories about other things want it to flow. */
const EASY = { flow: 0.5, hold: 0.3 };
const MOVING = ['scoring', 'queued'];
const isOpen = ({ state, item_count: n }) =>
  state === 'scoring' || state === 'delivering' || (state === 'collecting' && n > 0);
const sum = (counts) => Object.values(counts).reduce((total, n) => total + n, 0);

/** A workspace with both providers connected and an integration that starts now. */
export async function integrated({ settings = {}, at: place = site } = {}) {
  const space = await place.workspace();
  const stripe = await space.connect('stripe', 'source');
  const qonto = await space.connect('qonto', 'target');
  const integration = await space.api.expect(201, 'POST', `${space.at}/integrations`, {
    body: {
      name: 'Stripe into Qonto',
      source_connection_id: stripe.id,
      target_connection_id: qonto.id,
      settings: { grace_s: 0, thresholds: EASY, ...settings },
    },
  });
  const flow = { ...space, stripe, qonto, integration };
  await until('the ledger was mirrored', async () => {
    const { ledger, streams } = await statusOf(flow);
    return ledger.refreshed_at && streams.every((stream) => stream.last_pull_at);
  });
  return flow;
}

export const statusOf = ({ api, at, integration }) =>
  api.get(`${at}/integrations/${integration.id}/status`);

/** Nothing more is collected or sent, so that the next story has the providers for itself. */
export async function retire({ api, at, integration }) {
  const path = `${at}/integrations/${integration.id}`;
  const etag = (await api.call('GET', path)).headers.get('etag');
  await api.expect(200, 'PATCH', path, {
    body: { state: 'archived' },
    headers: { 'if-match': etag },
  });
}

const SYLLABLES =
  'ba bri cal cher do drou fa flo gar gui jo kel lan lou mar mont nan nor pal pri quen ros sau ser tal tour val ver yon zel'.split(
    ' ',
  );

/** A name that looks like no other: look-alikes are held, and rightly so. */
function newName() {
  const word = (bytes) => [...bytes].map((byte) => SYLLABLES[byte % SYLLABLES.length]).join('');
  const [first, second] = [word(randomBytes(4)), word(randomBytes(4))];
  return `${first[0].toUpperCase()}${first.slice(1)} ${second[0].toUpperCase()}${second.slice(1)} SARL`;
}

/** A purchase of a company that is known by its VAT number: complete, and unlike any other. */
export function purchase(fields = {}) {
  const mark = randomBytes(4).toString('hex');
  const digits = String(10 ** 10 + (randomBytes(4).readUInt32BE() % 10 ** 9)).slice(1);
  return {
    amount: 5000 + (randomBytes(2).readUInt16BE() % 40000),
    currency: 'eur',
    description: `Order ${mark}`,
    customer: {
      name: newName(),
      email: `accounts@${mark}.example`,
      address: { line1: '1 rue du Port', city: 'Nantes', postal_code: '44000', country: 'FR' },
      taxIds: [{ type: 'eu_vat', value: `FR${digits.padEnd(11, '0')}` }],
    },
    ...fields,
  };
}

/** Buys `count` times at Stripe and asks for a pull; the charges as Stripe knows them. */
export async function buy(flow, count = 1, fields = {}) {
  const charges = await control.post(
    '/control/stripe/charges',
    Array.from({ length: count }, () => purchase(fields)),
  );
  await sync(flow);
  return charges;
}

export const sync = ({ api, at, integration }) =>
  api.expect(202, 'POST', `${at}/integrations/${integration.id}/sync`);

/** Until `least` items are there, none is on its way, no window is open and no answer is looked for. */
export async function rest(flow, { least = 0, seconds = 40 } = {}) {
  let status;
  const still = async () => {
    status = await statusOf(flow);
    const moving = MOVING.some((state) => status.items[state] > 0);
    const uncertain = status.problems.some(({ code }) => code === 'provider_uncertain');
    return sum(status.items) >= least && !moving && !uncertain && !status.windows.some(isOpen);
  };
  try {
    await until(`the integration came to rest with ${least} items`, still, { seconds });
  } catch (error) {
    throw new Error(`${error.message}; ${tell(status)}`, { cause: error });
  }
  return status;
}

/** Why it was decided so, in a few words. */
function reasons({ decision }) {
  if (!decision) return 'not decided';
  const { p, match_p: match, gate_p: gate, policies, candidates, axes, contributions } = decision;
  return JSON.stringify({
    p,
    match,
    gate,
    axes,
    policies: policies.map(({ code }) => code),
    best: candidates
      .slice(0, 2)
      .map(({ p: q, entry }) => `${q} ${entry?.counterparty_name} ${entry?.amount?.decimal}`),
    gate_parts: contributions.map(
      ({ feature, reason, log_odds: odds }) => `${feature} ${reason} ${odds}`,
    ),
  });
}

/** A status in a few words, for failures. */
function tell({ source, target, items, windows, problems, streams }) {
  const some = Object.fromEntries(Object.entries(items).filter(([, n]) => n > 0));
  return JSON.stringify({
    source: source.state,
    target: target.state,
    items: some,
    windows: windows.map(({ kind, state, item_count: n }) => `${kind} ${state} ${n}`),
    streams: streams.map(({ stream, lag_s: lag }) => `${stream} ${lag}`),
    problems: problems.map(({ code, detail }) => `${code}: ${detail}`),
  });
}

/** The item of a source object, once there is one. */
export async function itemOf({ api, at, integration }, sourceId) {
  return until(`${sourceId} was collected`, async () => {
    const items = await api.all(`${at}/items?integration_id=${integration.id}`);
    return items.find(({ source_id: id }) => id === sourceId);
  });
}

export async function itemIn(flow, sourceId, state, seconds = 40) {
  let item;
  try {
    return await until(
      `${sourceId} became ${state}`,
      async () => {
        item = await itemOf(flow, sourceId);
        return item.state === state ? item : null;
      },
      { seconds },
    );
  } catch (error) {
    const why = item && reasons(await flow.api.get(`${flow.at}/items/${item.id}`));
    throw new Error(
      `${error.message}; it is ${item?.state}; ${why}; ${tell(await statusOf(flow))}`,
      { cause: error },
    );
  }
}

export async function deliveriesOf({ api, at }, item) {
  const rows = await api.all(`${at}/deliveries?item_id=${item.id}`);
  return Promise.all(rows.map(({ id }) => api.get(`${at}/deliveries/${id}`)));
}

/** What was lost on the way may still arrive: nobody looked before the longest attempt had ended. */
export function assertLookedLateEnough({ done_at: done, attempts: [{ look_after: after }] }) {
  assert.ok(Date.parse(done) >= Date.parse(after), `looked by ${done}, not after ${after}`);
}

/** What came to Qonto through its API for each of these source ids. */
export async function copiesAtQonto(sourceIds) {
  const { invoices } = await control.get('/control/qonto/invoices?origin=api');
  return sourceIds.map((id) => invoices.filter(({ file_name: name }) => name.includes(id)).length);
}

/** Everything is explained, and each of these reached Qonto exactly once. */
export async function assertOnceAndExplained(flow, sourceIds) {
  const proof = await flow.api.get(`${flow.at}/conservation?integration_id=${flow.integration.id}`);
  assert.equal(proof.unexplained, 0, JSON.stringify(proof.checks));
  const copies = await copiesAtQonto(sourceIds);
  const wrong = sourceIds.map((id, i) => [id, copies[i]]).filter(([, n]) => n !== 1);
  assert.deepEqual(wrong, [], 'not exactly once at Qonto');
  return proof;
}
