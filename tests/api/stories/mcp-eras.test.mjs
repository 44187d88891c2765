// Stripe's MCP server speaks one era of the protocol or the other, and may change it under way:
// nobody who uses Sluice sees the difference.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '../../../deploy/local/demo/api.mjs';
import { assertOnceAndExplained, buy, integrated, itemIn, rest, retire } from '../support/flow.mjs';
import { control } from '../support/stack.mjs';

const MODERN = '2026-07-28';
const LEGACY = '2025-11-25';
const switches = (values) => control.post('/control/stripe/switches', values);
const forgetRequests = () => control.delete('/control/requests');
/** What came to the MCP endpoint since the requests were forgotten. */
const calls = async () => {
  const { requests } = await control.get('/control/requests?provider=stripe');
  return requests.filter(({ path }) => path === '/');
};
const readsOf = async () => (await calls()).filter(({ tool }) => tool === 'stripe_api_read');
const sessions = async () => (await control.get('/control/state')).providers.stripe.sessions;

let flow;
before(async () => {
  await switches({ era: 'modern' });
  await control.post('/control/stripe/drop_sessions'); // those of other stories
  await forgetRequests();
  flow = await integrated();
});
after(async () => {
  await switches({ era: 'legacy', sessions: true, response: 'sse', param_headers: false,
    input_required: 'off' });
  if (flow) await retire(flow);
});

/** What is bought now arrives, read in that revision. */
async function flows(revision) {
  await forgetRequests();
  const [charge] = await buy(flow);
  await itemIn(flow, charge.id, 'delivered');
  const reads = (await readsOf()).filter(({ status }) => status === 200);
  assert.ok(reads.length > 0);
  assert.equal(reads.at(-1).revision, revision);
  await assertOnceAndExplained(flow, [charge.id]);
}

describe('the era of MCP', () => {
  test('a modern server is connected and read without a handshake or a session', async () => {
    const said = await calls();
    const { tool } = said.find((call) => call.tool === 'list_available_accounts_or_orgs');
    assert.ok(tool);
    assert.ok(said.every(({ method, revision }) => method !== 'GET' && revision !== LEGACY));
    await flows(MODERN);
    assert.equal(await sessions(), 0);
  });

  for (const [name, form, revision] of [
    ['answers become JSON', { response: 'json' }, MODERN],
    ['headers are to repeat the account', { param_headers: true }, MODERN],
    ['the server goes back to the legacy era', { era: 'legacy', param_headers: false }, LEGACY],
    ['without sessions', { sessions: false }, LEGACY],
    ['and forward again', { era: 'modern', sessions: true, response: 'sse' }, MODERN],
  ]) {
    test(`under way: ${name}`, async () => {
      await switches(form);
      await control.post('/control/stripe/drop_sessions');
      await flows(revision);
    });
  }

  test('a call that wants a person first is told, and what waited for it is not lost', async () => {
    await switches({ input_required: 'person' });
    const [charge] = await buy(flow);
    const connection = () => flow.api.get(`${flow.at}/connections/${flow.stripe.id}`);
    await until('the connection tells', async () => (await connection()).state === 'degraded');
    const problems = await flow.api.all(`${flow.at}/problems`);
    const { title, detail, connection_id: whose } = problems.find(({ code }) => code === 'provider_approval');
    assert.equal(whose, flow.stripe.id);
    assert.match(`${title} ${detail}`, /Stripe wants a person to answer/);
    await switches({ input_required: 'off' });
    await itemIn(flow, charge.id, 'delivered', 90);
    await rest(flow);
  });
});
