// Connections when something is not as it should be: a wrong issuer, a provider that is away, a choice
// of accounts, two connections to one account, credentials that are refused, a revocation that
// cannot be told; and integrations that cannot be made.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Browser, formOf, until } from '../../../deploy/local/demo/api.mjs';
import { authorise, settled } from '../../../deploy/local/demo/connect.mjs';
import { integrated, rest, retire, statusOf, sync } from '../support/flow.mjs';
import { assertRefused } from '../support/raw.mjs';
import { anybody, base, control, workspace } from '../support/stack.mjs';

const FRONTEND = 'https://app.example.com/connected';
const atFrontend = { stopAt: /^https:\/\/app\.example\.com/ };
const switches = (values) => control.post('/control/stripe/switches', values);
const clearFaults = () => control.delete('/control/faults');

const ask = (space, provider, role, fields = {}) => space.api.expect(201, 'POST', `${space.at}/connections`, {
  body: { provider, role, ...fields },
});
const look = (space, id) => space.api.get(`${space.at}/connections/${id}`);
const inState = (space, id, state, seconds = 30) => until(`the connection became ${state}`, async () => {
  const connection = await look(space, id);
  return connection.state === state ? connection : null;
}, { seconds });
async function outcomeOf(url) {
  const ended = await new Browser().authorise(url, atFrontend);
  return Object.fromEntries(new URL(ended.url).searchParams);
}

let space;
before(async () => {
  space = await workspace({ language: 'fr' });
});
after(clearFaults);

describe('asking for a connection', () => {
  test('needs a provider that there is, in a role that it has', async () => {
    const post = (body) => space.api.call('POST', `${space.at}/connections`, { body });
    assertRefused(await post({ provider: 'stripe', role: 'target' }), 422, 'field_invalid', 'role');
    assertRefused(await post({ provider: 'nobody', role: 'source' }), 422, 'field_invalid', 'provider');
    assertRefused(await post({ provider: 'stripe' }), 422, 'field_missing', 'role');
    assertRefused(await post({ provider: 'stripe', role: 'source', return_url: 'https://app.example.com.evil.example/' }),
      422, 'field_invalid', 'return_url');
    assertRefused(await post({ provider: 'stripe', role: 'source', return_url: 'https://x@app.example.com/' }),
      422, 'field_invalid', 'return_url');
    assert.deepEqual(await space.api.all(`${space.at}/connections`), []);
  });

  test('servers may read who we are, where they take that for a registration', async () => {
    const client = await anybody.get('/oauth/stripe/client');
    assert.equal(client.client_id, `${base}/oauth/stripe/client`);
    assert.deepEqual(client.redirect_uris, [`${base}/oauth/stripe/callback`]);
    assertRefused(await anybody.call('GET', '/oauth/qonto/client'), 404, 'not_found');
  });

  test('what looks at a link ahead of the person does not spend it', async () => {
    const asked = await ask(space, 'qonto', 'target');
    assert.equal((await fetch(asked.authorize_url, { method: 'HEAD', redirect: 'manual' })).status, 200);
    assert.equal((await new Browser().open(asked.authorize_url)).status, 200);
    const browser = new Browser();
    const { action, fields } = formOf((await browser.open(asked.authorize_url)).text);
    const { answer } = await browser.visit(action, fields);
    assert.equal(answer.status, 303);
    assert.match(answer.headers.get('set-cookie'), /^sluice_oauth_\w+=[\w-]{43}; Path=\/; .*HttpOnly; SameSite=Lax$/);
    const sent = new URL(answer.headers.get('location')).searchParams;
    assert.equal(sent.get('code_challenge_method'), 'S256');
    assert.ok(sent.get('state').length >= 43);
    await space.api.expect(200, 'DELETE', `${space.at}/connections/${asked.id}`);
  });

  test('a link of one provider opens no other one', async () => {
    const asked = await ask(space, 'qonto', 'target');
    assert.equal((await fetch(asked.authorize_url.replace('/qonto/', '/stripe/'), { redirect: 'manual' })).status, 400);
    assert.equal((await fetch(`${base}/oauth/nobody/start?attempt=${'x'.repeat(40)}`, { redirect: 'manual' })).status, 404);
    await space.api.expect(200, 'DELETE', `${space.at}/connections/${asked.id}`);
  });
});

