// Both providers misbehave in every way that we know of. After each of them: everything is explained,
// nothing is at Qonto twice, and nothing is missing.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { authorise, settled } from '../../../deploy/local/demo/connect.mjs';
import { Browser, sleep, until } from '../../../deploy/local/demo/api.mjs';
import { assertRefused } from '../support/raw.mjs';
import {
  assertLookedLateEnough,
  assertOnceAndExplained,
  buy,
  copiesAtQonto,
  deliveriesOf,
  integrated,
  itemIn,
  itemOf,
  purchase,
  rest,
  retire,
  statusOf,
  sync,
} from '../support/flow.mjs';
import { psql } from '../support/installation.mjs';
import { control, workspace } from '../support/stack.mjs';

const BULK = { method: 'POST', path: '/v2/supplier_invoices/bulk' };
const READ = { tool: 'stripe_api_read' };
const atQonto = (kind, params = {}, more = {}) =>
  control.fault({ provider: 'qonto', match: BULK, kind, params, ...more });
const atStripe = (kind, params = {}, more = {}) =>
  control.fault({ provider: 'stripe', match: READ, kind, params, ...more });
const faultsLeft = async () => (await control.get('/control/faults')).faults;
const uploads = async () => {
  const { requests } = await control.get('/control/requests?provider=qonto');
  return requests.filter(({ method, path }) => method === BULK.method && path === BULK.path).length;
};
const idsOf = (charges) => charges.map(({ id }) => id);

let flow;
before(async () => {
  flow = await integrated();
});
after(async () => {
  await control.delete('/control/faults');
  if (flow) await retire(flow);
});

const problemOf = (item, code) =>
  until(`a problem of ${item.source_id}`, async () => {
    const problems = await flow.api.all(
      `${flow.at}/problems?integration_id=${flow.integration.id}`,
    );
    return problems.find((it) => it.item_id === item.id && (!code || it.code === code));
  });

describe('the answer of the target is lost', () => {
  test('we look before we send again, and one copy is there', async () => {
    const before = await uploads();
    await atQonto('lost_answer');
    const [charge] = await buy(flow);
    const doubtful = await itemIn(flow, charge.id, 'problem');
    const problem = await problemOf(doubtful, 'provider_uncertain');
    assert.equal(problem.source_id, charge.id);
    const item = await itemIn(flow, charge.id, 'delivered');
    const [delivery] = await deliveriesOf(flow, item);
    assert.equal(delivery.attempts[0].status, 'provider_uncertain');
    assert.equal(delivery.generation, 1);
    assertLookedLateEnough(delivery);
    assert.equal(await uploads(), before + 1, 'it was sent again although it had arrived');
    assert.equal(
      (await flow.api.get(`${flow.at}/problems?integration_id=${flow.integration.id}`)).data.length,
      0,
    );
    await assertOnceAndExplained(flow, [charge.id]);
  });

  const uncertain = async () => {
    await atQonto('lost_answer');
    const [charge] = await buy(flow);
    const item = await itemIn(flow, charge.id, 'problem');
    const [delivery] = await deliveriesOf(flow, item);
    assert.equal(delivery.state, 'uncertain');
    return { charge, item, delivery };
  };
  const resolve = (delivery, body) =>
    flow.api.call('POST', `${flow.at}/deliveries/${delivery.id}/resolve`, { body });

  test('a person who knows may say that it arrived', async () => {
    const { charge, delivery } = await uncertain();
    const { invoices } = await control.get('/control/qonto/invoices?origin=api');
    const there = invoices.find(({ file_name: name }) => name.includes(charge.id));
    assertRefused(await resolve(delivery, { outcome: 'resend', external_id: there.id }), 422);
    const answer = await resolve(delivery, { outcome: 'arrived', external_id: there.id });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal(answer.body.external_id, there.id);
    await itemIn(flow, charge.id, 'delivered');
    assertRefused(await resolve(delivery, { outcome: 'arrived' }), 409, 'conflict');
    await assertOnceAndExplained(flow, [charge.id]);
  });

  test('or have it sent again: the same bytes under the same key are one invoice', async () => {
    const { charge, delivery } = await uncertain();
    assert.equal((await resolve(delivery, { outcome: 'resend' })).status, 200);
    const item = await itemIn(flow, charge.id, 'delivered');
    const [again] = await deliveriesOf(flow, item);
    assert.equal(again.idempotency_key, delivery.idempotency_key);
    assert.equal(again.content_sha256, delivery.content_sha256);
    await assertOnceAndExplained(flow, [charge.id]);
  });
});

