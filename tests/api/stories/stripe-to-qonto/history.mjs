// Two months of Stripe are collected, decided and delivered.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { until } from '../../../../deploy/local/demo/api.mjs';
import { assertOnceAndExplained, rest, statusOf, sync } from '../../support/flow.mjs';
import { control } from '../../support/stack.mjs';
import { flow, items, itemsNow, remember, truth } from './shared.mjs';

const TERMS = [
  'delivered',
  'linked',
  'held',
  'stopped',
  'ignored',
  'enriched',
  'rejected',
  'superseded',
  'dismissed',
  'in_progress',
  'problem',
];

describe('two months of history', () => {
  before(async () => {
    remember(await control.get('/control/stripe/truth'));
    flow.integration = await flow.api.expect(201, 'POST', `${flow.at}/integrations`, {
      body: {
        name: 'Stripe into Qonto',
        source_connection_id: flow.stripe.id,
        target_connection_id: flow.qonto.id,
        settings: { backfill_days: 60, grace_s: 0 },
      },
    });
    await rest(flow, { least: truth.length, seconds: 90 });
    remember({ items: await itemsNow() });
  });

  test('is collected whole', () => {
    const known = new Set(items.map((item) => item.source_id));
    assert.deepEqual(
      truth.filter((it) => !known.has(it.source_id)),
      [],
    );
    assert.equal(known.size, items.length, 'an object has two items');
  });

  test('what is sure flows, what is doubtful is held, what is hopeless is stopped, what is there is linked', () => {
    for (const state of ['delivered', 'linked', 'held', 'stopped']) {
      assert.ok(
        items.some((item) => item.state === state),
        `nothing is ${state}`,
      );
    }
    const by = new Map(truth.map((it) => [it.source_id, it]));
    const doubles = items.filter(
      (it) => it.state === 'delivered' && by.get(it.source_id)?.expected === 'link',
    );
    assert.deepEqual(
      doubles.map((it) => it.source_id),
      [],
      'posted although the books had it',
    );
    const hopeless = items.filter((it) => by.get(it.source_id)?.difficulty === 'hopeless');
    assert.ok(hopeless.length > 0);
    assert.ok(
      hopeless.every((it) => it.state !== 'delivered'),
      'a hopeless one was posted unattended',
    );
  });

  test('each delivered one is at Qonto exactly once, and nothing else is', async () => {
    const delivered = items
      .filter((item) => item.state === 'delivered')
      .map((item) => item.source_id);
    await assertOnceAndExplained(flow, delivered);
    const { invoices_from_api: uploads } = await control.get('/control/qonto/counts');
    assert.equal(uploads, delivered.length);
  });

  test('a sure one is never linked to what it is not, and few of the doubtful ones are', () => {
    const by = new Map(truth.map((it) => [it.source_id, it]));
    const linked = items.filter((it) => it.state === 'linked' && by.has(it.source_id));
    const wrong = linked.map((it) => by.get(it.source_id)).filter((it) => it.expected !== 'link');
    assert.deepEqual(
      wrong.filter((it) => it.difficulty === 'sure'),
      [],
    );
    assert.ok(wrong.length <= Math.ceil(linked.length * 0.15), JSON.stringify(wrong)); // who says 85 % means it
  });

  test('the equation adds up, for the whole, for today, and for each state with its ids', async () => {
    const path = `${flow.at}/conservation?integration_id=${flow.integration.id}`;
    const proof = await flow.api.get(path);
    assert.equal(proof.terms.seen, items.length);
    assert.equal(
      TERMS.reduce((total, term) => total + proof.terms[term], 0),
      proof.terms.seen,
    );
    assert.ok(
      proof.checks.every(({ difference }) => difference === 0),
      JSON.stringify(proof.checks),
    );
    assert.equal(
      proof.pages.rows_received,
      proof.pages.items_inserted + proof.pages.unchanged + proof.pages.quarantined,
    );
    const today = new Date().toISOString().slice(0, 10);
    assert.equal(
      (await flow.api.get(`${path}&from=${today}&to=${today}`)).terms.seen,
      items.length,
    );
    assert.equal((await flow.api.get(`${path}&to=2020-01-01`)).terms.seen, 0);
    const { ids: held } = await flow.api.get(`${path}&state=held&limit=100`);
    const expected = items.filter(({ state }) => state === 'held').map(({ id }) => id);
    assert.deepEqual([...held.data].sort(), expected.sort());
  });

  test('a second sync brings nothing twice', async () => {
    await sync(flow);
    const before = await statusOf(flow);
    await until(
      'another pull',
      async () => (await statusOf(flow)).streams[0].last_pull_at !== before.streams[0].last_pull_at,
    );
    const after = await rest(flow);
    assert.deepEqual(after.items, before.items);
  });
});