describe('coming back from the provider', () => {
  test('another issuer is refused, and nothing that it sent is shown or used', async () => {
    const asked = await ask(space, 'stripe', 'source', { return_url: FRONTEND });
    await switches({ callback_iss: 'wrong' });
    const page = await new Browser().authorise(asked.authorize_url, atFrontend);
    await switches({ callback_iss: 'right' });
    assert.equal(page.status, 400);
    assert.match(page.url, /\/oauth\/stripe\/callback/);
    assert.doesNotMatch(page.text, /iss|code|state/);
    assert.equal((await look(space, asked.id)).state, 'to_configure');
    assert.equal((await new Browser().open(page.url)).status, 400, 'the state was spent');
    await space.api.expect(200, 'DELETE', `${space.at}/connections/${asked.id}`);
  });

  test('without an issuer where one was promised it is refused', async () => {
    await switches({ callback_iss: 'none', callback_iss_advertised: true });
    const asked = await ask(space, 'stripe', 'source', { return_url: FRONTEND });
    const page = await new Browser().authorise(asked.authorize_url, atFrontend);
    await switches({ callback_iss: 'right', callback_iss_advertised: false });
    assert.equal(page.status, 400);
    await space.api.expect(200, 'DELETE', `${space.at}/connections/${asked.id}`);
  });

  test('a parameter that comes twice is refused', async () => {
    const asked = await ask(space, 'qonto', 'target');
    const browser = new Browser();
    const stopped = await browser.authorise(asked.authorize_url, { stopAt: /\/oauth\/qonto\/callback/ });
    assert.equal((await browser.open(`${stopped.url}&code=another`)).status, 400);
    assert.equal((await browser.open(stopped.url)).status, 200, 'it was not spent by that');
    await inState(space, asked.id, 'enabled');
    await space.api.expect(200, 'DELETE', `${space.at}/connections/${asked.id}`);
  });

  test('a provider that is away says so at the frontend, and a new try works', async () => {
    await control.fault({ provider: 'stripe', match: { method: 'POST', path: '/' }, kind: '5xx', times: 1 });
    const asked = await ask(space, 'stripe', 'source', { return_url: FRONTEND });
    assert.deepEqual(await outcomeOf(asked.authorize_url),
      { outcome: 'failed', connection_id: asked.id, code: 'provider_unavailable' });
    const again = await space.api.expect(200, 'POST', `${space.at}/connections/${asked.id}/reconnect`, {
      body: { return_url: FRONTEND },
    });
    assert.deepEqual(await outcomeOf(again.authorize_url), { outcome: 'choose_account', connection_id: asked.id });
    await settled({ api: space.api, at: space.at, id: asked.id });
    await space.api.expect(200, 'DELETE', `${space.at}/connections/${asked.id}`);
  });

  test('tokens that are not given fail with a code', async () => {
    await control.fault({ provider: 'qonto', match: { operation: 'oauth.tokens' }, kind: 'expired_token', times: 1 });
    const asked = await ask(space, 'qonto', 'target', { return_url: FRONTEND });
    assert.deepEqual(await outcomeOf(asked.authorize_url),
      { outcome: 'failed', connection_id: asked.id, code: 'provider_authentication' });
    assert.equal((await look(space, asked.id)).state, 'to_configure');
    await space.api.expect(200, 'DELETE', `${space.at}/connections/${asked.id}`);
  });

  test('with one account there is nothing left to do', async () => {
    const asked = await ask(space, 'qonto', 'target', { return_url: `${FRONTEND}?tab=books` });
    assert.deepEqual(await outcomeOf(asked.authorize_url), { tab: 'books', outcome: 'connected', connection_id: asked.id });
    assert.equal((await look(space, asked.id)).state, 'enabled');
    await space.api.expect(200, 'DELETE', `${space.at}/connections/${asked.id}`);
  });

  test('an account that cannot be asked for yet is asked for again', async () => {
    await control.fault({ provider: 'qonto', match: { operation: 'organization.get' }, kind: '5xx', times: 2 });
    const asked = await ask(space, 'qonto', 'target');
    await authorise({ browser: new Browser(), url: asked.authorize_url });
    const connection = await inState(space, asked.id, 'enabled');
    assert.equal(connection.need, null);
    await space.api.expect(200, 'DELETE', `${space.at}/connections/${asked.id}`);
  });
});