describe('the target fails in every other way', () => {
  test('each record still arrives once', async () => {
    const kinds = [
      ['5xx'],
      ['5xx', { status: 500, body: '' }],
      ['5xx', { execute: true }],
      ['429', { retry_after: 1 }],
      ['html'],
      ['redirect'],
      ['huge', { mib: 50 }],
      ['cut', { at: 'before' }],
      ['cut', { at: 'middle' }],
      ['wrong_type'],
      ['slow', { ms: 1500 }],
      ['expired_token'],
      ['errors_200', { code: 'internal_server_error' }],
      ['errors_200', { code: 'internal_server_error', executed: true }],
    ];
    for (const [kind, params] of kinds) await atQonto(kind, params);
    const charges = await buy(flow, kinds.length);
    for (const { id } of charges) await itemIn(flow, id, 'delivered', 60);
    assert.deepEqual(await faultsLeft(), [], 'a fault was never met');
    await assertOnceAndExplained(flow, idsOf(charges));
    assert.equal((await statusOf(flow)).problems_open, 0);
  });

  test('what it did behind an error, and shows only later, is not sent again', async () => {
    const before = await uploads();
    await control.post('/control/qonto/switches', { search_delay_s: 1, bulk_key_s: 0 });
    await atQonto('5xx', { execute: true, retry_after: 4 });
    const [charge] = await buy(flow);
    const item = await itemIn(flow, charge.id, 'delivered', 60);
    await control.post('/control/qonto/switches', { search_delay_s: 0, bulk_key_s: 1800 });
    const [{ attempts }] = await deliveriesOf(flow, item);
    assert.ok(attempts.length > 1, 'the first attempt had found it: nothing was tried again');
    assert.equal(await uploads(), before + 1);
    await assertOnceAndExplained(flow, [charge.id]);
  });

  test('it is tried for two days, then it is a problem that a person can retry', async () => {
    await atQonto('5xx', {}, { times: 0 });
    const [charge] = await buy(flow);
    const { id } = await itemOf(flow, charge.id);
    const delivery = await until('an attempt failed', async () => {
      const [made] = await deliveriesOf(flow, { id });
      return made?.state === 'retrying' && made;
    });
    const ofDelivery = `region.delivery WHERE id = '${delivery.id}'`;
    const spanOf = `SELECT extract(epoch FROM retry_until - created_at)::int FROM ${ofDelivery}`;
    assert.equal(psql('sluice', spanOf).trim(), String(48 * 3600));
    psql('sluice', ofDelivery.replace(/(.*) WHERE/, 'UPDATE $1 SET retry_until = now() WHERE'));
    const problem = await problemOf(await itemIn(flow, charge.id, 'problem', 60));
    assert.equal(problem.action, 'retry');
    await control.delete('/control/faults');
    const retried = await flow.api.call('POST', `${flow.at}/problems/${problem.id}/retry`, {
      body: {},
    });
    assert.equal(retried.status, 200);
    await itemIn(flow, charge.id, 'delivered');
    await assertOnceAndExplained(flow, [charge.id]);
  });

  test('Retry-After is honoured', async () => {
    await atQonto('429', { retry_after: 4 });
    const [charge] = await buy(flow);
    const item = await itemIn(flow, charge.id, 'delivered');
    const [{ attempts }] = await deliveriesOf(flow, item);
    assert.equal(attempts.length, 2);
    assert.equal(attempts[0].http_status, 429);
    const waited = Date.parse(attempts[1].started_at) - Date.parse(attempts[0].finished_at);
    assert.ok(waited >= 3900, `waited ${waited} ms`);
    await assertOnceAndExplained(flow, [charge.id]);
  });
});

