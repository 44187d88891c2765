import assert from 'node:assert/strict';
import https from 'node:https';
import { after, afterEach, before, describe, test } from 'node:test';
import { INITIALIZE, authorise, refresh, rpc } from './support/client.mjs';
import { startSimulator } from './support/simulator.mjs';

describe('faults that the simulated Stripe commits', () => {
  let simulator;
  let granted;
  let session;
  before(async () => {
    simulator = await startSimulator();
    granted = await authorise(simulator.stripe);
    const opened = await rpc(simulator.stripe.mcp_url, granted.tokens.access_token, 'initialize',
      INITIALIZE);
    session = { 'mcp-session-id': opened.headers.get('mcp-session-id') };
  });
  after(() => simulator.close());
  afterEach(() => simulator.delete('/faults'));

  const fault = (kind, params, more) => simulator.post('/faults',
    { provider: 'stripe', kind, params, match: { operation: 'GetCharges' }, ...more });
  const read = (operation = 'GetCharges', parameters = {}) => (
    rpc(simulator.stripe.mcp_url, granted.tokens.access_token, 'tools/call', {
      name: 'stripe_api_read',
      arguments: { stripe_api_operation_id: operation, parameters,
        stripe_context: simulator.live.id, livemode: true },
    }, session));
  const write = (charge) => (
    rpc(simulator.stripe.mcp_url, granted.tokens.access_token, 'tools/call', {
      name: 'stripe_api_write',
      arguments: { stripe_api_operation_id: 'PostRefunds', parameters: { charge, amount: 1 },
        stripe_context: simulator.live.id, livemode: true },
    }, session));
  const refundable = () => simulator.live.list('charge')
    .find((it) => it.captured && it.status === 'succeeded' && it.amount_refunded === 0).id;
  const works = async () => assert.match(await (await read()).text(), /"result"/);

  test('429 with and without Retry-After, then all is well', async () => {
    await fault('429', { retry_after: 7 });
    const told = await read();
    assert.deepEqual([told.status, told.headers.get('retry-after')], [429, '7']);
    await fault('429');
    const untold = await read();
    assert.deepEqual([untold.status, untold.headers.get('retry-after')], [429, null]);
    await works();
  });

  test('a rule for one operation leaves the others alone', async () => {
    await fault('429', {}, { times: 0 });
    assert.equal((await read('GetRefunds')).status, 200);
    assert.equal((await read()).status, 429);
  });

  test('5xx before and after execution', async () => {
    await fault('5xx', { status: 502, body: 'bad gateway', content_type: 'text/plain' });
    const before = await read();
    assert.deepEqual([before.status, await before.text()], [502, 'bad gateway']);
    const charge = refundable();
    await fault('5xx', { execute: true }, { match: { operation: 'PostRefunds' } });
    assert.equal((await write(charge)).status, 503);
    assert.equal(simulator.live.get(charge).amount_refunded, 1);
  });

  test('slow', async () => {
    await fault('slow', { ms: 300 });
    const started = Date.now();
    assert.equal((await read()).status, 200);
    assert.ok(Date.now() - started >= 290);
  });

  test('cut before: nothing was done; cut in the middle: half of the answer', async () => {
    const charge = refundable();
    const match = { operation: 'PostRefunds' };
    await fault('cut', {}, { match });
    await assert.rejects(write(charge));
    assert.equal(simulator.live.get(charge).amount_refunded, 0);
    await fault('cut', { at: 'middle' }, { match });
    const half = await write(charge);
    assert.equal(half.status, 200);
    await assert.rejects(half.text());
    assert.equal(simulator.live.get(charge).amount_refunded, 1);
  });

  test('lost answer: executed, and nobody hears of it', async () => {
    const charge = refundable();
    await fault('lost_answer', {}, { match: { operation: 'PostRefunds' } });
    await assert.rejects(write(charge));
    assert.equal(simulator.live.get(charge).amount_refunded, 1);
    const { body } = await simulator.get('/requests?provider=stripe');
    const { operation, tool, status } = body.requests.at(-1);
    assert.deepEqual([operation, tool, status], ['PostRefunds', 'stripe_api_write', null]);
  });

  test('a page of HTML, a wrong type, a redirect', async () => {
    await fault('html');
    const page = await read();
    assert.match(page.headers.get('content-type'), /^text\/html/);
    assert.match(await page.text(), /^<!doctype html>/);
    await fault('wrong_type', { content_type: 'image/png' });
    assert.equal((await read()).headers.get('content-type'), 'image/png');
    await fault('redirect', { status: 307, location: 'https://elsewhere.example/' });
    const moved = await read();
    assert.deepEqual([moved.status, moved.headers.get('location')],
      [307, 'https://elsewhere.example/']);
  });

  test('a huge answer goes on until the reader leaves', async () => {
    await fault('huge', { mib: 3 });
    const answer = await read();
    let bytes = 0;
    for await (const chunk of answer.body) bytes += chunk.length;
    assert.ok(bytes > 3 << 20);
    await fault('huge', { mib: 1000 });
    const left = await read();
    await left.body.cancel();
    await works();
  });

  test('half an event ends in an orderly way without its end', async () => {
    await fault('half_event');
    const answer = await read();
    assert.match(answer.headers.get('content-type'), /^text\/event-stream/);
    const text = await answer.text();
    assert.match(text, /data: \{/);
    assert.ok(!text.endsWith('\n\n'));
  });

  test('an expired token is a challenge, an error in words is a result', async () => {
    await fault('expired_token');
    const refused = await read();
    assert.equal(refused.status, 401);
    assert.match(refused.headers.get('www-authenticate'), /^Bearer resource_metadata=https/);
    const words = "Your API key does not have the required permissions for 'GetCharges'.";
    await fault('tool_error', { text: words });
    const { result } = await (await read()).json();
    assert.deepEqual(result, { isError: true, content: [{ type: 'text', text: words }] });
  });

  test('the token endpoint too: the answer to a refresh is lost and the grant with it',
    async () => {
      const { server, clientId, resource, tokens } = await authorise(simulator.stripe);
      await fault('lost_answer', {}, { match: { path: '/mcp/oauth2/token' } });
      await assert.rejects(refresh(server, clientId, resource, tokens.refresh_token));
      const again = await refresh(server, clientId, resource, tokens.refresh_token);
      assert.equal(again.body.error, 'invalid_grant');
    });

  test('nothing older than TLS 1.3 is spoken', async () => {
    const old = new Promise((resolve, reject) => {
      https.get(simulator.stripe.mcp_url, { maxVersion: 'TLSv1.2' }, resolve).on('error', reject);
    });
    await assert.rejects(old, /protocol version|EPROTO|ECONNRESET/i);
  });
});
