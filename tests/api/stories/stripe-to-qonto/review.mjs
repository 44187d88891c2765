// A person works the queue.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { copiesAtQonto, itemIn, itemOf } from '../../support/flow.mjs';
import { assertRefused } from '../../support/raw.mjs';
import { keyOf } from '../../support/stack.mjs';
import { act, acted, flow, ids, queueOf } from './shared.mjs';

describe('the review queue', () => {
  test('ranks by confidence and gives reasons', async () => {
    const queue = await queueOf();
    const ps = queue.map(({ item }) => item.p ?? 0);
    assert.deepEqual(
      ps,
      [...ps].sort((a, b) => b - a),
    );
    assert.ok(queue.every(({ item }) => item.state === 'held'));
    for (const { item, decision } of queue) {
      const reasons = decision.policies.length + (decision.p < 0.85 ? 1 : 0);
      assert.ok(reasons > 0, `${item.source_id} is held for no reason`);
      assert.ok(decision.policies.every(({ text }) => text.endsWith('.')));
    }
    const stopped = await queueOf('&state=stopped');
    assert.ok(stopped.length > 0 && stopped.every(({ item }) => item.state === 'stopped'));
  });

  test('approve: the item goes out as a new entry, once, in the name of who approved it', async () => {
    const [{ item }] = await queueOf();
    const approved = await acted(item, 'approve', { create: true, note: 'checked by hand' });
    assert.equal(approved.state, 'queued');
    await itemIn(flow, item.source_id, 'delivered');
    assert.deepEqual(await copiesAtQonto([item.source_id]), [1]);
    const detail = await flow.api.get(`${flow.at}/items/${item.id}`);
    assert.equal(detail.decisions[0].decided_by.kind, 'api_key');
    assert.equal(detail.history[0].action, 'approve');
    assert.equal(detail.history[0].text, 'checked by hand');
    assertRefused(await act(item, 'approve', { create: true }), 409, 'conflict');
  });

  test('approve with both, or with a stranger, or with an old version is refused', async () => {
    const [{ item }] = await queueOf();
    const [entry] = await flow.api.all(`${flow.at}/ledger?role=document`);
    assertRefused(await act(item, 'approve', { create: true, candidate: entry.id }), 422);
    assertRefused(await act(item, 'approve', { candidate: randomUUID() }), 422);
    assertRefused(
      await act(item, 'approve', {}, { headers: { 'if-match': '"999"' } }),
      412,
      'stale',
    );
    assert.equal((await itemOf(flow, item.source_id)).state, 'held');
  });

  test('pin: a stopped item is tied to an entry, which nobody else can have', async () => {
    const [first, second] = await queueOf('&state=stopped');
    const free = (await flow.api.all(`${flow.at}/ledger?role=document`)).find((it) => !it.item_id);
    const pinned = await acted(first.item, 'pin', { ledger_entry_id: free.id });
    assert.equal(pinned.state, 'linked');
    assert.equal(pinned.entry_id, free.id);
    const other = second ?? (await queueOf())[0];
    assertRefused(await act(other.item, 'pin', { ledger_entry_id: free.id }), 409);
    assertRefused(await act(other.item, 'pin', { ledger_entry_id: randomUUID() }), 422);
    const back = await acted(pinned, 'undo');
    assert.equal(back.state, 'held');
    assert.equal(back.entry_id, null);
    await acted(back, 'pin', { ledger_entry_id: free.id });
  });

  test('reject with a reason, and take it back', async () => {
    const [{ item }] = await queueOf();
    assertRefused(await act(item, 'reject', {}), 422, 'field_missing', 'reason');
    const rejected = await acted(item, 'reject', { reason: 'A private purchase' });
    assert.equal(rejected.state, 'rejected');
    assert.equal(rejected.undoable, true);
    const back = await acted(item, 'undo');
    assert.equal(back.state, 'held');
    const { history } = await flow.api.get(`${flow.at}/items/${item.id}`);
    assert.equal(history[0].action, 'undo');
    assert.equal(history[1].undone_by, history[0].id);
    assertRefused(await act(item, 'undo'), 409, 'conflict');
  });

  test('assign, snooze and comment move nothing', async () => {
    const [{ item }] = await queueOf();
    const me = (await flow.person.get('/v1/me')).user.id;
    assert.equal((await acted(item, 'assign', { user_id: me })).assignee_id, me);
    assert.deepEqual(ids((await queueOf(`&assignee_id=${me}`)).map((it) => it.item)), [item.id]);
    assertRefused(
      await act(item, 'assign', { user_id: randomUUID() }),
      422,
      'field_invalid',
      'user_id',
    );
    const key = randomUUID();
    const { row_version: version } = await itemOf(flow, item.source_id);
    const again = (headers) => act(item, 'assign', { user_id: me }, { key, headers });
    assert.equal((await again({ 'if-match': `"${version}"` })).status, 200);
    assertRefused(await again({}), 422, 'idempotency_key_reused'); // it means something else
    const until = new Date(Date.now() + 86_400_000).toISOString();
    await acted(item, 'snooze', { until });
    assert.ok(!ids((await queueOf()).map((it) => it.item)).includes(item.id));
    assert.ok(ids((await queueOf('&snoozed=true')).map((it) => it.item)).includes(item.id));
    assertRefused(
      await act(item, 'snooze', { until: '2020-01-01T00:00:00Z' }),
      422,
      'field_invalid',
      'until',
    );
    await acted(item, 'snooze', { until: null });
    const remark = await acted(item, 'comment', { text: 'Asked the shop.\nThey answer tomorrow.' });
    assert.equal(remark.action, 'comment');
    assert.equal((await acted(item, 'assign', { user_id: null })).assignee_id, null);
    assert.equal((await itemOf(flow, item.source_id)).state, 'held');
  });

  test('a viewer looks and does not touch', async () => {
    const viewer = await keyOf(flow, 'viewer');
    const [{ item }] = await queueOf();
    assert.equal((await viewer.call('GET', `${flow.at}/review`)).status, 200);
    assertRefused(
      await viewer.call('POST', `${flow.at}/review/${item.id}/approve`, { body: {} }),
      403,
      'forbidden',
    );
  });

  test('after all that, everything is still explained', async () => {
    const proof = await flow.api.get(
      `${flow.at}/conservation?integration_id=${flow.integration.id}`,
    );
    assert.equal(proof.unexplained, 0, JSON.stringify(proof.checks));
  });
});