describe('the target refuses a document', () => {
  let refused;
  before(async () => {
    await atQonto('errors_200', { code: 'invalid' }, { times: 2 });
    const charges = await buy(flow, 2);
    refused = [];
    for (const { id } of charges) refused.push(await itemIn(flow, id, 'problem'));
  });

  test('a problem points back at the source, and a retry makes a new generation', async () => {
    const [item] = refused;
    const problem = await problemOf(item);
    assert.equal(problem.state, 'open');
    assert.equal(problem.action, 'retry');
    assert.equal(problem.source_id, item.source_id);
    assert.equal(problem.record_id, item.record_id);
    const retry = (body) =>
      flow.api.call('POST', `${flow.at}/problems/${problem.id}/retry`, { body });
    assertRefused(await retry({ fields: { no_such_field: 'x' } }), 422);
    assert.equal((await retry({})).status, 200);
    await itemIn(flow, item.source_id, 'delivered');
    const deliveries = await deliveriesOf(flow, item);
    assert.deepEqual(deliveries.map(({ generation, state }) => [generation, state]).sort(), [
      [1, 'rejected'],
      [2, 'done'],
    ]);
    assert.notEqual(deliveries[0].idempotency_key, deliveries[1].idempotency_key);
    assertRefused(await retry({}), 409, 'conflict');
    await assertOnceAndExplained(flow, [item.source_id]);
  });

  test('or it is put aside, with the reason', async () => {
    const [, item] = refused;
    const problem = await problemOf(item);
    const dismiss = () =>
      flow.api.call('POST', `${flow.at}/problems/${problem.id}/dismiss`, {
        body: { reason: 'Entered by hand' },
      });
    const answer = await dismiss();
    assert.equal(answer.status, 200);
    assert.equal(answer.body.state, 'dismissed');
    assert.equal(answer.body.dismissed_reason, 'Entered by hand');
    assertRefused(await dismiss(), 409, 'conflict');
    await itemIn(flow, item.source_id, 'dismissed');
    assert.deepEqual(await copiesAtQonto([item.source_id]), [0]);
    const proof = await assertOnceAndExplained(flow, []);
    assert.equal(proof.terms.dismissed, 1);
  });

  test('and taken up again, when that was a mistake', async () => {
    const [, item] = refused;
    const [problem] = await flow.api.all(`${flow.at}/problems?state=dismissed`);
    const path = `${flow.at}/problems/${problem.id}`;
    const reopened = await flow.api.expect(200, 'POST', `${path}/reopen`);
    assert.equal(reopened.state, 'open');
    assert.equal(reopened.action, 'retry');
    await itemIn(flow, item.source_id, 'problem');
    assertRefused(await flow.api.call('POST', `${path}/reopen`), 409, 'conflict');
    await flow.api.expect(200, 'POST', `${path}/retry`, { body: {} });
    await itemIn(flow, item.source_id, 'delivered');
    await assertOnceAndExplained(flow, [item.source_id]);
  });
});