describe('several accounts', () => {
  let first;

  test('wait for a person, who can only choose what was given', async () => {
    first = await ask(space, 'stripe', 'source');
    await authorise({ browser: new Browser(), url: first.authorize_url });
    const open = await inState(space, first.id, 'to_configure');
    const choosing = await until('the accounts were listed', async () => {
      const connection = await look(space, first.id);
      return connection.accounts.length > 1 ? connection : null;
    });
    assert.equal(open.account, null);
    assert.equal(choosing.need.action, 'choose_account');
    const choose = (body) => space.api.call('POST', `${space.at}/connections/${first.id}/account`, { body });
    assertRefused(await choose({ account: 'acct_stranger', livemode: true }), 422, 'field_invalid', 'account');
    const live = choosing.accounts.find(({ livemode }) => livemode);
    assertRefused(await choose({ account: live.account, livemode: false }), 422, 'field_invalid', 'account');
    assert.equal((await choose({ account: live.account, livemode: true })).status, 200);
    const enabled = await inState(space, first.id, 'enabled');
    assert.deepEqual(enabled.account, { id: live.account, name: live.name });
    assert.deepEqual(enabled.accounts, []);
    assertRefused(await choose({ account: live.account, livemode: true }), 409, 'conflict');
  });

  test('a newer connection to the same account hands its credentials to the older one', async () => {
    const second = await ask(space, 'stripe', 'source', { label: 'once more' });
    await authorise({ browser: new Browser(), url: second.authorize_url });
    const choosing = await until('the accounts were listed', async () => {
      const connection = await look(space, second.id);
      return connection.accounts.length > 1 ? connection : null;
    });
    const live = choosing.accounts.find(({ livemode }) => livemode);
    const chosen = await space.api.expect(200, 'POST', `${space.at}/connections/${second.id}/account`, {
      body: { account: live.account, livemode: true },
    });
    assert.equal(chosen.id, first.id, 'the older one goes on');
    await inState(space, first.id, 'enabled');
    assert.equal((await look(space, second.id)).id, first.id);
    const listed = await space.api.all(`${space.at}/connections?provider=stripe&state=enabled`);
    assert.deepEqual(listed.map(({ id }) => id), [first.id]);
    await space.api.expect(200, 'DELETE', `${space.at}/connections/${first.id}`);
  });
});

describe('credentials that are refused', () => {
  let flow;
  before(async () => {
    flow = await integrated();
  });
  after(() => retire(flow));

  test('ask for a reconnection, once, with a problem that the status page shows', async () => {
    await control.post('/control/stripe/kill_grants');
    await control.post('/control/stripe/expire_access_tokens');
    await sync(flow);
    const lost = await inState(flow, flow.stripe.id, 'need_reconnect');
    assert.deepEqual([lost.need.action, lost.need.code], ['reconnect', 'credentials_refused']);
    const status = await statusOf(flow);
    const told = status.problems.filter(({ code }) => code === 'connection_need_reconnect');
    assert.equal(told.length, 1);
    assert.equal(told[0].action, 'reconnect');
    assert.equal(told[0].connection_id, flow.stripe.id);
    assertRefused(await flow.api.call('POST', `${flow.at}/integrations/${flow.integration.id}/sync`), 409, 'conflict');
  });

  test('after the reconnection it goes on by itself, and the problem is gone', async () => {
    const [charge] = await control.post('/control/stripe/charges', [
      { amount: 2700, currency: 'eur', description: 'Meanwhile', customer: { name: 'Marc Meanwhile', email: 'marc@meanwhile.example' } },
    ]);
    const before = (await statusOf(flow)).streams.find(({ stream }) => stream === 'stripe.charges').marker;
    const again = await flow.api.expect(200, 'POST', `${flow.at}/connections/${flow.stripe.id}/reconnect`);
    assert.equal(again.state, 'need_reconnect');
    assert.ok(again.authorize_url);
    await authorise({ browser: new Browser(), url: again.authorize_url });
    const back = await inState(flow, flow.stripe.id, 'enabled');
    assert.deepEqual(back.account, flow.stripe.account);
    await until('the charge was collected', async () => (
      (await flow.api.all(`${flow.at}/items?integration_id=${flow.integration.id}`))
        .some((item) => item.source_id === charge.id)));
    const status = await rest(flow);
    assert.equal(status.problems_open, 0);
    assert.ok(before, 'there was a marker, and it was kept');
  });
});

describe('disconnecting', () => {
  test('what the provider cannot be told now is told later; the flow stops at once', async () => {
    const flow = await integrated();
    const path = `${flow.at}/connections/${flow.qonto.id}`;
    await control.fault({ provider: 'qonto', match: { operation: 'oauth.revoke' }, kind: '5xx', times: 0 });
    await control.fault({ provider: 'qonto', match: { operation: 'consents.delete' }, kind: '5xx', times: 0 });
    const receipt = await flow.api.expect(200, 'DELETE', path);
    assert.equal(receipt.state, 'disconnected');
    const waits = receipt.revoked.filter(({ status }) => status === 'pending').map(({ what }) => what);
    assert.ok(waits.includes('refresh_token') && waits.includes('access_token'), JSON.stringify(receipt.revoked));
    assert.equal((await flow.api.get(path)).need, null);
    await clearFaults();
    const told = await until('the revocation was confirmed', async () => {
      const again = await flow.api.expect(200, 'DELETE', path);
      return again.revoked.every(({ status }) => status === 'revoked') ? again : null;
    }, { seconds: 40 });
    assert.equal(told.disconnected_at, receipt.disconnected_at);
    await retire(flow);
  });

  test('a connection that was never authorised has nothing to revoke', async () => {
    const asked = await ask(space, 'qonto', 'target');
    const receipt = await space.api.expect(200, 'DELETE', `${space.at}/connections/${asked.id}`);
    assert.deepEqual(receipt.revoked, []);
    assert.deepEqual(await space.api.expect(200, 'DELETE', `${space.at}/connections/${asked.id}`), receipt);
  });

  test('another one may not take an account back that is in use again', async () => {
    const old = await space.connect('qonto', 'target');
    await space.api.expect(200, 'DELETE', `${space.at}/connections/${old.id}`);
    const next = await space.connect('qonto', 'target');
    assert.notEqual(next.id, old.id);
    assertRefused(await space.api.call('POST', `${space.at}/connections/${old.id}/reconnect`), 409, 'conflict');
    await space.api.expect(200, 'DELETE', `${space.at}/connections/${next.id}`);
  });
});

