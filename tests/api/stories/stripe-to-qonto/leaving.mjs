// Settings change, the audit log is verified, the connections are given back, and renewed.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Browser, sleep, until } from '../../../../deploy/local/demo/api.mjs';
import { authorise, settled } from '../../../../deploy/local/demo/connect.mjs';
import {
  assertOnceAndExplained,
  buy,
  copiesAtQonto,
  itemIn,
  itemOf,
  rest,
  sync,
} from '../../support/flow.mjs';
import { assertRefused } from '../../support/raw.mjs';
import { control, simulators } from '../../support/stack.mjs';
import { acted, flow, ids, itemsNow, queueOf } from './shared.mjs';

describe('settings', () => {
  const path = () => `${flow.at}/integrations/${flow.integration.id}`;
  const patch = async (body) => {
    const etag = (await flow.api.call('GET', path())).headers.get('etag');
    return flow.api.call('PATCH', path(), { body, headers: { 'if-match': etag } });
  };

  test('are versioned, and each field that is sent is replaced whole', async () => {
    const before = await flow.api.get(path());
    const changed = (await patch({ settings: { thresholds: { flow: 0.9, hold: 0.5 } } })).body;
    assert.equal(changed.settings_version, before.settings_version + 1);
    assert.equal(changed.settings.thresholds.flow, 0.9);
    assert.equal(changed.settings.backfill_days, 60);
    const refused = await patch({ settings: { thresholds: { flow: 0.5, hold: 0.9 } } });
    assertRefused(refused, 422, 'field_invalid');
    assert.equal(
      (await patch({ settings: { thresholds: { flow: 0.85, hold: 0.55 } } })).status,
      200,
    );
    assert.deepEqual(ids(await flow.api.all(`${flow.at}/integrations?state=active`)), [
      flow.integration.id,
    ]);
  });

  test('paused, nothing is collected, decided or sent; active again, it catches up', async () => {
    assert.equal((await patch({ state: 'paused' })).body.state, 'paused');
    assertRefused(await flow.api.call('POST', `${path()}/sync`), 409, 'conflict');
    const [charge] = await control.post('/control/stripe/charges', [
      {
        amount: 4200,
        currency: 'eur',
        description: 'While paused',
        customer: { name: 'Paul Pause', email: 'paul@pause.example' },
      },
    ]);
    await sleep(5000); // longer than Stripe is left alone and a window stays open
    assert.ok(!(await itemsNow()).some((it) => it.source_id === charge.id));
    assert.equal((await patch({ state: 'active' })).body.state, 'active');
    await sync(flow);
    await until('it was decided', async () => (await itemOf(flow, charge.id)).band);
    await rest(flow);
  });
});

describe('the audit log', () => {
  test('has every change with who made it, and its chain holds', async () => {
    const verified = await until('everything is sealed', async () => {
      const answer = await flow.api.get(`${flow.at}/audit/verify`);
      return answer.unsealed === 0 ? answer : null;
    });
    assert.equal(verified.intact, true);
    assert.equal(verified.complete, true);
    assert.equal(verified.broken_seq, null);
    const entries = await flow.api.all(`${flow.at}/audit`);
    assert.equal(verified.checked, entries.length);
    const actions = new Set(entries.map(({ action }) => action));
    assert.ok([...actions].some((action) => action.startsWith('workspace.')));
    assert.ok([...actions].some((action) => action.startsWith('integration.')));
    assert.ok(
      [...actions].some((action) => action.startsWith('review.') || action.startsWith('item.')),
      [...actions].join(),
    );
    const mine = await flow.api.all(`${flow.at}/audit?subject_id=${flow.integration.id}`);
    assert.ok(mine.length > 0 && mine.every((it) => it.subject_id === flow.integration.id));
    const part = await flow.api.get(`${flow.at}/audit/verify?from_seq=3`);
    assert.equal(part.checked, entries.length - 2);
  });
});

