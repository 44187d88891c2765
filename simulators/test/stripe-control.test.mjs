import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { authorise } from './support/client.mjs';
import { startSimulator } from './support/simulator.mjs';

describe('the control API of the simulated Stripe', () => {
  let simulator;
  before(async () => {
    simulator = await startSimulator();
  });
  after(() => simulator.close());
  const truthOf = async (id) => (await simulator.get('/stripe/truth')).body.truth
    .find((line) => line.source_id === id);

  test('an injected charge brings customer, intent and balance transaction, now', async () => {
    const { status, body: charge } = await simulator.post('/stripe/charges', {
      amount: 12_345, currency: 'eur', description: 'Invoice 77',
      customer: { name: 'Café Zoé SARL', email: 'zoe@cafe.example',
        taxIds: [{ type: 'fr_siren', value: '404833048' }] },
    });
    assert.equal(status, 201);
    assert.ok(Math.abs(charge.created - simulator.clock.nowS()) <= 1);
    assert.equal(simulator.live.list('charge')[0].id, charge.id);
    assert.equal(charge.billing_details.name, 'Café Zoé SARL');
    assert.equal(simulator.live.get(charge.customer).email, 'zoe@cafe.example');
    assert.equal(simulator.live.get(charge.balance_transaction).amount, 12_345);
    const { why, ...line } = await truthOf(charge.id);
    assert.deepEqual(line,
      { source_id: charge.id, kind: 'charge', expected: 'create', difficulty: 'sure' });
  });

  test('several at once, also in the sandbox', async () => {
    const { body } = await simulator.post('/stripe/charges',
      [{ amount: 100 }, { amount: 200, account: simulator.sandbox.id }]);
    assert.deepEqual(body.map((it) => it.livemode), [true, false]);
  });

  test('a pending charge that succeeds settles and enters the truth', async () => {
    const { body: charge } = await simulator.post('/stripe/charges',
      { amount: 900, status: 'pending', method: 'sepa_debit' });
    assert.equal(charge.balance_transaction, null);
    assert.equal(await truthOf(charge.id), undefined);
    const { body: moved } = await simulator.post(`/stripe/objects/${charge.id}`,
      { status: 'succeeded' });
    assert.equal(moved.paid, true);
    const money = simulator.live.get(moved.balance_transaction);
    assert.equal(money.source, charge.id);
    assert.ok(await truthOf(charge.id));
  });

  test('capturing a held charge settles it', async () => {
    const { body: charge } = await simulator.post('/stripe/charges',
      { amount: 700, captured: false });
    assert.equal(simulator.live.get(charge.payment_intent).status, 'requires_capture');
    const { body: moved } = await simulator.post(`/stripe/objects/${charge.id}`,
      { captured: true });
    assert.equal(moved.amount_captured, 700);
    assert.ok(moved.balance_transaction);
    assert.equal(simulator.live.get(charge.payment_intent).status, 'succeeded');
  });

  test('a refund that fails later gives the money back', async () => {
    const { body: charge } = await simulator.post('/stripe/charges', { amount: 1000 });
    const { body: refund } = await simulator.post('/stripe/refunds',
      { charge: charge.id, amount: 400 });
    assert.equal(simulator.live.get(charge.id).amount_refunded, 400);
    assert.equal((await truthOf(refund.id)).kind, 'refund');
    const { body: failed } = await simulator.post(`/stripe/objects/${refund.id}`,
      { status: 'failed' });
    assert.equal(simulator.live.get(failed.failure_balance_transaction).amount, 400);
    assert.equal(simulator.live.get(charge.id).amount_refunded, 0);
    assert.equal(await truthOf(refund.id), undefined);
  });

  test('what makes no sense is refused with a reason', async () => {
    const refused = async (path, body, words) => {
      const answer = await simulator.post(path, body);
      assert.equal(answer.status, 400, JSON.stringify(answer.body));
      assert.match(answer.body.error, words);
    };
    await refused('/stripe/charges', { amount: -1 }, /amount/);
    await refused('/stripe/charges', { amount: 1, status: 'odd' }, /status/);
    await refused('/stripe/charges', { amount: 1, customer: 'cus_x' }, /No such customer/);
    await refused('/stripe/charges', { amount: 1, account: 'acct_x' }, /no account/);
    await refused('/stripe/refunds', { charge: 'ch_x' }, /No such charge/);
    await refused('/stripe/switches', { response: 'xml' }, /response/);
    await refused('/stripe/switches', { colour: 'red' }, /colour/);
    await refused('/clock', { now_ms: 1, advance_s: 1 }, /exactly one/);
    await refused('/faults', { provider: 'stripe', kind: 'odd' }, /kind/);
    const [charge] = simulator.live.list('charge');
    await refused(`/stripe/objects/${charge.id}`, { created: 1 }, /never changes/);
    assert.equal((await simulator.post('/stripe/objects/ch_x', {})).status, 404);
    assert.equal((await simulator.get('/stripe/nothing')).status, 404);
  });

  test('the clock is set and moved for everyone', async () => {
    const at = Date.UTC(2030, 5, 1);
    assert.ok((await simulator.post('/clock', { now_ms: at })).body.now_ms - at < 1000);
    await simulator.post('/clock', { advance_s: 60 });
    const { body } = await simulator.get('/state');
    assert.ok(body.now_ms - at >= 60_000);
    assert.equal(body.providers.stripe.issuer, simulator.stripe.issuer);
  });

  test('requests are logged without secrets', async () => {
    await simulator.delete('/requests');
    const { tokens, callback } = await authorise(simulator.stripe);
    const { body } = await simulator.get('/requests?provider=stripe');
    const paths = body.requests.map((entry) => `${entry.method} ${entry.path} ${entry.status}`);
    assert.ok(paths.includes('POST / 401'));
    assert.ok(paths.includes('POST /mcp/oauth2/token 200'));
    const text = JSON.stringify(body);
    for (const secret of [tokens.access_token, tokens.refresh_token, callback.code]) {
      assert.ok(!text.includes(secret));
    }
    assert.deepEqual((await simulator.get('/requests?provider=qonto')).body.requests, []);
  });
});