describe('the source fails in every way', () => {
  test('everything is collected once it answers again, and nothing twice', async () => {
    const kinds = [
      ['5xx'],
      ['429', { retry_after: 1 }],
      ['html'],
      ['redirect'],
      ['huge', { mib: 50 }],
      ['half_event'],
      ['cut', { at: 'before' }],
      ['cut', { at: 'middle' }],
      ['lost_answer'],
      ['wrong_type'],
      ['slow', { ms: 1500 }],
      ['expired_token'],
      ['tool_error', { text: 'Something went wrong' }],
    ];
    for (const [kind, params] of kinds) await atStripe(kind, params);
    const charges = await buy(flow, 3);
    await until(
      'every fault was met',
      async () => {
        if ((await faultsLeft()).length === 0) return true;
        await sync(flow).catch(() => {});
        return sleep(500);
      },
      { seconds: 60 },
    );
    for (const { id } of charges) await itemIn(flow, id, 'delivered', 60);
    await assertOnceAndExplained(flow, idsOf(charges));
    await until(
      'Stripe is well again',
      async () => (await statusOf(flow)).source.state === 'enabled',
    );
  });

  test('a row that cannot be read is set aside, and the others go on', async () => {
    const before = await assertOnceAndExplained(flow, []);
    const [odd, good] = await buy(flow, 2);
    await control.post(`/control/stripe/objects/${odd.id}`, { currency: 'not a currency' });
    const [next] = await buy(flow);
    for (const { id } of [good, next]) await itemIn(flow, id, 'delivered');
    const proof = await assertOnceAndExplained(flow, [good.id, next.id]);
    assert.ok(proof.pages.quarantined > before.pages.quarantined, 'nothing was set aside');
    assert.equal(
      proof.pages.rows_received,
      proof.pages.items_inserted + proof.pages.unchanged + proof.pages.quarantined,
    );
  });
});

describe('a provider asks for a pause', () => {
  const GRACE_MS = 500; // what was on its way when the answer came
  const CLOCK_MS = 100; // two clocks of one machine, read at other moments
  const soon = (seconds) => new Date(Date.now() + seconds * 1000).toUTCString();
  const cases = [
    ['stripe', atStripe, 'in seconds', () => 4],
    ['stripe', atStripe, 'as a date', () => soon(8)],
    ['qonto', atQonto, 'in seconds', () => 4],
    ['qonto', atQonto, 'as a date', () => soon(8)],
  ];
  for (const [provider, at, how, pause] of cases) {
    test(`${provider}, ${how}: no call leaves before its time, and then all goes on`, async () => {
      await rest(flow);
      await control.delete('/control/requests');
      const asked = pause();
      await at('429', { retry_after: asked });
      const charges = await buy(flow, 3);
      const nudge = setInterval(() => sync(flow).catch(() => {}), 300);
      const slowed = await until('it said so', async () => {
        const { requests } = await control.get(`/control/requests?provider=${provider}`);
        return requests.find(({ status }) => status === 429);
      });
      for (const { id } of charges) await itemIn(flow, id, 'delivered', 60);
      clearInterval(nudge);
      const { requests } = await control.get(`/control/requests?provider=${provider}`);
      const until_ms = typeof asked === 'number' ? slowed.at_ms + asked * 1000 : Date.parse(asked);
      const later = requests.map(({ at_ms: ms }) => ms).filter((ms) => ms > slowed.at_ms + GRACE_MS);
      assert.ok(until_ms > slowed.at_ms + GRACE_MS, 'the time had not passed when it was said');
      const early = until_ms - Math.min(...later);
      assert.ok(early <= CLOCK_MS, `the next one left ${early} ms too early`);
      await assertOnceAndExplained(flow, idsOf(charges));
    });
  }
});

