// What people see of it: status, windows, items, records, ledger, counterparties, admin.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { deliveriesOf, statusOf } from '../../support/flow.mjs';
import { assertRefused } from '../../support/raw.mjs';
import { anybody, control, operator } from '../../support/stack.mjs';
import { flow, ids, items } from './shared.mjs';

describe('looking at it', () => {
  test('the status page has both connections, markers, windows, bands and no problem', async () => {
    const status = await statusOf(flow);
    assert.equal(status.source.id, flow.stripe.id);
    assert.equal(status.target.id, flow.qonto.id);
    assert.equal(status.problems_open, 0);
    assert.ok(status.streams.some((it) => it.role === 'source' && it.marker));
    assert.ok(status.streams.some((it) => it.role === 'target'));
    assert.equal(status.ledger.origin, 'mirrored');
    assert.equal(status.ledger.stale, false);
    assert.ok(status.bands.flow > 0 && status.bands.hold > 0 && status.bands.stop > 0);
    assert.ok(
      status.windows.length > 0 &&
        status.windows.every((it) => it.state === 'done' || it.item_count === 0),
    );
  });

  test('windows are listed with their items', async () => {
    const path = `${flow.at}/integrations/${flow.integration.id}/windows`;
    const windows = await flow.api.all(path);
    for (const window of windows) {
      assert.equal(window.item_count, items.filter((it) => it.window_id === window.id).length);
    }
    const done = await flow.api.all(`${path}?state=done`);
    assert.ok(done.length > 0 && done.every((it) => it.done_at && it.closed_at));
  });

  test('items can be filtered and paged, and a page never repeats or skips', async () => {
    const list = (query) =>
      flow.api.all(`${flow.at}/items?integration_id=${flow.integration.id}&${query}`);
    for (const state of ['held', 'linked', 'stopped']) {
      assert.deepEqual(
        ids(await list(`state=${state}`)).sort(),
        ids(items.filter((it) => it.state === state)).sort(),
      );
    }
    for (const [name, value] of [
      ['kind', 'refund'],
      ['band', 'hold'],
    ]) {
      const expected = ids(items.filter((it) => it[name] === value)).sort();
      assert.ok(expected.length > 0);
      assert.deepEqual(ids(await list(`${name}=${value}`)).sort(), expected);
    }
    const dear = await list('currency=EUR&amount_min=10000');
    assert.ok(
      dear.length > 0 &&
        dear.every((it) => it.amount.currency === 'EUR' && it.amount.minor >= 10000),
    );
    const [{ date }] = items.filter((it) => it.date).sort((a, b) => a.date.localeCompare(b.date));
    const earliest = await list(`date_to=${date}`);
    assert.ok(earliest.length > 0 && earliest.every((it) => it.date <= date));
    const paged = [];
    let cursor = '';
    do {
      const page = await flow.api.get(
        `${flow.at}/items?integration_id=${flow.integration.id}&limit=3${cursor}`,
      );
      paged.push(...ids(page.data));
      cursor = page.next_cursor && `&cursor=${encodeURIComponent(page.next_cursor)}`;
    } while (cursor);
    assert.deepEqual(paged, ids(await list('')));
    const named = items.find((it) => it.counterparty_name);
    const nearest = await flow.api.get(
      `${flow.at}/items?text=${encodeURIComponent(named.counterparty_name)}&limit=5`,
    );
    assert.equal(nearest.data[0].counterparty_name, named.counterparty_name);
    assert.equal(nearest.next_cursor, null);
  });

  test('an item tells its probabilities, its axes, its reasons and its candidates', async () => {
    const linked = items.find((it) => it.state === 'linked');
    const { decision } = await flow.api.get(`${flow.at}/items/${linked.id}`);
    assert.equal(decision.action, 'link');
    assert.equal(decision.entry_id, linked.entry_id);
    assert.ok(Math.abs(decision.p - decision.match_p * decision.gate_p) < 0.0002);
    assert.ok(decision.p >= 0.85);
    assert.ok(decision.axes.field_completeness > 0 && decision.axes.counterparty_strength > 0);
    assert.ok(decision.contributions.length > 0);
    const [best] = decision.candidates.filter((it) => it.role === 'document');
    assert.equal(best.entry.id, linked.entry_id);
    assert.ok(best.contributions.length > 0 && best.contributions.every((it) => it.reason));
    assert.equal(decision.decided_by.kind, 'machine');
  });

  test('a record keeps its source id, its version, its history and a document that says so', async () => {
    const item = items.find((it) => it.state === 'delivered');
    const record = await flow.api.get(`${flow.at}/records/${item.record_id}`);
    assert.equal(record.source_id, item.source_id);
    assert.equal(record.versions[0].version, 1);
    assert.equal(record.documents[0].origin, 'rendered');
    assert.deepEqual(ids(record.items), [item.id]);
    const answer = await flow.api.call('GET', `${flow.at}/records/${record.id}/document`);
    assert.equal(answer.headers.get('content-type'), 'application/pdf');
    const sha256 = createHash('sha256').update(answer.body).digest('hex');
    assert.equal(sha256, record.documents[0].sha256);
    assert.match(answer.headers.get('etag'), new RegExp(sha256));
    const text = execFileSync('pdftotext', ['-', '-'], { input: answer.body }).toString();
    assert.ok(text.includes(item.source_id), text);
    assertRefused(
      await flow.api.call('GET', `${flow.at}/records/${record.id}/document?version=9`),
      404,
      'not_found',
    );
    const found = await flow.api.get(`${flow.at}/records?source_id=${item.source_id}`);
    assert.deepEqual(ids(found.data), [record.id]);
  });

  test('what lies at Qonto is byte for byte what we show', async () => {
    const item = items.find((it) => it.state === 'delivered');
    const [delivery] = await deliveriesOf(flow, item);
    assert.equal(delivery.state, 'done');
    assert.equal(delivery.generation, 1);
    assert.deepEqual(
      delivery.attempts.map(({ status }) => status),
      ['ok'],
    );
    const { invoices } = await control.get('/control/qonto/invoices?origin=api');
    const there = invoices.find(({ id }) => id === delivery.external_id);
    assert.equal(there.sha256, delivery.content_sha256);
    assert.equal(there.idempotency_key, delivery.idempotency_key);
    assert.equal(there.file_name, delivery.file_name);
  });

  test('the ledger has what the books have, and what we put there, consumed by its item', async () => {
    const entries = await flow.api.all(`${flow.at}/ledger?connection_id=${flow.qonto.id}`);
    const seeded = (await control.get('/control/qonto/invoices?origin=seed')).invoices;
    const external = new Set(entries.map((it) => it.external_id));
    assert.deepEqual(
      seeded.filter(({ id }) => !external.has(id)),
      [],
    );
    for (const item of items.filter((it) => it.state === 'delivered' || it.state === 'linked')) {
      assert.equal(
        entries.find(({ id }) => id === item.entry_id)?.item_id,
        item.id,
        item.source_id,
      );
    }
    const named = entries.find((it) => it.counterparty_name && it.role === 'document');
    const nearest = await flow.api.get(
      `${flow.at}/ledger?role=document&text=${encodeURIComponent(named.counterparty_name)}`,
    );
    assert.equal(nearest.data[0].counterparty_name, named.counterparty_name);
  });

  test('counterparties are known by identifiers and names, and by who taught them', async () => {
    const parties = await flow.api.all(`${flow.at}/counterparties`);
    assert.equal(new Set(ids(parties)).size, parties.length);
    const item = items.find((it) => it.state === 'delivered' && it.counterparty);
    const party = await flow.api.get(`${flow.at}/counterparties/${item.counterparty.id}`);
    assert.ok(
      party.identifiers.some(({ scheme }) => scheme === 'stripe_customer' || scheme === 'vat_id'),
    );
    assert.ok(party.identifiers.every(({ taught_by: who }) => who.kind === 'machine'));
    const nearest = await flow.api.get(
      `${flow.at}/counterparties?text=${encodeURIComponent(party.name)}`,
    );
    assert.ok(ids(nearest.data).includes(party.id));
  });

  test('the operator sees lanes, workers and connections, by ids only', async () => {
    const person = await operator();
    const workers = await person.all('/admin/v1/workers');
    assert.ok(workers.some(({ alive }) => alive));
    const lanes = await person.all('/admin/v1/lanes');
    assert.ok(lanes.some((it) => it.workspace_id === flow.id));
    const connections = await person.all('/admin/v1/connections');
    assert.equal(connections.find(({ id }) => id === flow.qonto.id).workspace_id, flow.id);
    assert.ok(!JSON.stringify(connections).includes(flow.stripe.account.id));
    assertRefused(await flow.api.call('GET', '/admin/v1/lanes'), 403, 'forbidden');
    assert.equal((await anybody.get('/healthz')).status, 'ok');
    assert.equal((await anybody.get('/readyz')).status, 'ready');
    const metrics = (await anybody.call('GET', '/metrics')).body.toString();
    assert.match(metrics, /^sluice_requests_total\{.*\} [0-9]+$/m);
    assert.ok(!metrics.includes(flow.id));
  });
});
