// Stripe and Qonto are connected, as a person does it and as nobody should be able to.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Browser } from '../../../../deploy/local/demo/api.mjs';
import { assertRefused } from '../../support/raw.mjs';
import { anybody, control, workspace } from '../../support/stack.mjs';
import { flow, ids } from './shared.mjs';

describe('connecting', () => {
  before(async () => Object.assign(flow, await workspace({ language: 'en' })));

  test('Stripe: a client is registered on the fly, a person consents and chooses the live account', async () => {
    flow.stripe = await flow.connect('stripe', 'source');
    assert.equal(flow.stripe.livemode, true);
    assert.deepEqual(flow.stripe.roles, ['source']);
    assert.ok(flow.stripe.account.id.startsWith('acct_'));
    assert.equal(flow.stripe.authorize_url, null, 'the link is told once');
    assert.equal(flow.stripe.need, null);
  });

  test('Qonto: its account is known and its access expires', async () => {
    flow.qonto = await flow.connect('qonto', 'target');
    assert.equal(flow.qonto.state, 'enabled');
    assert.ok(Date.parse(flow.qonto.access_expires_at) > Date.now());
    assert.ok(flow.qonto.scopes.includes('supplier_invoice.write'));
  });

  test('a link works once, in one browser, and for a quarter of an hour', async () => {
    const asked = await flow.api.expect(201, 'POST', `${flow.at}/connections`, {
      body: { provider: 'qonto', role: 'target', label: 'twice' },
    });
    const life = Date.parse(asked.authorize_expires_at) - Date.now();
    assert.ok(life > 14 * 60_000 && life < 16 * 60_000);
    const walk = new Browser();
    const stopped = await walk.authorise(asked.authorize_url, { stopAt: /\/oauth\/qonto\/callback/ });
    const elsewhere = await new Browser().open(stopped.url);
    assert.equal(elsewhere.status, 400, 'a callback in another browser is refused');
    assert.doesNotMatch(elsewhere.text, /code=/);
    assert.equal((await new Browser().authorise(asked.authorize_url)).status, 400, 'the link was used');
    const waiting = await flow.api.get(`${flow.at}/connections/${asked.id}`);
    assert.equal(waiting.state, 'to_configure');
    assert.equal(waiting.need.action, 'authorise');
    await flow.api.expect(200, 'DELETE', `${flow.at}/connections/${asked.id}`);
  });

  test('a consent that is denied says so and can be tried again', async () => {
    await control.post('/control/stripe/switches', { consent: 'deny' });
    const asked = await flow.api.expect(201, 'POST', `${flow.at}/connections`, {
      body: { provider: 'stripe', role: 'source', return_url: 'https://app.example.com/connected' },
    });
    const ended = await new Browser().authorise(asked.authorize_url, {
      stopAt: /^https:\/\/app\.example\.com/,
    });
    await control.post('/control/stripe/switches', { consent: 'approve' });
    const outcome = new URL(ended.url).searchParams;
    assert.equal(outcome.get('outcome'), 'denied');
    assert.equal(outcome.get('connection_id'), asked.id);
    assert.equal(outcome.get('code'), null, 'no code of the provider is passed on');
    await flow.api.expect(200, 'DELETE', `${flow.at}/connections/${asked.id}`);
  });

  test('a return URL of somebody else is refused', async () => {
    assertRefused(
      await flow.api.call('POST', `${flow.at}/connections`, {
        body: { provider: 'stripe', role: 'source', return_url: 'https://evil.example/' },
      }),
      422,
      'field_invalid',
      'return_url',
    );
  });

  test('each stands in the list, and can be filtered', async () => {
    const enabled = await flow.api.all(`${flow.at}/connections?state=enabled`);
    assert.deepEqual(ids(enabled).sort(), [flow.stripe.id, flow.qonto.id].sort());
    const stripes = await flow.api.all(`${flow.at}/connections?provider=stripe&state=enabled`);
    assert.deepEqual(ids(stripes), [flow.stripe.id]);
  });

  test('the catalogue says what each can do, and what it cannot', async () => {
    const { data } = await anybody.get('/v1/providers');
    const qonto = data.find(({ provider }) => provider === 'qonto');
    assert.equal(qonto.target.create, true);
    assert.equal(qonto.target.update, false);
    assert.ok(qonto.notes.length > 0);
    assert.equal(data.find(({ provider }) => provider === 'stripe').target, null);
  });
});