describe('access expires', () => {
  test('quietly at both providers: it is refreshed and nobody is told', async () => {
    const told = (await flow.api.all(`${flow.at}/notifications`)).length;
    await control.post('/control/stripe/expire_access_tokens');
    await control.post('/control/qonto/expire_access_tokens');
    const [charge] = await buy(flow);
    await itemIn(flow, charge.id, 'delivered');
    const status = await statusOf(flow);
    assert.equal(status.source.state, 'enabled');
    assert.equal(status.target.state, 'enabled');
    assert.equal((await flow.api.all(`${flow.at}/notifications`)).length, told);
    await assertOnceAndExplained(flow, [charge.id]);
  });

  const reconnect = async (id) => {
    const asked = await flow.api.expect(200, 'POST', `${flow.at}/connections/${id}/reconnect`, {
      body: {},
    });
    await authorise({ browser: new Browser(), url: asked.authorize_url });
    return settled({ api: flow.api, at: flow.at, id });
  };
  const needsReconnect = (id) =>
    until('the connection needs a person', async () => {
      const connection = await flow.api.get(`${flow.at}/connections/${id}`);
      return connection.state === 'need_reconnect' ? connection : null;
    });
  const notices = async (id) =>
    (await flow.api.all(`${flow.at}/notifications`)).filter(
      (it) => it.event === 'connection_need_reconnect' && it.connection_id === id,
    ).length;

  test('for good at Qonto: deliveries wait, the owner is told once, and all resumes by itself', async () => {
    await control.post('/control/qonto/kill_grants');
    await control.post('/control/qonto/expire_access_tokens');
    const charges = await buy(flow, 3);
    const { need } = await needsReconnect(flow.qonto.id);
    assert.equal(need.action, 'reconnect');
    assert.ok(need.text.length > 10);
    for (const { id } of charges) {
      const item = await until(`${id} was decided`, async () => {
        const now = await itemOf(flow, id);
        return now.band && now;
      });
      assert.ok(['queued', 'problem'].includes(item.state), item.state);
      const [delivery] = await deliveriesOf(flow, item);
      assert.ok(['queued', 'blocked'].includes(delivery.state), delivery.state);
    }
    const { problems } = await statusOf(flow);
    assert.ok(
      problems.some(
        ({ action, connection_id: id }) => action === 'reconnect' && id === flow.qonto.id,
      ),
    );
    assert.equal(await notices(flow.qonto.id), 1);
    assert.deepEqual(await copiesAtQonto(idsOf(charges)), [0, 0, 0]);
    await reconnect(flow.qonto.id);
    for (const { id } of charges) await itemIn(flow, id, 'delivered');
    await assertOnceAndExplained(flow, idsOf(charges));
    const left = (await statusOf(flow)).problems.filter(({ code }) => code !== 'row_quarantined');
    assert.deepEqual(left, [], 'a problem outlived its cause');
    assert.equal(await notices(flow.qonto.id), 1);
  });

  test('for good at Stripe: collecting stops and resumes from its marker', async () => {
    await control.post('/control/stripe/revoke_all');
    const charges = await control.post('/control/stripe/charges', [purchase(), purchase()]);
    await needsReconnect(flow.stripe.id);
    assert.equal(await notices(flow.stripe.id), 1);
    assertRefused(
      await flow.api.call('POST', `${flow.at}/integrations/${flow.integration.id}/sync`),
      409,
      'conflict',
    );
    const before = (await statusOf(flow)).items;
    await reconnect(flow.stripe.id);
    await sync(flow);
    for (const { id } of charges) await itemIn(flow, id, 'delivered');
    const after = (await rest(flow)).items;
    assert.equal(after.delivered, before.delivered + charges.length);
    await assertOnceAndExplained(flow, idsOf(charges));
  });
});

describe('an authorisation that is not what it seems', () => {
  let space;
  before(async () => {
    space = await workspace();
  });
  const attempt = async (provider, role) => {
    const asked = await space.api.expect(201, 'POST', `${space.at}/connections`, {
      body: { provider, role },
    });
    const page = await new Browser().authorise(asked.authorize_url);
    return { page, read: () => space.api.get(`${space.at}/connections/${asked.id}`) };
  };

  test('from another issuer is not used', async () => {
    await control.post('/control/stripe/switches', { callback_iss: 'wrong' });
    const { page, read } = await attempt('stripe', 'source');
    await control.post('/control/stripe/switches', { callback_iss: 'right' });
    assert.equal(page.status, 400);
    const connection = await read();
    assert.equal(connection.state, 'to_configure');
    assert.equal(connection.account, null);
  });

  test('with a token for another resource never becomes a working connection', async () => {
    await control.post('/control/stripe/switches', { token_resource: 'https://another.example/' });
    const { read } = await attempt('stripe', 'source');
    const connection = await until('it was tried', async () => {
      const state = await read();
      return state.state !== 'processing' && state.need ? state : null;
    });
    await control.post('/control/stripe/switches', { token_resource: null });
    assert.notEqual(connection.state, 'enabled');
    assert.equal(connection.account, null);
    assert.ok(['reconnect', 'authorise'].includes(connection.need.action), connection.need.action);
  });
});