describe('an integration', () => {
  let flow;
  const post = (fields) => flow.api.call('POST', `${flow.at}/integrations`, {
    body: { name: 'Another', source_connection_id: flow.stripe.id, target_connection_id: flow.qonto.id, ...fields },
  });
  before(async () => {
    flow = await integrated({ settings: { backfill_days: 30 } });
    await rest(flow);
  });
  after(() => retire(flow));

  test('needs two connections of this workspace, each in its role', async () => {
    const stranger = await ask(space, 'stripe', 'source');
    assertRefused(await post({ source_connection_id: flow.qonto.id }), 422, 'field_invalid', 'source_connection_id');
    assertRefused(await post({ target_connection_id: flow.stripe.id }), 422, 'field_invalid', 'target_connection_id');
    assertRefused(await post({ source_connection_id: stranger.id }), 422, 'field_invalid', 'source_connection_id');
    assertRefused(await post({ target_connection_id: randomUUID() }), 422, 'field_invalid', 'target_connection_id');
  });

  test('needs settings within their bounds', async () => {
    const settings = (fields) => post({ settings: fields });
    assertRefused(await settings({ backfill_days: 731 }), 422, 'field_invalid', 'settings.backfill_days');
    assertRefused(await settings({ thresholds: { flow: 0.6, hold: 0.7 } }), 422, 'field_invalid', 'settings.thresholds.hold');
    assertRefused(await settings({ thresholds: { flow: 0.6 } }), 422, 'field_missing', 'settings.thresholds.hold');
    assertRefused(await settings({ routes: { invoice: 'post' } }), 422, 'field_unknown', 'settings.routes.invoice');
    assertRefused(await settings({ policies: { allowed_currencies: ['EUR', 'eur'] } }),
      422, 'field_invalid', 'settings.policies.allowed_currencies.1');
    assertRefused(await settings({ policies: { max_unattended_minor: { EUR: -1 } } }),
      422, 'field_invalid', 'settings.policies.max_unattended_minor.EUR');
    assertRefused(await settings({ notify: { review: ['nobody'] } }), 422, 'field_invalid', 'settings.notify.review.0');
    assertRefused(await settings({ poll_period_s: 59 }), 422, 'field_invalid', 'settings.poll_period_s');
  });

  test('that comes later takes what is stored already, and the proof still adds up', async () => {
    const before = await flow.api.all(`${flow.at}/items?integration_id=${flow.integration.id}`);
    const made = await post({ settings: { backfill_days: 30, thresholds: { flow: 1, hold: 1 } } });
    assert.equal(made.status, 201);
    assert.equal(made.headers.get('location'), `${flow.at}/integrations/${made.body.id}`);
    const later = { ...flow, integration: made.body };
    const items = await flow.api.all(`${flow.at}/items?integration_id=${made.body.id}`);
    assert.ok(items.length > 0);
    const known = new Set(before.map(({ source_id: id }) => id));
    assert.ok(items.every(({ source_id: id }) => known.has(id)));
    const proof = await flow.api.get(`${flow.at}/conservation?integration_id=${made.body.id}`);
    assert.equal(proof.unexplained, 0, JSON.stringify(proof.checks));
    assert.equal(proof.terms.seen, items.length);
    await retire(later);
  });

  test('is changed by who read it last, and not at all by an empty change', async () => {
    const path = `${flow.at}/integrations/${flow.integration.id}`;
    const etag = (await flow.api.call('GET', path)).headers.get('etag');
    const patch = (body, headers) => flow.api.call('PATCH', path, { body, headers });
    assertRefused(await patch({ name: 'Renamed' }, {}), 428, 'precondition_required');
    assertRefused(await patch({}, { 'if-match': etag }), 422, 'field_missing');
    const renamed = await patch({ name: 'Renamed' }, { 'if-match': etag });
    assert.equal(renamed.body.name, 'Renamed');
    assert.equal(renamed.body.settings_version, flow.integration.settings_version, 'a name is no setting');
    assertRefused(await patch({ name: 'Late' }, { 'if-match': etag }), 412, 'stale');
  });
});