describe('giving the connections back', () => {
  test('disconnecting revokes at the provider, with a receipt, and stops the flow', async () => {
    const path = `${flow.at}/connections/${flow.stripe.id}`;
    const receipt = await flow.api.expect(200, 'DELETE', path);
    assert.equal(receipt.state, 'disconnected');
    const confirmed = await until('the revocation was confirmed', async () => {
      const again = await flow.api.expect(200, 'DELETE', path);
      return again.revoked.length > 0 && again.revoked.every(({ status }) => status === 'revoked')
        ? again
        : null;
    });
    assert.ok(confirmed.revoked.every(({ http_status: status }) => status >= 200 && status < 300));
    assert.equal(confirmed.disconnected_at, receipt.disconnected_at);
    assert.equal((await flow.api.get(path)).state, 'disconnected');
    assertRefused(
      await flow.api.call('POST', `${flow.at}/integrations/${flow.integration.id}/sync`),
      409,
      'conflict',
    );
  });

  test('the tokens that we held no longer work at Stripe', async () => {
    const { secrets } = await control.get('/control/secrets');
    const tokens = secrets.filter(({ kind }) => kind === 'stripe.AccessToken');
    assert.ok(tokens.length > 0);
    for (const { value } of tokens) {
      const answer = await fetch(simulators.stripe.mcp_url, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${value}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'initialize',
          params: {
            protocolVersion: '2025-11-25',
            capabilities: {},
            clientInfo: { name: 'thief', version: '1' },
          },
        }),
      });
      await answer.arrayBuffer();
      assert.equal(answer.status, 401);
    }
  });

  test('held items stay and can be finished', async () => {
    const [{ item }] = await queueOf();
    await acted(item, 'approve', { create: true });
    await itemIn(flow, item.source_id, 'delivered');
    assert.deepEqual(await copiesAtQonto([item.source_id]), [1]);
  });

  test('reconnecting the same account resumes where it stopped, without doubles', async () => {
    const before = await flow.api.all(`${flow.at}/items?integration_id=${flow.integration.id}`);
    const [missed] = await control.post('/control/stripe/charges', [
      {
        amount: 3100,
        currency: 'eur',
        description: 'While away',
        customer: { name: 'Aline Away', email: 'aline@away.example' },
      },
    ]);
    const again = await flow.api.expect(
      200,
      'POST',
      `${flow.at}/connections/${flow.stripe.id}/reconnect`,
      { body: {} },
    );
    await authorise({ browser: new Browser(), url: again.authorize_url });
    const connection = await settled({ api: flow.api, at: flow.at, id: flow.stripe.id });
    assert.equal(connection.account.id, flow.stripe.account.id);
    await sync(flow);
    await itemOf(flow, missed.id);
    await rest(flow);
    const after = await flow.api.all(`${flow.at}/items?integration_id=${flow.integration.id}`);
    assert.deepEqual(
      after
        .map((it) => it.source_id)
        .filter((id) => id !== missed.id)
        .sort(),
      before.map((it) => it.source_id).sort(),
    );
    await assertOnceAndExplained(
      flow,
      after.filter((it) => it.state === 'delivered').map((it) => it.source_id),
    );
  });

  test('what was new meanwhile flows as before', async () => {
    const [charge] = await buy(flow);
    await itemIn(flow, charge.id, 'delivered');
    await assertOnceAndExplained(flow, [charge.id]);
  });

  test('in the end it is archived, for good', async () => {
    const path = `${flow.at}/integrations/${flow.integration.id}`;
    const etag = (await flow.api.call('GET', path)).headers.get('etag');
    const archived = await flow.api.call('PATCH', path, {
      body: { state: 'archived' },
      headers: { 'if-match': etag },
    });
    assert.equal(archived.status, 200);
    assertRefused(
      await flow.api.call('PATCH', path, {
        body: { state: 'active' },
        headers: { 'if-match': archived.headers.get('etag') },
      }),
      409,
      'conflict',
    );
    assert.ok(Array.isArray((await flow.api.get(`${flow.at}/notifications`)).data));
  });
});
